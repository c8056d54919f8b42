"""DBOS, a library: on PostgreSQL (the server counts as well as the driver's process) and on SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness import install, servers
from harness.peer import Peer, Row, Running, Variant

HERE = Path(__file__).resolve().parent
POSTGRES = Variant("PostgreSQL", "fsync before every effect", durable=True, embedded=True)
SQLITE = Variant("SQLite", "fsync before every effect", durable=True, embedded=True)


def prepare() -> None:
    install.python("dbos")
    servers.install_postgres()


@contextmanager
def start(row: Row) -> Iterator[Running]:
    driver = [str(install.python("dbos")), str(HERE / "driver.py"), "--store"]
    env = {"PYTHONPATH": str(install.PEERS / "harness")}
    version = install.pinned("dbos", "dbos")
    if row.variant is SQLITE:
        yield Running(version, [], [*driver, f"sqlite:///{row.folder / 'dbos.db'}"], env=env)
        return
    with servers.postgres(row.folder) as postgres:
        store = f"postgresql://bench@127.0.0.1:{postgres.port}/dbos"
        yield Running(f"{version}, {postgres.version}", postgres.pids, [*driver, store], env=env)


PEER = Peer(name="dbos", variants=[POSTGRES, SQLITE], install=prepare, start=start)
