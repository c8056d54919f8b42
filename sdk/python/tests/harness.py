"""Processes and threads that tests start: the real server, workers. GANGLION_BINARY names the binary."""

from __future__ import annotations

import asyncio
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from ganglion import Worker

#: How long anything may take before a test gives up; a sanitizer build on busy processors is slow.
PATIENCE = 60.0

PROJECT = """
ganglion: 1
defaults:
  timeout: 60s
  retry: {max_attempts: 3, backoff: exponential, initial: 10ms, max: 50ms, jitter: 0}
agents:
  first: {kind: worker}
  second: {kind: worker}
  brief: {kind: worker, timeout: 2s}
workflows:
  one:
    steps: {work: {agent: first, input: "${{ input }}"}}
    output: "${{ steps.work.output }}"
  two:
    steps:
      a: {agent: first, input: "${{ input }}"}
      b: {agent: second, input: {a: "${{ steps.a.output }}"}}
    output: "${{ steps.b.output }}"
  brief:
    steps: {work: {agent: brief, input: "${{ input }}"}}
    output: "${{ steps.work.output }}"
  map:
    steps:
      each:
        for_each: "${{ input.items }}"
        max_parallel: 100
        agent: first
        input: {x: "${{ item }}"}
    output: "${{ steps.each.output }}"
  instant:
    steps: {same: {transform: "${{ input }}"}}
    output: "${{ steps.same.output }}"
"""


class Server:
    """A `ganglion serve` process with a store of its own, on a port that stays the same over restarts."""

    def __init__(self, folder: Path, project: str, token: str | None = None) -> None:
        self._folder = folder
        self._token = token
        (folder / "ganglion.yaml").write_text(project)
        self._log = folder / "server.log"
        self._process: subprocess.Popen[str] | None = None
        self._listen = "127.0.0.1:0"
        self.url = ""

    def start(self) -> None:
        command = [os.environ["GANGLION_BINARY"], "serve", "-f", "ganglion.yaml", "--listen", self._listen]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("GANGLION_")}
        if self._token is not None:
            environment["GANGLION_TOKEN"] = self._token
        self._process = subprocess.Popen(
            [*command, "--store", "sqlite:test.db"],
            cwd=self._folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._read, args=(self._process, lines), daemon=True).start()
        seen = ""
        while not (match := re.search(r"listening on (http://127\.0\.0\.1:\d+)", seen)):
            try:
                line = lines.get(timeout=PATIENCE)
            except queue.Empty:
                line = ""
            assert line, f"the server did not start:\n{seen}"
            seen += line
        self.url = match[1]
        self._listen = self.url.removeprefix("http://")

    def _read(self, process: subprocess.Popen[str], lines: queue.SimpleQueue[str]) -> None:
        assert process.stdout is not None
        with open(self._log, "a") as log:
            for line in process.stdout:
                log.write(line)
                log.flush()
                lines.put(line)
        lines.put("")

    def kill(self) -> None:
        """As a crash: no clean-up of any kind."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            status = self._process.wait(PATIENCE)
            self._process = None
            assert status in (0, 130, -signal.SIGTERM), self._log.read_text()


class RunningWorker:
    """A worker in a thread with an event loop of its own."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            asyncio.run(self.worker.run_async())
        except BaseException as error:
            self._error = error

    def stop(self) -> None:
        """Stops gracefully and raises what ended the worker, if anything did."""
        deadline = time.monotonic() + PATIENCE
        while self._thread.is_alive():
            self.worker.stop()
            self._thread.join(0.05)
            assert time.monotonic() < deadline, "the worker did not stop"
        if self._error is not None:
            raise self._error


StartWorker = Callable[[Worker], RunningWorker]


class WorkerProcess:
    """A worker program in a process of its own. Its stdout is a channel of lines to the test."""

    def __init__(self, url: str, source: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", source],
            env=dict(os.environ) | {"GANGLION_SERVER": url, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            text=True,
        )

    def line(self) -> str:
        """The next line that the program prints; empty at its end."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        return self.process.wait(PATIENCE)
