"""LangGraph with its SQLite checkpointer, every checkpoint written before the next step (`durability="sync"`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness import install
from harness.peer import Peer, Row, Running, Variant

HERE = Path(__file__).resolve().parent


def prepare() -> None:
    install.python("langgraph")


@contextmanager
def start(row: Row) -> Iterator[Running]:
    driver = [str(install.python("langgraph")), str(HERE / "driver.py"), "--store", str(row.folder / "checkpoints.db")]
    version = f"{install.pinned('langgraph', 'langgraph')}, checkpointer "
    version += install.pinned("langgraph", "langgraph-checkpoint-sqlite")
    env = {"PYTHONPATH": str(install.PEERS / "harness"), "LANGSMITH_TRACING": "false"}
    yield Running(version, [], driver, env=env)


PEER = Peer(
    name="langgraph",
    variants=[Variant("SQLite", "fsync before every effect", durable=True, embedded=True)],
    install=prepare,
    start=start,
)
