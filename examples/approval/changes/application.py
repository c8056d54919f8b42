"""Making a change: once, whole or not at all, and only if it does what the rehearsal did.

The row in `applied_changes` is written in the same transaction as the change. An attempt that is repeated, because the
answer to the first one was lost, finds it and does nothing.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from .rehearsal import Refused, connect, digest_of, run_statement


class Differs(Exception):
    """The database is not what it was at the rehearsal: what was approved is not what would happen."""


def apply(database: Path, statements: list[str], effects: list[dict[str, Any]], key: str) -> dict[str, Any]:
    """Makes the change under `key`: `{digest, rows, again}`. `again`: it had been made before. `Differs`, `Refused`."""
    connection = connect(database)
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS applied_changes (key TEXT PRIMARY KEY, digest TEXT, rows INTEGER)"
        )
        found = connection.execute("SELECT digest, rows FROM applied_changes WHERE key = ?", (key,)).fetchone()
        if found is not None:
            connection.execute("ROLLBACK")
            return {"digest": found[0], "rows": found[1], "again": True}
        rows = [run_statement(connection, statement)[0] for statement in statements]
        expected = [effect["rows"] for effect in effects]
        if rows != expected:
            raise Differs(f"the statements change {rows} rows now; approved was {expected}")
        connection.execute("INSERT INTO applied_changes VALUES (?, ?, ?)", (key, digest_of(statements), sum(rows)))
        connection.execute("COMMIT")
        return {"digest": digest_of(statements), "rows": sum(rows), "again": False}
    except sqlite3.Error as error:
        raise Refused(str(error)) from error
    finally:
        connection.close()  # rolls back what was not committed
