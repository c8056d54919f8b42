"""Load that survives kills: clients that repeat themselves until they are answered, and an observer with a memory.

Every client starts runs under idempotency keys, one after the other, and waits for their ends. A request without an
answer is repeated with the same key, as a careful client would. The observer reads journals all the time: what it has
read once must never change.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from ganglion import AsyncClient, ProblemError, ServerUnavailable
from ganglion.models import Run
from journal_check import Prefixes

T = TypeVar("T")

#: One waiting request; shorter than the server's own bound.
WAIT_SECONDS = 20.0
#: Between two looks of the observer, and between two tries of a client.
PAUSE_SECONDS = 0.02

MakeInput = Callable[[int], dict[str, Any]]


class Deadline:
    """When the whole test gives up."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def check(self, doing: str) -> None:
        assert time.monotonic() < self._end, f"out of time while {doing}"


class Load:
    """`parallel` clients that keep as many runs of `workflow` in flight until `finish`."""

    def __init__(
        self, url: str, workflow: str, parallel: int, make_input: MakeInput, seed: int, deadline: Deadline
    ) -> None:
        self.url = url
        self.workflow = workflow
        self.acknowledged: defaultdict[str, set[str]] = defaultdict(set)
        self.inputs: dict[str, dict[str, Any]] = {}
        self.prefixes = Prefixes()
        self.progress = 0
        self.repeated = 0
        self._parallel = parallel
        self._make_input = make_input
        self._random = random.Random(seed)
        self._seed = seed
        self._deadline = deadline
        self._serving = asyncio.Event()
        self._finishing = False
        self._in_flight: dict[str, None] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._client = AsyncClient(url)

    @property
    def in_flight(self) -> int:
        return len(self._in_flight)

    def start(self) -> None:
        self._serving.set()
        loops = [self._be_client(number) for number in range(self._parallel)]
        self._tasks = [asyncio.create_task(loop) for loop in (*loops, self._observe())]

    def server_is(self, *, up: bool) -> None:
        """What the test knows; a client that gets no answer waits for it instead of knocking all the time."""
        if up:
            self._serving.set()
        else:
            self._serving.clear()

    async def check(self) -> None:
        """Raises what went wrong in the background."""
        for task in self._tasks:
            if task.done():
                task.result()

    async def finish(self) -> None:
        """No new runs; returns when all have ended."""
        self._finishing = True
        *clients, observer = self._tasks
        await asyncio.gather(*clients)
        await observer
        self._client.close()

    async def persist(self, call: Callable[[], Awaitable[T]], doing: str) -> T:
        """The answer, however often the server dies before it gives one."""
        while True:
            self._deadline.check(doing)
            await self._serving.wait()
            try:
                return await call()
            except ServerUnavailable:
                self.repeated += 1
            except ProblemError as problem:
                if not problem.temporary:
                    raise
                self.repeated += 1
            await asyncio.sleep(PAUSE_SECONDS)

    async def start_run(self, key: str, *, wait: float | None = None) -> Run:
        async def call() -> Run:
            return await self._client.start(self.workflow, self.inputs[key], idempotency_key=key, wait=wait)

        run = await self.persist(call, f"starting {key}")
        self.acknowledged[key].add(run.id)
        return run

    async def _be_client(self, number: int) -> None:
        count = 0
        while not self._finishing:
            key = f"{self._seed}-{number}-{count}"
            count += 1
            self.inputs[key] = self._make_input(len(self.inputs))
            run = await self.start_run(key)
            self._in_flight[run.id] = None
            while not run.ended:
                run = await self.start_run(key, wait=WAIT_SECONDS)
            self._in_flight.pop(run.id, None)

    async def _observe(self) -> None:
        # Its own client: it must not wait for a connection behind the others.
        async with AsyncClient(self.url) as client:
            while not self._finishing:
                await self._serving.wait()
                if self._in_flight:
                    run = self._random.choice(list(self._in_flight))
                    with contextlib.suppress(ServerUnavailable):
                        journal = [event async for event in client.journal(run)]
                        self.progress += self.prefixes.see(run, journal)
                await asyncio.sleep(PAUSE_SECONDS)
