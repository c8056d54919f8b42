"""The five agents, as Ganglion sees them. Ganglion starts this program; see `workers` in ganglion.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ganglion import Client, Fail, Retry, Task, Worker

from shipping import addresses, dispatch, inventory, network, orders
from shipping.register import SessionState

worker = Worker(concurrency=16)
server = Client()


@worker.agent("shipment_data")
def shipment_data(order: dict[str, Any] | None = None, file: str | None = None) -> dict[str, Any]:
    """An order as a shipment, or a shop's export as a list of orders."""
    if order is not None:
        return orders.normalise(order)
    try:
        return {"orders": orders.split(file or "")}
    except orders.UnreadableOrders as error:
        raise Fail("unreadable_orders", str(error)) from error


@worker.agent("address_validation")
def address_validation(address: dict[str, str]) -> dict[str, Any]:
    return addresses.validate(address)


@worker.agent("inventory")
def stock(task: Task, lines: list[dict[str, Any]], country: str = "", release_for: str | None = None) -> dict[str, Any]:
    """Reserves lines, or puts back what `release_for` holds."""
    register = SessionState(server, task.session_id or "stock")
    try:
        if release_for is not None:
            return {"released": inventory.release(register, lines, release_for)}
        holder = inventory.holder_of(task.idempotency_key)
        return inventory.reserve(register, lines, addresses.country_code(country) or "", holder)
    except inventory.Contended as error:
        raise Retry(str(error), code="contended") from error


@worker.agent("routing")
def routing(shipment: dict[str, Any], parcels: list[dict[str, Any]], node: str) -> dict[str, Any]:
    """A way for each parcel. A parcel without one ends the attempts: the roads will be the same next time."""
    routed = []
    for parcel in parcels:
        weight, hazards = orders.weight_and_hazards(parcel["lines"])
        try:
            way = network.route(parcel["warehouse"], node, shipment["service"], weight, hazards)
        except network.NoRoute as error:
            raise Fail("no_route", str(error)) from error
        routed.append({**parcel, "weight_g": weight, "route": way, "instructions": network.instructions(way)})
    return {"parcels": routed}


@worker.agent("hand_off")
def hand_off(
    task: Task, shipment: dict[str, Any], address: dict[str, str], parcels: list[dict[str, Any]], out: str
) -> dict[str, Any]:
    """Writes the dispatch document, once, however often this is called."""
    content = dispatch.document(shipment, address, parcels, task.idempotency_key)
    path, _ = dispatch.hand_off(Path(out), content)
    return {
        "number": content["number"],
        "document": str(path),
        "cents": content["cents"],
        "minutes": content["minutes"],
    }


if __name__ == "__main__":
    worker.run()
