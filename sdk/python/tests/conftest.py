"""Fixtures: each test has its own server, store and workers, so tests may run in parallel."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from harness import PROJECT, RunningWorker, Server, StartWorker, WorkerProcess

from ganglion import Client, Worker


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path, PROJECT)
    running.start()
    try:
        yield running
    except BaseException:
        running.kill()
        raise
    running.stop()


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with Client(server.url) as connected:
        yield connected


@pytest.fixture
def start_worker(server: Server) -> Iterator[StartWorker]:
    """Starts workers that are stopped when the test ends."""
    started: list[RunningWorker] = []

    def start(worker: Worker) -> RunningWorker:
        started.append(RunningWorker(worker))
        return started[-1]

    yield start
    for running in started:
        with contextlib.suppress(Exception):
            running.stop()


@pytest.fixture
def worker_process(server: Server) -> Iterator[Callable[[str], WorkerProcess]]:
    started: list[WorkerProcess] = []

    def start(source: str) -> WorkerProcess:
        started.append(WorkerProcess(server.url, source))
        return started[-1]

    yield start
    for worker in started:
        worker.process.kill()
        worker.process.wait()
        if worker.process.stdout is not None:
            worker.process.stdout.close()
