"""Celery with a prefork worker of two processes: on RabbitMQ (durable queues, persistent messages) and on Redis."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from harness import install, servers
from harness.peer import Peer, Row, Running, Variant
from harness.processes import started

HERE = Path(__file__).resolve().parent
CONFIRMS = Variant("RabbitMQ, confirms", "fsync before the publisher goes on", durable=True)
RABBITMQ = Variant("RabbitMQ", "on disk soon: nobody waits for it", durable=False)
REDIS = Variant("Redis, always", "fsync before every effect", durable=True)
PROCESSES = 2


def prepare() -> None:
    servers.install_redis()
    servers.install_rabbitmq()
    install.python("celery")


@contextmanager
def start(row: Row) -> Iterator[Running]:
    python = install.python("celery")
    with ExitStack() as stack:
        if row.variant is not REDIS:
            broker = stack.enter_context(servers.rabbitmq(row.folder))
            env = {"PEER_BROKER": f"amqp://guest:guest@127.0.0.1:{broker.port}//", "PEER_RESULTS": "rpc://"}
        else:
            broker = stack.enter_context(servers.redis(row.folder, "always"))
            url = f"redis://127.0.0.1:{broker.port}/0"
            env = {"PEER_BROKER": url, "PEER_RESULTS": url}
        if row.variant is CONFIRMS:
            env["PEER_CONFIRMS"] = "1"
        env |= {"PYTHONPATH": f"{HERE}:{install.PEERS / 'harness'}", "PYTHONDONTWRITEBYTECODE": "1"}
        log = row.folder / "worker.log"
        command = [python, "-m", "celery", "-A", "tasks", "worker", "-c", str(PROCESSES), "-l", "WARNING"]
        command += ["--without-gossip", "--without-mingle"]
        up = started("worker", command, row.folder, ready=lambda: "worker is up" in log.read_text(), env=env)
        worker = stack.enter_context(up)
        version = f"{install.pinned('celery', 'celery')}, {broker.version}"
        yield Running(version, [*broker.pids, worker.pid], [str(python), str(HERE / "driver.py")], env=env)


PEER = Peer(name="celery", variants=[CONFIRMS, RABBITMQ, REDIS], install=prepare, start=start)
