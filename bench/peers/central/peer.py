"""The other design that Ganglion replaces: a central orchestrator on asyncio, over HTTP and inside one process."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from harness import install
from harness.peer import Peer, Row, Running, Variant
from harness.processes import accepts, free_port, started

HERE = Path(__file__).resolve().parent
HTTP = Variant("over HTTP", "none: memory only", durable=False)
EMBEDDED = Variant("in one process", "none: memory only", durable=False, embedded=True)


def prepare() -> None:
    install.python("central")


@contextmanager
def start(row: Row) -> Iterator[Running]:
    harness = install.PEERS / "harness"
    if row.variant is EMBEDDED:
        version = f"Python {sys.version.split()[0]}"
        yield Running(version, [], [sys.executable, str(HERE / "driver.py")], env={"PYTHONPATH": str(harness)})
        return
    python = install.python("central")
    port, worker_port = free_port(), free_port()
    with ExitStack() as stack:
        command = [python, HERE / "worker.py", "--port", str(worker_port)]
        up = started("worker", command, row.folder, ready=lambda: accepts(worker_port))
        worker = stack.enter_context(up)
        command = [python, HERE / "orchestrator.py", "--port", str(port), "--worker", str(worker_port)]
        up = started("orchestrator", command, row.folder, ready=lambda: accepts(port))
        orchestrator = stack.enter_context(up)
        driver = [str(python), str(harness / "http_driver.py"), "--port", str(port), "--path", "/runs"]
        yield Running(f"aiohttp {install.pinned('central', 'aiohttp')}", [worker.pid, orchestrator.pid], driver)


PEER = Peer(name="central", variants=[HTTP, EMBEDDED], install=prepare, start=start)
