"""The routing agent: the best way through the network of roads, rails, ferries and flights.

Dijkstra's search. What is best depends on the service: `express` is the shortest time, `standard` the lowest cost;
the other one breaks ties. Goods that a carrier refuses, and parcels that are too heavy for it, don't go that way.
"""

from __future__ import annotations

import functools
import heapq
import json
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from . import DATA


class NoRoute(Exception):
    """The goods can't get there."""


@dataclass(frozen=True, slots=True)
class Link:
    """One way between two places; links go both ways."""

    to: str
    mode: str
    km: int
    minutes: int


@dataclass(frozen=True)
class Network:
    names: dict[str, str]
    kinds: dict[str, str]
    links: dict[str, tuple[Link, ...]]
    tariffs: dict[str, dict[str, Any]]
    handling: dict[str, int]

    def warehouses(self) -> list[str]:
        return sorted(node for node, kind in self.kinds.items() if kind == "warehouse")


@functools.cache
def network() -> Network:
    table = json.loads((DATA / "network.json").read_text("utf-8"))
    links: dict[str, list[Link]] = defaultdict(list)
    for one, other, mode, km, minutes in table["links"]:
        links[one].append(Link(other, mode, km, minutes))
        links[other].append(Link(one, mode, km, minutes))
    nodes = table["nodes"]
    return Network(
        names={node: value["name"] for node, value in nodes.items()},
        kinds={node: value["kind"] for node, value in nodes.items()},
        links={node: tuple(ways) for node, ways in links.items()},
        tariffs=table["tariffs"],
        handling=table["handling_minutes"],
    )


def route(origin: str, destination: str, service: str, weight_g: int, hazards: list[str]) -> dict[str, Any]:
    """`{from, to, legs: [{from, to, mode, km, minutes, cents}], km, minutes, cents}`; `NoRoute` if there is none."""
    graph = network()
    if origin not in graph.kinds or destination not in graph.kinds:
        raise NoRoute(f"no such place: {origin if origin not in graph.kinds else destination}")
    express = service == "express"
    best: dict[str, tuple[int, int]] = {origin: (0, 0)}
    came: dict[str, tuple[str, Link]] = {}
    queue: list[tuple[tuple[int, int], str]] = [((0, 0), origin)]
    while queue:
        so_far, node = heapq.heappop(queue)
        if node == destination:
            break
        if so_far > best[node]:
            continue
        for link in graph.links.get(node, ()):
            if not _takes(graph.tariffs[link.mode], weight_g, hazards):
                continue
            minutes = link.minutes + graph.handling[graph.kinds[node]]
            cost = _cents(graph.tariffs[link.mode], link.km, weight_g)
            step = (minutes, cost) if express else (cost, minutes)
            total = (so_far[0] + step[0], so_far[1] + step[1])
            if link.to not in best or total < best[link.to]:
                best[link.to] = total
                came[link.to] = (node, link)
                heapq.heappush(queue, (total, link.to))
    if destination not in best:
        raise NoRoute(f"nothing that takes {', '.join(hazards) or f'{weight_g} g'} goes from {origin} to {destination}")
    return _described(graph, origin, destination, came, weight_g)


def instructions(way: dict[str, Any]) -> list[str]:
    """A route in words, for the people who load the parcels."""
    names = network().names
    if not way["legs"]:
        return [f"Deliver by van from {names[way['from']]}."]
    told = []
    for leg in way["legs"]:
        hours, minutes = divmod(leg["minutes"], 60)
        told.append(
            f"{names[leg['from']]} to {names[leg['to']]} by {leg['mode']}, {leg['km']} km, {hours}:{minutes:02} h"
        )
    return [*told, f"Deliver by van from {names[way['to']]}."]


def _described(
    graph: Network, origin: str, destination: str, came: dict[str, tuple[str, Link]], weight_g: int
) -> dict[str, Any]:
    legs: list[dict[str, Any]] = []
    node = destination
    while node != origin:
        before, link = came[node]
        minutes = link.minutes + graph.handling[graph.kinds[before]]
        cents = _cents(graph.tariffs[link.mode], link.km, weight_g)
        legs.append({"from": before, "to": node, "mode": link.mode, "km": link.km, "minutes": minutes, "cents": cents})
        node = before
    legs.reverse()
    totals = {name: sum(leg[name] for leg in legs) for name in ("km", "minutes", "cents")}
    return {"from": origin, "to": destination, "legs": legs, **totals}


def _takes(tariff: dict[str, Any], weight_g: int, hazards: list[str]) -> bool:
    return not set(hazards) & set(tariff.get("refuses", ())) and weight_g <= 1000 * tariff.get("max_kg", 1_000_000)


def _cents(tariff: dict[str, Any], km: int, weight_g: int) -> int:
    per_weight = float(tariff["cents_per_kg_100km"]) * weight_g / 1000 * km / 100
    return round(float(tariff["base_cents"]) + float(tariff["cents_per_km"]) * km + per_weight)
