"""One of the designs that Ganglion replaces: an own coordinator in Python on Redis and RabbitMQ."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from harness import install, servers
from harness.peer import Peer, Row, Running, Variant
from harness.processes import accepts, free_port, started

HERE = Path(__file__).resolve().parent


def prepare() -> None:
    servers.install_redis()
    servers.install_rabbitmq()
    install.python("plain")


@contextmanager
def start(row: Row) -> Iterator[Running]:
    python = install.python("plain")
    with ExitStack() as stack:
        redis = stack.enter_context(servers.redis(row.folder, "always"))
        rabbitmq = stack.enter_context(servers.rabbitmq(row.folder))
        port = free_port()
        where = ["--rabbitmq", str(rabbitmq.port)]
        command = [python, HERE / "coordinator.py", "--port", str(port), "--redis", str(redis.port), *where]
        up = started("coordinator", command, row.folder, ready=lambda: accepts(port))
        coordinator = stack.enter_context(up)
        command = [python, HERE / "worker.py", *where]
        worker = stack.enter_context(started("worker", command, row.folder, ready=lambda: True))
        driver = [str(python), str(install.PEERS / "harness/http_driver.py"), "--port", str(port), "--path", "/runs"]
        pids = [*redis.pids, *rabbitmq.pids, coordinator.pid, worker.pid]
        yield Running(f"{redis.version}, {rabbitmq.version}", pids, driver)


PEER = Peer(
    name="plain",
    variants=[Variant("Redis + RabbitMQ", "fsync before every effect", durable=True)],
    install=prepare,
    start=start,
)
