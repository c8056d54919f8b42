"""The inventory agent: what lies where, and who has it.

The stock of each product is one key of the session's state. Many shipments want the same products at the same time, so
nobody writes what he has read before without asking: a change is a compare-and-set on the version that it was made
from, and whoever comes second reads again. A record remembers for whom it has reserved, by the task's idempotency key,
so an attempt that is repeated finds its own reservation instead of making another.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from . import DATA

#: Lost races in a row for one product before the attempt gives up; the next attempt goes on.
MAX_RACES = 200
#: Of every warehouse: where its parcels are at home. Others are asked afterwards.
NEAR = {
    "RTM": {"NL", "BE", "GB", "DE"},
    "LEJ": {"DE", "AT", "CH", "DK", "SE"},
    "LYS": {"FR", "CH", "ES", "PT", "IT"},
    "POZ": {"PL", "SE", "DE"},
}

Record = dict[str, Any]
T = TypeVar("T")


class Contended(Exception):
    """Others were faster, too often."""


class Versioned(Protocol):
    """A register of versioned values, such as the state of a session."""

    def get(self, key: str) -> tuple[Any, int] | None:
        """The value and its version, or None."""

    def put(self, key: str, value: Any, version: int | None) -> bool:
        """Writes if the key still has that version (None: if it does not exist); whether it did."""


@functools.cache
def opening_stock() -> dict[str, dict[str, int]]:
    """What the warehouses begin with: by SKU and warehouse."""
    stock: dict[str, dict[str, int]] = json.loads((DATA / "stock.json").read_text("utf-8"))
    return stock


def key_of(sku: str) -> str:
    return f"stock.{sku}"


def holder_of(idempotency_key: str) -> str:
    """A short name for who holds a reservation."""
    return hashlib.sha256(idempotency_key.encode()).hexdigest()[:16]


def reserve(register: Versioned, lines: Sequence[dict[str, Any]], country: str, holder: str) -> dict[str, Any]:
    """All lines or none: `{reserved, holder, parcels: [{warehouse, lines}], missing: [{sku, short}]}`."""
    order = sorted(NEAR, key=lambda warehouse: (country not in NEAR[warehouse], warehouse))
    taken: dict[str, dict[str, int]] = {}
    # In one order for everybody: two shipments that want the same products don't take each other's halves in turn.
    for line in sorted(lines, key=lambda line: str(line["sku"])):
        sku, quantity = line["sku"], line["quantity"]
        # An attempt that died may hold the last pieces for this very task: `_take` looks for them first.
        picks, short = change(register, sku, functools.partial(_take, holder=holder, quantity=quantity, order=order))
        if short:
            for done in taken:
                release_one(register, done, holder)
            return {"reserved": False, "holder": holder, "parcels": [], "missing": [{"sku": sku, "short": short}]}
        taken[sku] = picks
    parcels: dict[str, list[dict[str, Any]]] = {}
    for sku, picks in taken.items():
        for warehouse, quantity in picks.items():
            parcels.setdefault(warehouse, []).append({"sku": sku, "quantity": quantity})
    listed = [{"warehouse": warehouse, "lines": parcels[warehouse]} for warehouse in order if warehouse in parcels]
    return {"reserved": True, "holder": holder, "parcels": listed, "missing": []}


def release(register: Versioned, lines: Sequence[dict[str, Any]], holder: str) -> int:
    """Puts back what `holder` has; how many pieces. Doing it again changes nothing."""
    return sum(release_one(register, line["sku"], holder) for line in lines)


def release_one(register: Versioned, sku: str, holder: str) -> int:
    def put_back(record: Record) -> int:
        held: dict[str, int] = record["held"].pop(holder, {})
        for warehouse, quantity in held.items():
            record["free"][warehouse] = record["free"].get(warehouse, 0) + quantity
        return sum(held.values())

    return change(register, sku, put_back)


def change(register: Versioned, sku: str, alter: Callable[[Record], T]) -> T:
    """Alters a product's record in place, as one compare-and-set; what `alter` returned when it counted."""
    for _ in range(MAX_RACES):
        found = register.get(key_of(sku))
        record = {"free": dict(opening_stock().get(sku, {})), "held": {}} if found is None else found[0]
        before = json.dumps(record, sort_keys=True)
        result = alter(record)
        if json.dumps(record, sort_keys=True) == before:
            return result
        if register.put(key_of(sku), record, None if found is None else found[1]):
            return result
    raise Contended(f"{sku}: {MAX_RACES} lost races")


def _take(record: Record, *, holder: str, quantity: int, order: list[str]) -> tuple[dict[str, int], int]:
    """What comes from which warehouse, and how many are short; with a shortage nothing is taken."""
    if holder in record["held"]:
        return record["held"][holder], 0
    free: dict[str, int] = record["free"]
    picks: dict[str, int] = {}
    whole = next((warehouse for warehouse in order if free.get(warehouse, 0) >= quantity), None)
    left = quantity
    for warehouse in [whole] if whole else order:
        if pick := min(left, free.get(warehouse, 0)):
            picks[warehouse] = pick
            left -= pick
    if left:
        return {}, left
    for warehouse, pick in picks.items():
        free[warehouse] -= pick
    record["held"][holder] = picks
    return picks, 0
