"""The shipment data agent: from what a shop exports to shipments that the other agents can rely on.

Exports differ: separators, names of columns, byte order marks, quantities with units. What can be read for sure is
read; what can't is a problem that names its field. Nothing is guessed.
"""

from __future__ import annotations

import csv
import functools
import io
import re
from collections.abc import Sequence
from typing import Any

from . import DATA

#: Names of columns that shops use, by the name that we use.
COLUMNS = {
    "shipment": {"shipment", "order", "order_id", "orderid", "bestellung", "reference", "ref"},
    "sku": {"sku", "article", "item", "artikel"},
    "quantity": {"quantity", "qty", "menge", "amount", "count"},
    "name": {"name", "recipient", "empfänger", "customer"},
    "street": {"street", "address", "address1", "strasse", "straße"},
    "postcode": {"postcode", "zip", "plz", "postal_code", "zipcode"},
    "city": {"city", "town", "ort", "stadt"},
    "country": {"country", "land", "country_code"},
    "service": {"service", "shipping", "versand"},
}
ADDRESS = ("name", "street", "postcode", "city", "country")
SERVICES = {"": "standard", "standard": "standard", "economy": "standard", "express": "express", "next day": "express"}
MAX_QUANTITY = 1000
MAX_LINES = 100


class UnreadableOrders(Exception):
    """The file as a whole can't be read."""


@functools.cache
def products() -> dict[str, dict[str, Any]]:
    """By SKU: name, weight in grams, hazard (or None)."""
    with open(DATA / "products.csv", encoding="utf-8", newline="") as file:
        return {
            row["sku"]: {"name": row["name"], "weight_g": int(row["weight_g"]), "hazard": row["hazard"] or None}
            for row in csv.DictReader(file)
        }


def split(text: str) -> list[dict[str, Any]]:
    """An export with one line per article, as orders: `{shipment, lines: [{sku, quantity}], name, …}`, in file order.

    Fields are as they stand in the file. `UnreadableOrders` if a column that every order needs is missing.
    """
    text = text.removeprefix("\ufeff")
    first, _, _ = text.partition("\n")
    separator = max(";,\t|", key=first.count)
    rows = csv.reader(io.StringIO(text), delimiter=separator)
    header = [_column(name) for name in next(rows, [])]
    missing = [name for name in ("shipment", "sku", "quantity", *ADDRESS) if name not in header]
    if missing:
        raise UnreadableOrders(f"no column for {', '.join(missing)}")
    orders: dict[str, dict[str, Any]] = {}
    for row in rows:
        fields = {name: value.strip() for name, value in zip(header, row, strict=False) if name}
        if not any(fields.values()):
            continue
        identity = fields.get("shipment", "")
        order = orders.setdefault(identity, {"shipment": identity, "lines": []})
        order["lines"].append({"sku": fields.get("sku", ""), "quantity": fields.get("quantity", "")})
        for name in (*ADDRESS, "service"):
            order.setdefault(name, fields.get(name, ""))
    return list(orders.values())


def normalise(order: dict[str, Any]) -> dict[str, Any]:
    """A shipment: `{shipment, lines, address, service, weight_g, hazards, problems}`.

    Lines for the same article are one line. With problems (`[{field, message}]`) the rest is what could be read.
    """
    problems: list[dict[str, str]] = []
    quantities: dict[str, int] = {}
    for number, line in enumerate(order.get("lines") or []):
        sku = str(line.get("sku", "")).strip().upper()
        quantity = _quantity(line.get("quantity"))
        if sku not in products():
            problems.append({"field": f"lines[{number}].sku", "message": f"no product {sku!r}"})
        elif quantity is None:
            problems.append(
                {"field": f"lines[{number}].quantity", "message": f"not a quantity: {line.get('quantity')!r}"}
            )
        else:
            quantities[sku] = quantities.get(sku, 0) + quantity
    if not order.get("lines") or len(order["lines"]) > MAX_LINES:
        problems.append({"field": "lines", "message": f"an order has 1 to {MAX_LINES} lines"})
    service = SERVICES.get(str(order.get("service") or "").strip().lower())
    if service is None:
        problems.append({"field": "service", "message": f"no service {order.get('service')!r}"})
    address = {name: " ".join(str(order.get(name) or "").split()) for name in ADDRESS}
    problems += [{"field": name, "message": "is empty"} for name in ADDRESS if not address[name]]
    lines = [
        {"sku": sku, "quantity": quantity, "name": products()[sku]["name"]} for sku, quantity in quantities.items()
    ]
    weight_g, hazards = weight_and_hazards(lines)
    return {
        "shipment": str(order.get("shipment") or ""),
        "lines": lines,
        "address": address,
        "service": service or "standard",
        "weight_g": weight_g,
        "hazards": hazards,
        "problems": problems,
    }


def weight_and_hazards(lines: Sequence[dict[str, Any]]) -> tuple[int, list[str]]:
    """Of known products: grams together, and what carriers must know."""
    weight = sum(int(products()[line["sku"]]["weight_g"]) * int(line["quantity"]) for line in lines)
    return weight, sorted({hazard for line in lines if (hazard := products()[line["sku"]]["hazard"])})


def _column(name: str) -> str:
    cleaned = name.strip().lower().replace(" ", "_")
    return next((ours for ours, theirs in COLUMNS.items() if cleaned in theirs), "")


def _quantity(value: Any) -> int | None:
    found = re.fullmatch(r"(\d{1,6})(?:[.,]0+)?\s*(?:x|pcs?|pieces?|stk|stück)?\.?", str(value).strip().lower())
    if isinstance(value, bool) or found is None:
        return None
    quantity = int(found[1])
    return quantity if 1 <= quantity <= MAX_QUANTITY else None
