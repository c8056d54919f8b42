"""Load that survives kills: clients that repeat themselves until they are answered, and observers with a memory.

Every client starts runs under idempotency keys, one after the other, and waits for their ends. A request without an
answer is repeated with the same key, as a careful client would, at the next server where there are several. Observers,
one at each server, read journals all the time: what one of them has read must never change.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from ganglion import AsyncClient, ProblemError, ServerUnavailable
from ganglion.models import Run
from journal_check import Prefixes

T = TypeVar("T")

#: One waiting request; shorter than the server's own bound.
WAIT_SECONDS = 20.0
#: Between two looks of an observer, and between two tries of a client.
PAUSE_SECONDS = 0.02
#: How long an answer may be under way from a server that has lost what it tells of.
DOUBT_SECONDS = 1.0
NOT_FOUND = 404

MakeInput = Callable[[int], dict[str, Any]]


class Deadline:
    """When the whole test gives up."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def check(self, doing: str) -> None:
        assert time.monotonic() < self._end, f"out of time while {doing}"


class Load:
    """`parallel` clients of the servers at `urls` that keep as many runs of `workflow` in flight until `finish`."""

    def __init__(
        self,
        urls: Sequence[str],
        workflow: str,
        parallel: int,
        make_input: MakeInput,
        seed: int,
        deadline: Deadline,
    ) -> None:
        self.urls = urls
        self.workflow = workflow
        self.acknowledged: defaultdict[str, set[str]] = defaultdict(set)
        self.inputs: dict[str, dict[str, Any]] = {}
        self.prefixes = Prefixes()
        self.progress = 0
        self.repeated = 0
        #: The longest time between a run's end and its client's hearing of it, in seconds, and the run.
        self.latest_news = (0.0, "")
        #: Runs whose acknowledgement the store may have lost, as it has said itself.
        self.doubted: set[str] = set()
        #: Acknowledged runs of which a server has said that there is none.
        self.missed: set[str] = set()
        self._parallel = parallel
        self._make_input = make_input
        self._random = random.Random(seed)
        self._seed = seed
        self._deadline = deadline
        self._up = set(range(len(urls)))
        self._serving = asyncio.Event()
        self._acknowledged_at: dict[str, float] = {}
        self._doubt_until = 0.0
        self._finishing = False
        self._in_flight: dict[str, None] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._clients = [AsyncClient(url) for url in urls]

    @property
    def in_flight(self) -> int:
        return len(self._in_flight)

    def start(self) -> None:
        self._serving.set()
        clients = [self._be_client(number) for number in range(self._parallel)]
        observers = [self._observe(server) for server in range(len(self.urls))]
        self._tasks = [asyncio.create_task(loop) for loop in (*clients, *observers)]

    def server_is(self, number: int = 0, *, up: bool) -> None:
        """What the test knows; a client that gets no answer waits for it instead of knocking all the time."""
        (self._up.add if up else self._up.discard)(number)
        if self._up:
            self._serving.set()
        else:
            self._serving.clear()

    def may_have_lost(self, since: float) -> None:
        """The store has said that it has lost writes, of this time of the monotonic clock at the earliest."""
        self._doubt_until = time.monotonic() + DOUBT_SECONDS
        self.doubted.update(run for run, at in self._acknowledged_at.items() if at >= since)
        self.prefixes.forget(since)

    async def check(self) -> None:
        """Raises what went wrong in the background."""
        for task in self._tasks:
            if task.done():
                task.result()

    async def finish(self) -> None:
        """No new runs; returns when all have ended."""
        self._finishing = True
        await asyncio.gather(*self._tasks)
        for client in self._clients:
            client.close()

    async def persist(self, call: Callable[[AsyncClient], Awaitable[T]], first: int, doing: str) -> T:
        """The answer, however often servers die before one gives it. `first`: where to begin."""
        for attempt in itertools.count(first):
            self._deadline.check(doing)
            await self._serving.wait()
            try:
                return await call(self._clients[self._server(attempt)])
            except ServerUnavailable:
                self.repeated += 1
            except ProblemError as problem:
                if not problem.temporary:
                    raise
                self.repeated += 1
            await asyncio.sleep(PAUSE_SECONDS)
        raise AssertionError("never here")

    def _server(self, number: int) -> int:
        """One that is there."""
        servers = sorted(self._up)
        return servers[number % len(servers)]

    async def start_run(self, key: str, client_number: int, *, wait: float | None = None) -> Run:
        async def call(client: AsyncClient) -> Run:
            try:
                return await client.start(self.workflow, self.inputs[key], idempotency_key=key, wait=wait)
            except ProblemError as problem:
                if problem.status != NOT_FOUND:
                    raise
                # Gone while its end was waited for; the verdict knows whether it may be.
                self.missed.update(sorted(self.acknowledged[key], key=self._acknowledged_at.__getitem__)[-1:])
                return await client.start(self.workflow, self.inputs[key], idempotency_key=key)

        run = await self.persist(call, client_number, f"starting {key}")
        self._acknowledge(key, run.id)
        return run

    async def end_run(self, key: str, client_number: int = 0) -> Run:
        """What it is when it has ended."""
        while True:
            run = await self.start_run(key, client_number, wait=WAIT_SECONDS)
            if run.ended:
                return run

    def _acknowledge(self, key: str, run: str) -> None:
        self.acknowledged[key].add(run)
        at = self._acknowledged_at.setdefault(run, time.monotonic())
        if at < self._doubt_until:
            self.doubted.add(run)

    async def _be_client(self, number: int) -> None:
        count = 0
        while not self._finishing:
            key = f"{self._seed}-{number}-{count}"
            count += 1
            self.inputs[key] = self._make_input(len(self.inputs))
            run = await self.start_run(key, number)
            self._in_flight[run.id] = None
            first = run.id
            if not run.ended:
                run = await self.end_run(key, number)
            self._in_flight.pop(first, None)
            if run.ended_at is not None:
                late = time.time() - datetime.fromisoformat(run.ended_at).timestamp()
                self.latest_news = max(self.latest_news, (late, run.id))

    async def _observe(self, server: int) -> None:
        # Its own client: it must not wait for a connection behind the others.
        async with AsyncClient(self.urls[server]) as client:
            while not self._finishing:
                if server in self._up and self._in_flight:
                    run = self._random.choice(list(self._in_flight))
                    known = self.prefixes.known(run)
                    began = time.monotonic()
                    try:
                        journal = [event async for event in client.journal(run)]
                    except ServerUnavailable:
                        pass
                    except ProblemError as problem:
                        if problem.status == NOT_FOUND:
                            self.missed.add(run)
                        elif not problem.temporary:
                            raise
                    else:
                        if began >= self._doubt_until:
                            self.progress += self.prefixes.see(run, journal, known)
                await asyncio.sleep(PAUSE_SECONDS)
