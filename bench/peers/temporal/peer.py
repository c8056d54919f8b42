"""Temporal: listed so that its absence is seen.

Its server, as a Go module, did not build within ten minutes on two busy cores. Its development server (the `temporal`
program) can't be built from published modules: it needs one that exists only inside its own repository.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from harness import install
from harness.peer import Peer, Row, Running, Variant


def prepare() -> None:
    raise install.Unavailable("no server in a package registry; from Go modules it did not build within 10 minutes")


@contextmanager
def start(row: Row) -> Iterator[Running]:
    prepare()
    yield Running("", [], [])


PEER = Peer(
    name="temporal",
    variants=[Variant("SQLite", "fsync before every effect", durable=True)],
    install=prepare,
    start=start,
)
