"""What a change to a database would do, and doing it. Without Ganglion, which `agents.py` brings in."""

from __future__ import annotations

from pathlib import Path

#: The database that the example changes, as SQL.
SHOP = Path(__file__).resolve().parent.parent / "data" / "shop.sql"
