"""Runs that rest, ask a person, work and tell, beside the load of a cluster test.

Two people decide about each at the same moment and at two members, and somebody who may not tries it first; some runs
are cancelled instead, at any moment. A consumer at each member hears what the runs publish.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Sequence
from typing import Any

from ganglion import AsyncClient, ProblemError, RunNotFinished, ServerUnavailable
from ganglion.models import Approval, Run
from guarded_check import PEOPLE, Guarded, complaints_about_guarded, event_complaints
from kill_load import NOT_FOUND, WAIT_SECONDS, Load

WORKFLOW = "guarded"
TOPIC = "guarded.done"
STEPS = f"""\
      rest: {{sleep: 100ms}}
      ask: {{approve: {{by: [{", ".join(PEOPLE)}], show: {{n: "${{{{ input.n }}}}"}}}}, needs: [rest]}}
      work: {{workflow: detail, input: "${{{{ input }}}}", needs: [ask]}}
      announce: {{publish: {{topic: {TOPIC}, data: {{n: "${{{{ input.n }}}}"}}}}, needs: [work]}}
"""
PARALLEL = 4
CANCELLED = 0.3
MOST_UNTIL_CANCEL_SECONDS = 0.8
PAUSE_SECONDS = 0.05
#: Until a consumer has heard the last event.
HEARD_SECONDS = 15.0
FORBIDDEN, CONFLICT = 403, 409


class GuardedLoad:
    """Over the members of a load, with its patience."""

    def __init__(self, load: Load, seed: int) -> None:
        self._load = load
        self._plan = random.Random(seed)
        self._seed = seed
        self._runs: dict[int, Guarded] = {}
        self._heard: dict[str, list[int]] = {url: [] for url in load.urls}
        self._finishing = False
        self._people: list[asyncio.Task[None]] = []
        self._consumers: list[asyncio.Task[None]] = []
        self.complaints: list[str] = []

    @property
    def summary(self) -> str:
        decided = sum(bool(guarded.decisions) for guarded in self._runs.values())
        cancelled = sum(guarded.cancelled for guarded in self._runs.values())
        heard = sum(len(seqs) for seqs in self._heard.values())
        return f"{len(self._runs)} guarded runs, {decided} decided, {cancelled} cancelled, {heard} events heard"

    def start(self) -> None:
        self._people = [asyncio.create_task(self._be_people(number)) for number in range(PARALLEL)]
        self._consumers = [asyncio.create_task(self._consume(url)) for url in self._load.urls]

    async def finish(self) -> None:
        """When all runs have ended."""
        self._finishing = True
        await asyncio.gather(*self._people)

    async def judge(self) -> list[str]:
        """While members run. Where the store has lost writes, only what each journal says for itself is judged."""
        for guarded in self._runs.values():
            with self._lost_is_missing(guarded.run):
                await self._observe(guarded)
                if self._load.doubted:
                    guarded.cancelled, guarded.decisions = False, []
                self.complaints += [f"{guarded.run}: {words}" for words in complaints_about_guarded(guarded)]
        if not self._load.doubted:
            await self._judge_events()
        for consumer in self._consumers:
            consumer.cancel()
        await asyncio.gather(*self._consumers, return_exceptions=True)
        return self.complaints

    async def _judge_events(self) -> None:
        async def read(client: AsyncClient) -> list[tuple[int, int]]:
            return [(event.seq, event.data["n"]) async for event in client.events(topic=TOPIC)]

        log = await self._load.persist(read, 0, "reading events")
        deadline = asyncio.get_running_loop().time() + HEARD_SECONDS
        while any(len(set(heard)) < len(log) for heard in self._heard.values()):
            if asyncio.get_running_loop().time() > deadline:
                break
            await asyncio.sleep(PAUSE_SECONDS)
        ends = {number: guarded.journal[-1].type for number, guarded in self._runs.items()}
        self.complaints += event_complaints(ends, log, self._heard)

    async def _observe(self, guarded: Guarded) -> None:
        async def read(client: AsyncClient) -> None:
            guarded.journal = [event async for event in client.journal(guarded.run)]
            children = [run.id async for run in client.list(parent=guarded.run)]
            guarded.children = {child: [event async for event in client.journal(child)] for child in children}

        await self._load.persist(read, 0, f"reading {guarded.run}")

    @contextlib.contextmanager
    def _lost_is_missing(self, run: str) -> Any:
        try:
            yield
        except ProblemError as problem:
            if problem.status != NOT_FOUND:
                raise
            if not self._load.doubted:
                self.complaints.append(f"{run} was acknowledged and is not there")

    async def _be_people(self, first: int) -> None:
        number = first
        while not self._finishing:
            run = await self._start(number)
            guarded = self._runs[number] = Guarded(run.id)
            with contextlib.suppress(ProblemError):
                await self._deal_with(guarded, first)
            number += PARALLEL

    async def _start(self, number: int) -> Run:
        async def call(client: AsyncClient) -> Run:
            input = {"n": number, "trail": []}
            return await client.start(WORKFLOW, input, idempotency_key=f"guarded-{self._seed}-{number}")

        return await self._load.persist(call, number, f"starting guarded run {number}")

    async def _deal_with(self, guarded: Guarded, first: int) -> None:
        if self._plan.random() < CANCELLED:
            cancel = asyncio.create_task(self._cancel(guarded, self._plan.uniform(0, MOST_UNTIL_CANCEL_SECONDS)))
            await asyncio.gather(cancel, self._decide(guarded, first))
        else:
            await self._decide(guarded, first)
        while not await self._load.persist(
            lambda client: _has_ended(client, guarded.run), first, f"waiting for {guarded.run}"
        ):
            # It asks again where the store has lost what was decided.
            await self._decide(guarded, first)

    async def _cancel(self, guarded: Guarded, delay: float) -> None:
        await asyncio.sleep(delay)
        try:
            run = await self._load.persist(
                lambda client: client.cancel(guarded.run), self._plan.randrange(9), f"cancelling {guarded.run}"
            )
        except ProblemError as problem:
            if problem.status != CONFLICT:  # it has ended before
                raise
        else:
            guarded.cancelled = run.status == "cancelled"

    async def _decide(self, guarded: Guarded, first: int) -> None:
        """As soon as it asks; nobody may any more where it has ended."""

        async def look(client: AsyncClient) -> tuple[Sequence[Approval], Run]:
            return [approval async for approval in client.approvals(run=guarded.run)], await client.get(guarded.run)

        while True:
            asked, run = await self._load.persist(look, first, f"looking for the question of {guarded.run}")
            if run.ended or asked:
                break
            await asyncio.sleep(PAUSE_SECONDS)
        if asked:
            await self._answer(guarded, asked[0], "eve", "approve")
            what = [self._plan.choice(["approve", "approve", "reject"]) for _ in PEOPLE]
            await asyncio.gather(
                *(self._answer(guarded, asked[0], who, how) for who, how in zip(PEOPLE, what, strict=True))
            )

    async def _answer(self, guarded: Guarded, asked: Approval, who: str, how: str) -> None:
        """Whoever gets no answer asks again, and may be told that it has been decided: by themselves, maybe."""

        async def call(client: AsyncClient) -> None:
            await (client.approve(asked, by=who) if how == "approve" else client.reject(asked, by=who))

        try:
            await self._load.persist(call, self._plan.randrange(9), f"answering {guarded.run}")
        except ProblemError as problem:
            if problem.status not in (CONFLICT, FORBIDDEN, NOT_FOUND):
                raise
            if problem.status == FORBIDDEN and who in PEOPLE:
                self.complaints.append(f"{guarded.run}: {who} was not permitted")
        else:
            guarded.decisions.append((who, how))

    async def _consume(self, url: str) -> None:
        heard = self._heard[url]
        async with AsyncClient(url) as client:
            while True:
                with contextlib.suppress(ServerUnavailable, ProblemError):
                    async for event in client.tail(topic=TOPIC, after=heard[-1] if heard else 0):
                        heard.append(event.seq)
                await asyncio.sleep(PAUSE_SECONDS)


async def _has_ended(client: AsyncClient, run: str) -> bool:
    try:
        return (await client.wait(run, timeout=WAIT_SECONDS)).ended
    except RunNotFinished:
        return False
