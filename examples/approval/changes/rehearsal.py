"""The rehearsal: a change is tried on a copy, so that a person sees what it does and not only what it says.

SQLite itself tells what a statement touches (its authorizer is asked for every table and column before the statement
runs), so nothing here reads SQL. What a change may not do at all, such as opening another file, is refused there too.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: Columns that hold what belongs to people.
PERSONAL = {("customers", "name"), ("customers", "email")}
#: From so many rows on a change is of high risk, as is one that removes what can't be put back.
MANY_ROWS = 100
MAX_STATEMENTS = 50
#: Steps of SQLite's machine for one statement; a rehearsal ends.
MAX_STEPS = 20_000_000

_DROPS = {sqlite3.SQLITE_DROP_TABLE, sqlite3.SQLITE_DROP_INDEX, sqlite3.SQLITE_DROP_VIEW, sqlite3.SQLITE_DROP_TRIGGER}
_SHAPES = {sqlite3.SQLITE_CREATE_TABLE, sqlite3.SQLITE_CREATE_INDEX, sqlite3.SQLITE_ALTER_TABLE} | _DROPS
_WRITES = {sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE}
_FORBIDDEN = {
    sqlite3.SQLITE_ATTACH,
    sqlite3.SQLITE_DETACH,
    sqlite3.SQLITE_PRAGMA,
    sqlite3.SQLITE_TRANSACTION,
    sqlite3.SQLITE_SAVEPOINT,
}


class Refused(Exception):
    """The change does not work, or may not be made at all."""


@dataclass
class Touched:
    """What one statement asks SQLite for."""

    tables: set[str] = field(default_factory=set)
    personal: set[str] = field(default_factory=set)
    deletes: bool = False
    drops: bool = False
    forbidden: bool = False

    def ask(self, action: int, first: str | None, second: str | None, _database: str | None, _by: str | None) -> int:
        """SQLite's authorizer: whether it may."""
        if action in _FORBIDDEN:
            self.forbidden = True
            return sqlite3.SQLITE_DENY
        internal = first is not None and first.startswith("sqlite_")
        if action in _WRITES | _SHAPES and first is not None and not internal:
            self.tables.add(first)
        self.deletes |= action == sqlite3.SQLITE_DELETE and not internal
        self.drops |= action in _DROPS
        if action in (sqlite3.SQLITE_READ, sqlite3.SQLITE_UPDATE) and (first, second) in PERSONAL:
            self.personal.add(f"{first}.{second}")
        if action == sqlite3.SQLITE_INSERT:
            self.personal |= {f"{table}.{column}" for table, column in PERSONAL if table == first}
        return sqlite3.SQLITE_OK


def connect(database: Path) -> sqlite3.Connection:
    """`Refused` if there is no such database. Transactions are the caller's."""
    try:
        return sqlite3.connect(f"file:{database}?mode=rw", uri=True, isolation_level=None, timeout=10)
    except sqlite3.Error as error:
        raise Refused(f"{database}: {error}") from error


def run_statement(connection: sqlite3.Connection, statement: str) -> tuple[int, Touched]:
    """Rows that changed, and what was touched. `Refused` for what does not work or may not be."""
    touched = Touched()
    connection.set_authorizer(touched.ask)
    left = [MAX_STEPS]

    def count() -> int:
        left[0] -= 10_000
        return left[0] < 0

    connection.set_progress_handler(count, 10_000)
    before = connection.total_changes
    try:
        connection.execute(statement)
    except sqlite3.Error as error:
        why = "may not be part of a change" if touched.forbidden else str(error)
        raise Refused(f"{statement}: {why}") from error
    finally:
        connection.set_authorizer(None)
        connection.set_progress_handler(None, 0)
    return connection.total_changes - before, touched


def digest_of(statements: list[str]) -> str:
    return hashlib.sha256(json.dumps(statements, ensure_ascii=False).encode()).hexdigest()


def rehearse(database: Path, statements: list[str]) -> dict[str, Any]:
    """What the statements do, one after the other, on a copy in memory.

    `{statements, digest, effects: [{statement, rows, tables}], rows, personal: [column], risk: low | medium | high,
    reasons: [text]}`. `Refused` if one of them does not work.
    """
    if not 1 <= len(statements) <= MAX_STATEMENTS:
        raise Refused(f"a change has 1 to {MAX_STATEMENTS} statements")
    copy = sqlite3.connect(":memory:", isolation_level=None)
    original = connect(database)
    try:
        original.backup(copy)
        done = [(statement, *run_statement(copy, statement)) for statement in statements]
        broken = copy.execute("PRAGMA foreign_key_check").fetchall()
    finally:
        original.close()
        copy.close()
    if broken:
        raise Refused(f"{len(broken)} rows would point to rows that are not there, in {broken[0][0]}")
    rows = sum(changed for _, changed, _ in done)
    reasons = _reasons(rows, [touched for _, _, touched in done])
    personal = sorted(set().union(*(touched.personal for _, _, touched in done)))
    return {
        "statements": statements,
        "digest": digest_of(statements),
        "effects": [
            {"statement": statement, "rows": changed, "tables": sorted(touched.tables)}
            for statement, changed, touched in done
        ],
        "rows": rows,
        "personal": personal,
        "risk": "high" if reasons else "low" if rows == 1 else "medium",
        "reasons": reasons,
    }


def _reasons(rows: int, touched: list[Touched]) -> list[str]:
    found = [f"{rows} rows change"] if rows >= MANY_ROWS else []
    found += ["rows are deleted"] if any(one.deletes and not one.drops for one in touched) else []
    found += ["something is dropped"] if any(one.drops for one in touched) else []
    return found
