"""One attempt in work: the agent's call, its heartbeats, and who may end it.

Heartbeats start only for tasks that run longer than an interval (a third of the time to the deadline, between 0.5 and
5 s, or of the agent's idle timeout if that is shorter), and at once when the agent reports progress. They come from the
event loop, whatever an agent in a thread does. The answer tells whether anybody still waits for the result.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from . import _large_output
from ._agent import Agent, Outcome, failure
from ._asyncio_http import AsyncTransport
from ._http import Request, encode_json
from ._idle import IdleTimeouts
from ._threads import ThreadPool
from .errors import ProblemError, ServerUnavailable
from .task import Task, parse_time

log = logging.getLogger("ganglion")

MIN_HEARTBEAT_SECONDS = 0.5
MAX_HEARTBEAT_SECONDS = 5.0
#: Progress is sent at most so often.
PROGRESS_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the executions of a lane share."""

    worker: str
    threads: ThreadPool
    transport: AsyncTransport
    idle: IdleTimeouts
    blob_outputs: bool


class Execution:
    """Runs `agent` on a task. `done` is called once, with the outcome, or None if nobody wants it any more."""

    def __init__(
        self,
        value: dict[str, Any],
        agent: Agent,
        surroundings: Surroundings,
        done: Callable[[Execution, Outcome | None], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self.task = Task(value, self._progress_from_any_thread)
        self._surroundings = surroundings
        self._done = done
        self.unwanted = False
        self._began = self._loop.time()
        self._last_beat = float("-inf")
        self._beating: asyncio.Task[None] | None = None
        self._longest_interval = self._interval_of_deadline()
        self._timer = self._loop.call_later(self._interval, self._beat)
        self._work: asyncio.Future[Outcome]
        if agent.is_async:
            self._interruptible = True
            self._work = self._loop.create_task(agent.run_async(self.task))
        else:
            self._interruptible = False
            self._work = surroundings.threads.submit(functools.partial(agent.run, self.task))
        if surroundings.blob_outputs:
            self._work = self._loop.create_task(self._with_large_output(self._work))
        self._work.add_done_callback(self._finished)

    def cancel(self) -> None:
        """Nobody waits for the result. An async agent is cancelled; a sync one is told and keeps its thread."""
        self.unwanted = True
        self.task._cancelled.set()
        if self._interruptible:
            self._work.cancel()

    def abandon(self) -> None:
        """The worker stops now: hand the task back, whatever the agent is doing."""
        self.task._cancelled.set()
        self._work.cancel()

    def _finished(self, work: asyncio.Future[Outcome]) -> None:
        self._timer.cancel()
        if self._beating is not None:
            self._beating.cancel()
        if self.unwanted:
            self._done(self, None)
        elif work.cancelled():
            message = "the worker stopped before the task was done"
            self._done(self, failure("worker_stopping", message, retryable=True))
        else:
            self._done(self, work.result())

    async def _with_large_output(self, work: asyncio.Future[Outcome]) -> Outcome:
        outcome = await work
        if self.unwanted or not _large_output.is_large(outcome):
            return outcome
        return await _large_output.stored(outcome, self._surroundings.transport)

    @property
    def _interval(self) -> float:
        return min(self._longest_interval, self._surroundings.idle.interval(self.task.agent))

    def _interval_of_deadline(self) -> float:
        if self.task.deadline is None:
            return MAX_HEARTBEAT_SECONDS
        left = (self.task.deadline - datetime.now(UTC)).total_seconds()
        return min(MAX_HEARTBEAT_SECONDS, max(MIN_HEARTBEAT_SECONDS, left / 3))

    def keep_time(self) -> None:
        """The interval between heartbeats has changed."""
        if not self._work.done():
            self._timer.cancel()
            due = max(self._last_beat, self._began) + self._interval
            self._timer = self._loop.call_at(min(due, self._timer.when()), self._beat)

    def _progress_from_any_thread(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._progress_made)
        except RuntimeError:  # the loop is closed: nobody to tell
            return

    def _progress_made(self) -> None:
        if self._work.done():
            return
        self._timer.cancel()
        wait = max(0.0, self._last_beat + PROGRESS_SECONDS - self._loop.time())
        self._timer = self._loop.call_later(wait, self._beat)

    def _beat(self) -> None:
        if self._beating is None or self._beating.done():
            self._last_beat = self._loop.time()
            self._beating = self._loop.create_task(self._heartbeat())
        self._timer = self._loop.call_later(self._interval, self._beat)

    async def _heartbeat(self) -> None:
        body: dict[str, Any] = {"token": self.task.token, "worker": self._surroundings.worker}
        if self.task._progress is not None:
            body["progress"] = self.task._progress
        if self.task._details is not None:
            body["details"] = self.task._details
        try:
            request = Request("POST", "/v1/tasks/heartbeat", encode_json(body), timeout=10.0)
            answer = (await self._surroundings.transport.request(request)).json()
        except (TypeError, ValueError) as error:
            log.warning("progress_not_json", extra={"agent": self.task.agent, "reason": str(error)})
            self.task._details = None
        except ServerUnavailable:
            return  # the next heartbeat tries again
        except ProblemError as error:
            if error.status in (404, 409):
                self.cancel()
        else:
            if answer.get("cancelled"):
                log.info("task_cancelled", extra={"agent": self.task.agent, "run": self.task.run_id})
                self.cancel()
            elif answer.get("deadline"):
                self.task.deadline = parse_time(answer["deadline"])
