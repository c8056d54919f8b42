"""What the runner asks of a peer: NAME/peer.py has a constant `PEER` of this type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Variant:
    """One way of running a peer: a line of the table for each number of clients."""

    name: str
    #: What of an acknowledged step survives the loss of power, in a few words.
    durability: str
    #: Whether all of it does: only these compete for "best durable peer".
    durable: bool
    #: Whether the engine is a library in the driver's process: that process is then the server.
    embedded: bool = False


@dataclass(frozen=True)
class Row:
    """What is asked of one line of the table."""

    variant: Variant
    clients: int
    seconds: float
    warm_up: float
    folder: Path


@dataclass(frozen=True)
class Running:
    """Servers that are up, and the command that loads them."""

    version: str
    servers: list[int]
    driver: list[str]
    env: Mapping[str, str] = field(default_factory=dict)
    #: Makes a row of what the driver printed, for one that measures itself.
    translate: Callable[[dict[str, Any]], dict[str, Any]] | None = None


@dataclass(frozen=True)
class Peer:
    name: str
    variants: list[Variant]
    #: Installs what is missing; raises Unavailable.
    install: Callable[[], None]
    #: From all servers up to all servers ended.
    start: Callable[[Row], AbstractContextManager[Running]]
