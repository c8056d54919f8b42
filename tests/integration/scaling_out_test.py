#!/usr/bin/env python3
"""What docs/operations/scaling-out.md says, done: its commands in its order, with real Redis and RabbitMQ servers.

From one process over SQLite to three over Redis and RabbitMQ, of which one is killed under reviews; roles apart; a
domain that moves under an open run. GANGLION_BINARY or --ganglion names the binary.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import re
import shutil
import socket
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "sdk/python/src"), str(ROOT / "examples/code-review/tests")]

from repositories import RepositoryBuilder

from ganglion import Client
from rabbit_server import RabbitServer
from serving import binary_from, check_log
from store_servers import PORTS, RedisStore
from terminal import Terminal, commands

PAGE = ROOT / "docs/operations/scaling-out.md"
PORTS_OF_THE_PAGE = ("7420", "7421", "7422", "7423", "7424")
SKIPPED = 77
CONDITION_SECONDS = 60.0
FILES = 10  # to review: each is a task for three agents, of which two start a program


def await_value(look: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + CONDITION_SECONDS
    while not (value := look()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)
    return value


def free_ports(count: int) -> list[int]:
    """Which nobody is given by the system."""
    found: list[int] = []
    while len(found) < count:
        port = random.choice(PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            found += [port] if port not in found else []
    return found


def make_tree(folder: Path, binary: Path) -> None:
    """What the page finds at the root of the sources: the example, the SDK, a repository with a last commit."""
    shutil.copytree(ROOT / "examples/code-review", folder / "examples/code-review")
    (folder / "sdk").symlink_to(ROOT / "sdk")
    (folder / "bin").mkdir()
    (folder / "bin/ganglion").symlink_to(binary.resolve())
    repository = RepositoryBuilder(folder / ".git")
    repository.commit({"README": "scripts\n"})
    scripts = {
        f"script-{number}.sh": f"#!/bin/bash\nfor n in 1 2; do echo $n {number}; done\n" for number in range(FILES)
    }
    repository.commit({"README": "scripts\n", **scripts})


class Walk:
    """Goes through the page. `next` does its next block."""

    def __init__(self, folder: Path, binary: Path, store: str, bus: str) -> None:
        make_tree(folder, binary)
        self.folder = folder
        self.ports = dict(zip(PORTS_OF_THE_PAGE, map(str, free_ports(len(PORTS_OF_THE_PAGE))), strict=True))
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GANGLION_")}
        environment |= {"PATH": f"{folder}/bin:{environment['PATH']}", "PYTHONDONTWRITEBYTECODE": "1"}
        places = {"redis://127.0.0.1": store, "amqp://127.0.0.1": bus, **self.ports}
        self.terminal = Terminal(folder, places, environment)
        self._blocks = iter(commands(PAGE))

    def next(self, mentions: str) -> str:
        block = next(self._blocks)
        assert mentions in block, f"{PAGE.name} says something else than this test expects:\n{block}"
        return self.terminal.enter(block, CONDITION_SECONDS)

    def at_end(self) -> bool:
        return next(self._blocks, None) is None

    def url(self, port: str) -> str:
        return f"http://127.0.0.1:{self.ports[port]}"

    def log(self, port: str) -> Path:
        return self.folder / f"{self.ports[port]}.log"

    def await_ready(self, *ports: str) -> None:
        for port in ports:
            await_value(lambda port=port: self._get(port, "/readyz"), f"the process at {port}:\n{self._said(port)}")

    def open_runs(self, port: str) -> int:
        found = re.search(r"^ganglion_open_runs (\d+)$", self._get(port, "/metrics") or "", re.M)
        assert found is not None
        return int(found[1])

    def statuses(self, client: Client) -> dict[str, str]:
        return {run.id: run.status for run in client.list()}

    def has_report(self, number: int) -> bool:
        return "script-0.sh" in (self.folder / f"build/reviews/{number}/review.md").read_text()

    def _get(self, port: str, path: str) -> str | None:
        try:
            with urllib.request.urlopen(self.url(port) + path, timeout=CONDITION_SECONDS) as answer:
                return str(answer.read().decode())
        except (urllib.error.URLError, ConnectionError):
            return None

    def _said(self, port: str) -> str:
        return self.log(port).read_text() if self.log(port).exists() else ""


def one_process(walk: Walk) -> None:
    walk.next("2>first.log")
    walk.await_ready("7420")
    printed = walk.next("--out build/reviews/1")
    assert re.search(r"^report: .*/build/reviews/1/review\.md$", printed, re.M), printed
    assert walk.has_report(1)
    walk.next("wait $first")


def three_coordinators(walk: Walk) -> None:
    walk.next("for port in 7420 7421 7422")
    walk.await_ready("7420", "7421", "7422")
    walk.next("python3 agents.py")
    walk.next("reviews[$n]=$!")
    with Client(walk.url("7422")) as third:
        await_value(lambda: len(walk.statuses(third)) == 6, "six reviews")
        with Client(walk.url("7421")) as second:
            held = paused_review(walk, second, 1)
        printed = walk.next("runs list")
        assert len(re.findall(r"^\w{26}  code-review ", printed, re.M)) == 7, printed
        assert len(re.findall(r"^ganglion_open_runs \d+$", printed, re.M)) == 3, printed
        assert walk.open_runs("7421") > 0
        walk.next("kill -9")
        walk.next("wait ${reviews[6]}")
        third.resume(held)
        await_value(lambda: set(walk.statuses(third).values()) == {"completed"}, "the end of all runs")
    assert all(walk.has_report(number) for number in range(1, 7))
    assert '"event":"members_changed","joined":0,"left":1' in walk.log("7420").read_text()
    walk.next("--listen 127.0.0.1:7421")
    assert walk.next("wait ${reviews[*]}").count("output: ") == 6


def paused_review(walk: Walk, client: Client, like: int) -> str:
    """One that is open for as long as the test wants, however fast the machine is."""
    run = client.start("code-review", json.loads((walk.folder / f"build/reviews/{like}/input.json").read_text()))
    client.pause(run.id)
    return str(run.id)


def roles_apart(walk: Walk) -> None:
    walk.next("kill ${servers[*]} $worker && wait")
    walk.next("--roles ingress")
    walk.await_ready("7420", "7421", "7422", "7423")
    walk.next("--out build/reviews/7")
    assert walk.has_report(7)
    assert "worker_started" in walk.log("7423").read_text()
    assert not any("worker_started" in walk.log(port).read_text() for port in ("7420", "7421", "7422"))


def a_domain_moves(walk: Walk) -> None:
    with Client(walk.url("7420")) as client:
        held = paused_review(walk, client, 7)
        walk.next("--domain review")
        walk.await_ready("7424")
        walk.next("kill -HUP")
        for port in ("7421", "7422"):
            walk.next(f"kill ${{servers[{port}]}}")
            walk.await_ready(port)
        await_value(lambda: walk.open_runs("7424") == 1, "the open run in the domain's coordinator")
        assert walk.open_runs("7421") == walk.open_runs("7422") == 0
        client.resume(held)
        assert client.wait(held, timeout=CONDITION_SECONDS).status == "completed"
    walk.next("--out build/reviews/8")
    assert walk.has_report(8)


def walk_through(binary: Path, folder: Path) -> None:
    store = RedisStore()
    try:
        bus = RabbitServer()
        try:
            walk = Walk(folder, binary, store.url("").partition("?")[0], bus.url())
            try:
                for part in (one_process, three_coordinators, roles_apart, a_domain_moves):
                    began = time.monotonic()
                    part(walk)
                    print(f"{part.__name__.replace('_', ' ')}: {time.monotonic() - began:.1f} s", flush=True)
                assert walk.at_end(), f"{PAGE.name} says more than this test does"
                walk.terminal.enter("kill ${servers[*]} && wait", CONDITION_SECONDS)
            finally:
                walk.terminal.end()
            for log in folder.glob("*.log"):
                check_log(log)
        finally:
            bus.end()
    finally:
        store.end()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ganglion", help="the binary (default: $GANGLION_BINARY)")
    binary = binary_from(parser.parse_args().ganglion)
    if missing := [server.package for server in (RedisStore, RabbitServer) if not server.is_installed()]:
        print(f"skipped: not installed: Debian packages {', '.join(missing)}")
        return SKIPPED
    with tempfile.TemporaryDirectory(prefix="ganglion-scaling-") as folder:
        walk_through(binary, Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
