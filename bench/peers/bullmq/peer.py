"""BullMQ on Redis: one worker process, the load in another."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from harness import install, servers
from harness.peer import Peer, Row, Running, Variant
from harness.processes import started

STEPS = Variant("step jobs, always", "fsync before every effect", durable=True)
FLOW = Variant("flow, always", "fsync before every effect", durable=True)
EVERY_SECOND = Variant("step jobs, everysec", "fsync once a second", durable=False)


def prepare() -> None:
    servers.install_redis()
    install.node_modules("bullmq")


@contextmanager
def start(row: Row) -> Iterator[Running]:
    folder = install.node_modules("bullmq")
    lock = json.loads((install.PEERS / "bullmq/package-lock.json").read_text())["packages"]
    with ExitStack() as stack:
        appendfsync = "everysec" if row.variant is EVERY_SECOND else "always"
        redis = stack.enter_context(servers.redis(row.folder, appendfsync))
        port = ["--port", str(redis.port)]
        command = ["node", folder / "worker.mjs", *port, "--concurrency", str(row.clients)]
        log = row.folder / "worker.log"
        env = {"NODE_ENV": "production"}
        up = started("worker", command, row.folder, ready=lambda: "workers are up" in log.read_text(), env=env)
        worker = stack.enter_context(up)
        how = ["--how", "flow" if row.variant is FLOW else "steps"]
        version = f"{lock['node_modules/bullmq']['version']}, {redis.version}"
        pids = [*redis.pids, worker.pid]
        yield Running(version, pids, ["node", str(folder / "driver.mjs"), *port, *how], env=env)


PEER = Peer(name="bullmq", variants=[STEPS, FLOW, EVERY_SECOND], install=prepare, start=start)
