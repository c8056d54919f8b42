"""What a change would do, and doing it: once, whole, and only as rehearsed."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from changes import SHOP, application, rehearsal


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(SHOP.read_text("utf-8"))
    connection.close()
    return path


def value(shop: Path, query: str) -> Any:
    connection = sqlite3.connect(shop)
    try:
        return connection.execute(query).fetchone()[0]
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("statement", "risk", "rows", "personal"),
    [
        ("UPDATE products SET price_cents = 999 WHERE sku = 'SKU-001'", "low", 1, []),
        ("UPDATE products SET active = 0 WHERE price_cents > 1500", "medium", 13, []),
        ("UPDATE products SET price_cents = price_cents + 1", "medium", 40, []),
        ("UPDATE orders SET state = 'sent'", "high", 600, []),
        ("DELETE FROM orders WHERE id = 1", "high", 1, []),
        ("DROP TABLE orders", "high", 0, []),
        ("CREATE INDEX by_state ON orders (state)", "medium", 0, []),
        ("UPDATE customers SET email = lower(email) WHERE id = 5", "low", 1, ["customers.email"]),
        ("UPDATE customers SET newsletter = 0 WHERE name = 'Customer 7'", "low", 1, ["customers.name"]),
    ],
)
def test_a_rehearsal_tells_what_happens_and_changes_nothing(
    shop: Path, statement: str, risk: str, rows: int, personal: list[str]
) -> None:
    before = shop.read_bytes()
    found = rehearsal.rehearse(shop, [statement])
    assert (found["risk"], found["rows"], found["personal"]) == (risk, rows, personal)
    assert shop.read_bytes() == before


@pytest.mark.parametrize(
    ("statements", "why"),
    [
        (["UPDATE no_table SET x = 1"], "no such table"),
        (["ATTACH 'other.db' AS other"], "may not be part of a change"),
        (["PRAGMA writable_schema = 1"], "may not be part of a change"),
        (["COMMIT"], "may not be part of a change"),
        (["DELETE FROM customers WHERE id = 1"], "not there, in orders"),
        (["SELECT 1; DELETE FROM orders"], "one statement"),
        ([], "1 to 50"),
        (["WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"], "interrupted"),
    ],
)
def test_what_does_not_work_or_may_not_be_is_refused(shop: Path, statements: list[str], why: str) -> None:
    with pytest.raises(rehearsal.Refused, match=why):
        rehearsal.rehearse(shop, statements)


def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(rehearsal.Refused):
        rehearsal.rehearse(tmp_path / "none.db", ["SELECT 1"])
    assert not (tmp_path / "none.db").exists()


def test_a_change_is_made_once_under_its_key(shop: Path) -> None:
    statements = ["UPDATE products SET price_cents = price_cents + 1 WHERE id = 1"]
    effects = rehearsal.rehearse(shop, statements)["effects"]
    before = value(shop, "SELECT price_cents FROM products WHERE id = 1")
    done = [application.apply(shop, statements, effects, "run/0/0") for _ in range(3)]
    assert [again["again"] for again in done] == [False, True, True]
    assert [again["rows"] for again in done] == [1, 1, 1]
    assert value(shop, "SELECT price_cents FROM products WHERE id = 1") == before + 1


def test_what_would_do_something_else_than_was_rehearsed_is_not_made(shop: Path) -> None:
    # given a change that was rehearsed, and a database that has changed since
    statements = ["UPDATE products SET active = 1 WHERE active = 0", "UPDATE products SET price_cents = 1"]
    effects = rehearsal.rehearse(shop, statements)["effects"]
    application.apply(shop, ["UPDATE products SET active = 0 WHERE id = 1"], [{"rows": 1}], "other")
    # then nothing of it happens
    with pytest.raises(application.Differs, match=r"\[5, 40\] rows now; approved was \[4, 40\]"):
        application.apply(shop, statements, effects, "key")
    assert value(shop, "SELECT count(*) FROM products WHERE active = 0") == 5
    assert value(shop, "SELECT min(price_cents) FROM products") > 1


def test_a_change_that_fails_half_way_leaves_nothing_behind(shop: Path) -> None:
    statements = ["UPDATE products SET active = 0", "UPDATE no_table SET x = 1"]
    with pytest.raises(rehearsal.Refused):
        application.apply(shop, statements, [{"rows": 40}, {"rows": 0}], "key")
    assert value(shop, "SELECT count(*) FROM products WHERE active = 0") == 4
