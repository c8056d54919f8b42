"""Restate: its server from npm, a service on its SDK in another process, the load over its HTTP ingress."""

from __future__ import annotations

import json
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from harness import install
from harness.peer import Peer, Row, Running, Variant
from harness.processes import accepts, free_port, started


def prepare() -> None:
    folder = install.node_modules("restate")
    install.run([folder / "node_modules/.bin/restate-server", "--version"], folder)


def post(url: str, body: object) -> None:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        answer.read()


def healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@contextmanager
def start(row: Row) -> Iterator[Running]:
    folder = install.node_modules("restate")
    service, ingress, admin, fabric = (free_port() for _ in range(4))
    env = {
        "RESTATE_INGRESS__BIND_ADDRESS": f"127.0.0.1:{ingress}",
        "RESTATE_ADMIN__BIND_ADDRESS": f"127.0.0.1:{admin}",
        "RESTATE_BIND_ADDRESS": f"127.0.0.1:{fabric}",
        "RESTATE_ADVERTISED_ADDRESS": f"http://127.0.0.1:{fabric}",
        "RESTATE_LISTEN_MODE": "tcp",
        "RESTATE_DISABLE_TELEMETRY": "true",
        "RESTATE_LOG_FILTER": "warn",
        "RESTATE_LOG_DISABLE_ANSI_CODES": "true",
        "NODE_ENV": "production",
    }
    binary = next(folder.glob("node_modules/@restatedev/restate-server-*/bin/restate-server"))
    with ExitStack() as stack:
        command = ["node", folder / "service.mjs", "--port", str(service)]
        up = started("service", command, row.folder, ready=lambda: accepts(service), env=env)
        worker = stack.enter_context(up)
        command = [binary, "--node-name", "bench", "--base-dir", row.folder / "data"]

        def ready() -> bool:
            return healthy(f"http://127.0.0.1:{admin}/health") and healthy(f"http://127.0.0.1:{ingress}/restate/health")

        server = stack.enter_context(started("restate", command, row.folder, ready=ready, env=env))
        post(f"http://127.0.0.1:{admin}/deployments", {"uri": f"http://127.0.0.1:{service}"})
        driver = [sys.executable, str(install.PEERS / "harness/http_driver.py")]
        driver += ["--port", str(ingress), "--path", "/Pipeline/run"]
        lock = json.loads((install.PEERS / "restate/package-lock.json").read_text())["packages"]
        version = str(lock["node_modules/@restatedev/restate-server"]["version"])
        yield Running(version, [server.pid, worker.pid], driver)


PEER = Peer(
    name="restate",
    variants=[Variant("ctx.run", "fsync before every effect", durable=True)],
    install=prepare,
    start=start,
)
