"""A bounded pool of daemon threads for sync agents.

Why not `ThreadPoolExecutor`: the interpreter joins its threads at exit, so one agent that hangs would keep a stopped
worker alive for ever.
"""

from __future__ import annotations

import asyncio
import contextvars
import queue
import threading
from collections.abc import Callable

from ._agent import Outcome

_Job = tuple[asyncio.AbstractEventLoop, "asyncio.Future[Outcome]", Callable[[], Outcome]]


class ThreadPool:
    """Starts threads when they are first needed, at most `size`; more jobs than that wait."""

    def __init__(self, size: int, name: str) -> None:
        self._size = size
        self._name = name
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._threads = 0
        self._busy = 0

    def submit(self, job: Callable[[], Outcome]) -> asyncio.Future[Outcome]:
        """Runs `job`, which must not raise, in a thread, in a copy of the caller's context. Call it from the loop."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Outcome] = loop.create_future()
        context = contextvars.copy_context()
        self._busy += 1
        if self._busy > self._threads and self._threads < self._size:
            self._threads += 1
            threading.Thread(target=self._work, name=f"{self._name}-{self._threads}", daemon=True).start()
        self._jobs.put((loop, future, lambda: context.run(job)))
        return future

    def close(self) -> None:
        """Lets idle threads end."""
        for _ in range(self._threads):
            self._jobs.put(None)

    def _work(self) -> None:
        while (entry := self._jobs.get()) is not None:
            loop, future, job = entry
            outcome = job()
            try:
                loop.call_soon_threadsafe(self._done, future, outcome)
            except RuntimeError:  # the loop is closed: the worker has stopped without this thread
                return

    def _done(self, future: asyncio.Future[Outcome], outcome: Outcome) -> None:
        self._busy -= 1
        if not future.done():
            future.set_result(outcome)
