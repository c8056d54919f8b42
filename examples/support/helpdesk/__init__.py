"""What the agents of the help desk do. Plain Python without Ganglion; `agents.py` is where the two meet."""

from __future__ import annotations

from pathlib import Path

#: Training data, questions and answers, phrase book.
DATA = Path(__file__).resolve().parent.parent / "data"
