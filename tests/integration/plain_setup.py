"""What plain_agents/prepare has fetched, for tests. Standard library only."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from store_servers import StoreServer

ROOT = Path(__file__).resolve().parents[2]
AGENTS = Path(__file__).resolve().parent / "plain_agents"
PYTHON = ROOT / "build/cache/plain-agents/bin/python"
NODE = ROOT / "build/cache/node/bin/node"
SKIPPED = 77
CONDITION_SECONDS = 30.0


def enter() -> None:
    """Goes on with the Python that has pika and redis-py. Ends the program where there is none."""
    if not PYTHON.exists():
        print("skipped: run tests/integration/plain_agents/prepare first")
        sys.exit(SKIPPED)
    if Path(sys.prefix) != PYTHON.parents[1]:
        os.execv(PYTHON, [str(PYTHON), *sys.argv])


def require(*servers: type[StoreServer]) -> None:
    """Ends the program where one isn't installed."""
    for server in servers:
        if not server.is_installed():
            print(f"skipped: Debian package {server.package} is not installed")
            sys.exit(SKIPPED)


def await_value(look: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + CONDITION_SECONDS
    while not (value := look()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.01)
    return value


@contextlib.contextmanager
def running(*commands: list[str]) -> Iterator[list[subprocess.Popen[bytes]]]:
    programs = [subprocess.Popen(command) for command in commands]
    try:
        yield programs
    finally:
        for program in programs:
            program.kill()
            program.wait()
