"""The two loads of the kill test: what is run, who works on it, and what must come out."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ganglion import AsyncClient
from journal_check import Expectation, Observed
from serving import ROOT, Server

EXAMPLE = ROOT / "examples" / "code-review"
SDK = ROOT / "sdk" / "python" / "src"
sys.path[1:1] = [str(EXAMPLE), str(EXAMPLE / "tests")]

from repositories import RepositoryBuilder
from review.git import Repository
from review.prepare import prepare

CONDITION_SECONDS = 30.0


class Scenario(ABC):
    """A server with a project, its workers, and what is asked of it. `parallel`: runs in flight."""

    workflow: str
    parallel: int
    server: Server
    #: If fewer are lost, the kills have hit nobody at work.
    fewest_attempts_lost = 0
    #: A run that is no part of the load.
    reference_run = ""

    @abstractmethod
    async def prepare(self) -> None:
        """With the server running, before the load."""

    @abstractmethod
    def make_input(self, number: int) -> dict[str, Any]: ...

    @abstractmethod
    def expectation(self, input: Mapping[str, Any], run: Mapping[str, Any]) -> Expectation: ...

    def normalised(self, run: Mapping[str, Any]) -> Mapping[str, Any]:
        """The run without what legitimately differs between two executions, in its output."""
        return run

    @abstractmethod
    async def kill_worker(self) -> None: ...

    def restart_workers(self) -> None:
        """Those that nobody supervises."""
        return

    def stop_workers(self) -> None:
        """Gracefully, where nobody supervises them."""
        return

    def end(self) -> None:
        """Nothing that was started stays."""
        if self.server.process is not None:
            self.server.process.kill()
            self.server.process.wait()

    @staticmethod
    def attempts_lost(runs: Mapping[str, tuple[Observed, Expectation]]) -> int:
        return sum(event.type == "task_failed" for observed, _ in runs.values() for event in observed.journal)


class Pipeline(Scenario):
    """Three steps one after the other; worker processes that this test starts and kills."""

    workflow = "pipeline"
    parallel = 200
    fewest_attempts_lost = 1
    max_attempts = 60
    project = f"""\
ganglion: 1
defaults:
  timeout: 1500ms
  retry: {{max_attempts: {max_attempts}, initial: 10ms, max: 50ms, jitter: 0.2}}
agents:
  first: {{kind: worker}}
  second: {{kind: worker}}
  third: {{kind: worker}}
workflows:
  pipeline:
    steps:
      first: {{agent: first, input: "${{{{ input }}}}"}}
      second: {{agent: second, input: "${{{{ steps.first.output }}}}"}}
      third: {{agent: third, input: "${{{{ steps.second.output }}}}"}}
    output: "${{{{ steps.third.output }}}}"
"""

    def __init__(self, binary: Path, folder: Path) -> None:
        self.server = Server(binary, folder, self.project)
        self._employ([self.server] * 2, folder / "workers.log")

    def _employ(self, employers: list[Server], log: Path) -> None:
        """One worker for each."""
        self._missing = employers
        self._workers: list[tuple[Server, subprocess.Popen[bytes]]] = []
        self._log = log

    async def prepare(self) -> None:
        self.restart_workers()

    def make_input(self, number: int) -> dict[str, Any]:
        return {"n": number, "trail": []}

    def expectation(self, input: Mapping[str, Any], run: Mapping[str, Any]) -> Expectation:
        names = ["first", "second", "third"]
        return Expectation(
            output={"n": input["n"], "trail": names},
            tasks=dict.fromkeys(names, 1),
            needs={"second": ["first"], "third": ["second"]},
            max_attempts=self.max_attempts,
            least_backoff=0.01,
        )

    async def kill_worker(self) -> None:
        employer, worker = self._workers.pop(0)
        self._missing.append(employer)
        assert worker.poll() is None, f"a worker had ended by itself:\n{self._log.read_text()[-2000:]}"
        worker.kill()
        worker.wait()

    def freeze_workers(self) -> None:
        for _, worker in self._workers:
            worker.send_signal(signal.SIGSTOP)

    def thaw_workers(self) -> None:
        for _, worker in self._workers:
            worker.send_signal(signal.SIGCONT)

    def restart_workers(self) -> None:
        while self._missing:
            employer = self._missing.pop()
            self._workers.append((employer, self._start_worker(employer)))

    def stop_workers(self) -> None:
        for _, worker in self._workers:
            worker.terminate()
        for _, worker in self._workers:
            status = worker.wait(CONDITION_SECONDS)
            assert status == 0, f"a worker ended with {status}:\n{self._log.read_text()[-2000:]}"

    def end(self) -> None:
        for _, worker in self._workers:
            if worker.poll() is None:
                worker.kill()
                worker.wait()
        super().end()

    def _start_worker(self, employer: Server) -> subprocess.Popen[bytes]:
        with open(self._log, "ab") as log:
            return subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name("pipeline_worker.py"))],
                env={**employer.environment(), "GANGLION_SERVER": employer.url},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )


def children(parent: int) -> Iterable[int]:
    """Processes that `parent` has started and that still run."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, started_by = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            except OSError:
                continue  # it has ended meanwhile
            if int(started_by) == parent and state != "Z":
                yield int(entry.name)


class Review(Scenario):
    """The code-review example as it is, but with more attempts: no number of kills may cost a finding."""

    workflow = "code-review"
    parallel = 2
    max_attempts = 60

    def __init__(self, binary: Path, folder: Path) -> None:
        self._folder = folder
        project = folder / "project"
        shutil.copytree(EXAMPLE, project, ignore=shutil.ignore_patterns("__pycache__", "tests"))
        text = (EXAMPLE / "ganglion.yaml").read_text()
        for old, new in (
            (
                "retry: {max_attempts: 2, initial: 200ms}",
                f"retry: {{max_attempts: {self.max_attempts}, initial: 10ms, max: 50ms}}",
            ),
            ("timeout: 120s", "timeout: 20s"),
            ("PYTHONPATH: ../../sdk/python/src", f"PYTHONPATH: {SDK}"),
        ):
            assert text.count(old) == 1, f"the example has changed: {old}"
            text = text.replace(old, new)
        self.server = Server(binary, project, text)
        self._reference: dict[str, Any] = {}
        builder = RepositoryBuilder(folder / "repository.git")
        base = builder.commit({"a.py": "x = 1\n"})
        head = builder.commit(
            {
                "a.py": "x = 1\ndef f(:\n",
                "b.sh": "#!/bin/bash\nif true; then\n",
                "c.json": "{,}\n",
                "d.py": "eval(input())\n",
                "readme.md": "[link](missing.md)\n",
            }
        )
        self._range = (base, head)

    async def prepare(self) -> None:
        """What the review says when nothing is killed."""
        async with AsyncClient(self.server.url) as client:
            run = await client.start(self.workflow, self.make_input(-1), idempotency_key="reference")
            run = await client.wait(run.id, timeout=CONDITION_SECONDS * 2)
        assert run.status == "completed", f"the review fails by itself: {run.error}"
        self.reference_run = run.id
        self._reference = self._essence(run.output)
        assert self._reference["findings"], "the example has found nothing to review"

    def make_input(self, number: int) -> dict[str, Any]:
        work = self._folder / f"run-{number}" / "work"
        work.mkdir(parents=True)
        repository = Repository(self._folder / "repository.git")
        return {**prepare(repository, *self._range, work), "out": str(work.parent)}

    def expectation(self, input: Mapping[str, Any], run: Mapping[str, Any]) -> Expectation:
        agents = self._reference["agents"]
        per_file = ("syntax", "static_analysis", "security")
        tasks = {name: agents[name]["tasks"] for name in per_file} | dict.fromkeys(
            ("changes", "test_gap", "documentation", "merge"), 1
        )
        needs: dict[str, list[str]] = {name: ["changes"] for name in (*per_file, "test_gap", "documentation")}
        needs["merge"] = [*per_file, "test_gap", "documentation"]
        return Expectation(self._reference, tasks, needs, self.max_attempts)

    def normalised(self, run: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**run, "output": self._essence(run["output"])}

    @staticmethod
    def _essence(output: Any) -> Any:
        """Without times and paths."""
        if not isinstance(output, dict):
            return output
        agents = {
            name: {key: summary[key] for key in ("tasks", "failed", "findings")}
            for name, summary in output["agents"].items()
        }
        return {key: output[key] for key in ("files", "counts", "findings")} | {"agents": agents}

    async def kill_worker(self) -> None:
        deadline = time.monotonic() + CONDITION_SECONDS
        while not (workers := list(children(self.server.pid))):
            assert time.monotonic() < deadline, f"no worker runs:\n{self.server.log_tail()}"
            await asyncio.sleep(0.01)
        os.kill(workers[0], signal.SIGKILL)
