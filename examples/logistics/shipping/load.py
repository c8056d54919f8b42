"""Orders for a load, and what must hold when all of them are done. `./load` submits them."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from . import addresses, inventory, orders

STREETS = ("Main Street", "Station Road", "Rue Haute", "Lindenallee", "Via Nuova", "Calle Mayor")


def generate(count: int, seed: int) -> list[dict[str, Any]]:
    """Orders as a shop would send them: most of them right, some with typing errors, a few that can't be shipped."""
    chance = random.Random(seed)
    return [_order(chance, f"L-{number:06}") for number in range(count)]


def _order(chance: random.Random, shipment: str) -> dict[str, Any]:
    country = chance.choice(sorted(addresses.countries()))
    rules = addresses.countries()[country]
    prefix, (_, *names) = chance.choice(sorted(rules["areas"].items()))
    shape = next(shape for shape in rules["shapes"] if _fits(prefix, shape))
    postcode = prefix + "".join(_fill(chance, place) for place in shape[len(prefix) :])
    city = chance.choice(names)
    accident = chance.random()
    if accident < 0.10:
        postcode = postcode.lower().replace(" ", "")
    elif accident < 0.15 and len(city) > 5:
        city = city[:-1]
    elif accident < 0.18:
        city = "Elsewhere"
    elif accident < 0.20:
        country = "Atlantis"
    skus = chance.sample(sorted(orders.products()), chance.choice([1, 1, 2, 3]))
    return {
        "shipment": shipment,
        "name": f"Customer {shipment}",
        "street": f"{chance.choice(STREETS)} {chance.randint(1, 99)}",
        "postcode": postcode,
        "city": city,
        "country": country,
        "service": chance.choice(["standard", "standard", "express"]),
        "lines": [{"sku": sku, "quantity": chance.randint(1, 3)} for sku in skus],
    }


def _fits(prefix: str, shape: str) -> bool:
    return all(letter.isdigit() == (place == "9") for letter, place in zip(prefix, shape, strict=False)) and len(
        prefix
    ) <= len(shape.split(" ")[0])


def _fill(chance: random.Random, place: str) -> str:
    if place == "9":
        return chance.choice("123456789")
    return chance.choice("ABCDEFGH") if place == "A" else place


def check_documents(outcomes: Sequence[Mapping[str, Any]], folder: Path) -> list[str]:
    """What is wrong with the hand-offs: each dispatched shipment has exactly one document, and no other has one."""
    documents = Counter(json.loads(path.read_bytes())["shipment"] for path in folder.glob("*.json"))
    dispatched = {outcome["shipment"] for outcome in outcomes if outcome["status"] == "dispatched"}
    wrong = [f"{name}: {count} documents" for name, count in documents.items() if count != 1]
    wrong += [f"{name}: dispatched without a document" for name in sorted(dispatched - documents.keys())]
    wrong += [f"{name}: a document, but not dispatched" for name in sorted(documents.keys() - dispatched)]
    return wrong


def check_stock(
    state: Mapping[str, Any], sent: Mapping[str, Mapping[str, Any]], outcomes: Sequence[Mapping[str, Any]]
) -> list[str]:
    """What is wrong with the stock of one session: every piece is free or held, and what was dispatched is held.

    `sent`: the orders by shipment; `outcomes`: those of the session.
    """
    wrong = []
    gone: Counter[str] = Counter()
    for outcome in outcomes:
        if outcome["status"] == "dispatched":
            for line in sent[outcome["shipment"]]["lines"]:
                gone[line["sku"]] += line["quantity"]
    for sku, opening in inventory.opening_stock().items():
        record = state.get(inventory.key_of(sku), {"free": opening, "held": {}})
        free = sum(record["free"].values())
        held = sum(sum(picks.values()) for picks in record["held"].values())
        if free + held != sum(opening.values()) or min(record["free"].values(), default=0) < 0:
            wrong.append(f"{sku}: {free} free and {held} held of {sum(opening.values())}")
        if held != gone[sku]:
            wrong.append(f"{sku}: {held} held, {gone[sku]} dispatched")
    return wrong


def percentile(values: Sequence[float], part: float) -> float:
    """Of at least one value; the smallest one that `part` of them don't exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -int(-part * len(ordered) // 1) - 1))]
