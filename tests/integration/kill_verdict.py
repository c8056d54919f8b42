"""What is to be said of a load in the end, after whatever has happened to the servers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from ganglion import AsyncClient, ProblemError
from ganglion.models import JournalEvent
from journal_check import Expectation, Observed, complaints_about, store_complaints
from journal_check_test import check_damages
from kill_load import Load
from kill_scenarios import Scenario


class Verdict:
    """Everything that is wrong in the end, and the figures that are printed."""

    def __init__(self, scenario: Scenario, load: Load, most_replays: int = 40) -> None:
        self._scenario = scenario
        self._load = load
        self._most_replays = most_replays
        self.complaints: list[str] = []
        self.runs: dict[str, tuple[Observed, Expectation]] = {}

    async def observe(self) -> None:
        """While servers run: everything that the API shows."""
        for key in list(self._load.acknowledged):
            await self._load.end_run(key)
        await self._load.persist(self._repeat_with_another_body, 0, "repeating a key")
        stored = await self._load.persist(self._stored, 0, "listing runs")
        self.complaints += store_complaints(self._load.acknowledged, stored, self._load.doubted)
        missing = self._load.doubted - set(stored)
        self.complaints += [f"{run} was unknown for a while" for run in self._load.missed - self._load.doubted]
        for key, ids in self._load.acknowledged.items():
            for run in ids - missing:
                await self._observe_run(run, self._load.inputs[key])
        self.complaints += self._load.prefixes.complaints

    async def _repeat_with_another_body(self, client: AsyncClient) -> None:
        key = next(iter(self._load.acknowledged))
        try:
            await client.start(self._load.workflow, {**self._load.inputs[key], "other": 1}, idempotency_key=key)
            self.complaints.append(f"key {key} was taken again with another body")
        except ProblemError as problem:
            if problem.temporary:
                raise
            if (problem.status, problem.code) != (409, "idempotency_mismatch"):
                self.complaints.append(f"key {key} with another body: {problem.status} {problem.code}")

    async def _stored(self, client: AsyncClient) -> list[str]:
        reference = self._scenario.reference_run
        workflow = self._load.workflow
        return [run.id async for run in client.list(workflow=workflow) if run.id != reference and run.parent is None]

    async def _observe_run(self, run: str, input: dict[str, Any]) -> None:
        async def read(client: AsyncClient) -> tuple[list[JournalEvent], Mapping[str, Any]]:
            return [event async for event in client.journal(run)], (await client.get(run)).raw

        journal, shown = await self._load.persist(read, 0, f"reading {run}")
        self._load.prefixes.see(run, journal)
        expected = self._scenario.expectation(input, shown)
        self.runs[run] = (Observed(self._scenario.normalised(shown), journal), expected)

    async def replay(self) -> int:
        """After the server has stopped: the journals of those runs that had the most to recover from, folded again."""
        longest = sorted(self.runs, key=lambda run: len(self.runs[run][0].journal), reverse=True)[: self._most_replays]
        for run in longest:
            observed, expected = self.runs[run]
            command = self._scenario.server.command("replay", run, "--json", "--store", self._scenario.server.store)
            process = await asyncio.create_subprocess_exec(
                *command,
                cwd=self._scenario.server.folder,
                env=self._scenario.server.environment(),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            output, errors = await process.communicate()
            if process.returncode != 0:
                self.complaints.append(f"{run}: replay ended with {process.returncode}: {errors.decode()[-500:]}")
                continue
            replayed = self._scenario.normalised(json.loads(output)["run"])
            self.runs[run] = (Observed(observed.run, observed.journal, replayed), expected)
        return len(longest)

    def judge(self) -> list[str]:
        for run, (observed, expected) in self.runs.items():
            self.complaints += [f"{run}: {complaint}" for complaint in complaints_about(observed, expected)]
        return self.complaints

    def check_the_check(self) -> None:
        """The same checker must object to damaged copies of a run that it has just found sound."""
        sound = next(iter(self.runs.values()))
        check_damages(Observed(sound[0].run, sound[0].journal, sound[0].run), sound[1])
