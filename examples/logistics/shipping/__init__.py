"""What the five agents of the example do. Plain Python without Ganglion; `agents.py` is where the two meet."""

from __future__ import annotations

from pathlib import Path

#: The tables that stand for a company's master data.
DATA = Path(__file__).resolve().parent.parent / "data"
