"""A lane: the agents that share one bound on concurrency, and their exchange with the server.

Two requests are under way at most. The *poll* waits up to 30 s for tasks, as many as there are free places. The
*exchange* carries all results that have gathered since the last one and brings tasks for the places that those
results free; it waits for nothing. So an idle lane costs one waiting request, and a busy one needs one round trip for
many results and many tasks. The server is never asked for more tasks than there are free places:

    places = running + results without a verdict + tasks asked for + free
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

from ._agent import Agent, Outcome, failure
from ._asyncio_http import AsyncTransport
from ._backoff import Backoff
from ._execution import Execution, Surroundings
from ._http import Request, encode_json
from ._idle import IdleTimeouts
from ._outbox import Outbox, PendingResult
from ._threads import ThreadPool
from .errors import ProblemError, ServerUnavailable

log = logging.getLogger("ganglion")

#: How long a poll waits for the first task, in seconds, and how much longer for the answer itself.
POLL_SECONDS = 30
POLL_SLACK_SECONDS = 15.0
#: The most tasks that one request may ask for.
MAX_TASKS = 256


class Refused(Exception):
    """The server will not talk to this worker (401, 403). Nothing that the lane can do helps."""

    def __init__(self, problem: ProblemError) -> None:
        self.problem = problem
        super().__init__(str(problem))


class Lane:
    """Belongs to one event loop. `run()` works until `stop()` and then until nothing is left to do or `abandon()`."""

    def __init__(
        self, agents: Mapping[str, Agent], places: int, worker: str, transport: AsyncTransport, *, blob_outputs: bool
    ) -> None:
        self._agents = dict(agents)
        self._places = places
        self._transport = transport
        self._threads = ThreadPool(places, f"ganglion-{'-'.join(sorted(agents))}"[:60])
        self._idle = IdleTimeouts(transport, self._keep_time)
        self._surroundings = Surroundings(worker, self._threads, transport, self._idle, blob_outputs)
        self._outbox = Outbox()
        self._running: dict[str, Execution] = {}
        self._again: dict[str, dict[str, Any]] = {}
        self._asked = 0
        self._stop = asyncio.Event()
        self._changed = asyncio.Event()
        self._from = b'"worker":' + encode_json(worker)
        self._asking = b'"agents":' + encode_json(sorted(agents)) + b"," + self._from

    @property
    def free(self) -> int:
        return self._places - len(self._running) - len(self._outbox) - self._asked

    @property
    def busy(self) -> int:
        """Tasks in work and results without a verdict."""
        return len(self._running) + len(self._outbox)

    def stop(self) -> None:
        """Takes no more tasks; what has begun may end."""
        self._stop.set()
        self._changed.set()

    def abandon(self) -> None:
        """Hands back what is still in work."""
        for execution in list(self._running.values()):
            execution.abandon()

    async def run(self) -> None:
        """Raises `Refused`. If cancelled, results without a verdict are lost (their tasks time out)."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._polling())
                group.create_task(self._reporting())
        finally:
            self._idle.close()
            self._threads.close()

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._changed.clear()
            await self._changed.wait()

    def _release(self, asked: int) -> None:
        self._asked -= asked
        self._changed.set()

    async def _pause(self, seconds: float) -> None:
        """Ends early when the lane is told to stop, so that a stopping worker does not sit out a long backoff."""
        if self._stop.is_set():
            await asyncio.sleep(min(seconds, 0.5))
            return
        try:
            async with asyncio.timeout(seconds):
                await self._stop.wait()
        except TimeoutError:
            return

    async def _polling(self) -> None:
        backoff = Backoff()
        while True:
            await self._until(lambda: self._stop.is_set() or self.free > 0)
            if self._stop.is_set():
                return
            asked = min(self.free, MAX_TASKS)
            body = b'{%s,"max":%d,"wait":"%ds"}' % (self._asking, asked, POLL_SECONDS)
            request = Request("POST", "/v1/tasks/poll", body, timeout=POLL_SECONDS + POLL_SLACK_SECONDS)
            self._asked += asked
            try:
                answer = (await self._transport.request(request, self._stop)).json()
                backoff.reset()
            except (ServerUnavailable, ProblemError) as error:
                self._release(asked)
                await self._stay_away(error, backoff)
                continue
            self._release(asked)
            self._take(answer["tasks"])

    async def _reporting(self) -> None:
        backoff = Backoff()
        while True:
            await self._until(lambda: len(self._outbox) > 0 or (self._stop.is_set() and self._drained()))
            batch = self._outbox.batch()
            if not batch:
                return
            # The places of these results are free once the server has taken them.
            asked = 0 if self._stop.is_set() else min(max(self.free, 0) + len(batch), MAX_TASKS)
            self._asked += asked
            try:
                answer = await self._send(batch, asked)
                backoff.reset()
            except ProblemError as error:
                self._release(asked)
                if not self._blame(error, batch):
                    await self._stay_away(error, backoff)
                continue
            except ServerUnavailable as error:
                self._release(asked)
                await self._stay_away(error, backoff)
                continue
            self._release(asked)
            self._settle(batch, answer["verdicts"])
            self._take(answer.get("tasks") or [])

    def _drained(self) -> bool:
        return not self._running and self._asked == 0

    async def _send(self, batch: list[PendingResult], asked: int) -> Any:
        for result in batch:
            result.sent += 1
        results = b'"results":[' + b",".join(result.body for result in batch) + b"]"
        if asked == 0:
            body = b"{%s,%s}" % (results, self._from)
            return (await self._transport.request(Request("POST", "/v1/tasks/complete", body))).json()
        body = b'{%s,%s,"max":%d,"wait":"0s"}' % (results, self._asking, asked)
        return (await self._transport.request(Request("POST", "/v1/tasks/exchange", body))).json()

    def _blame(self, error: ProblemError, batch: list[PendingResult]) -> bool:
        """Whether the server refused the content; then the one result that is to blame is replaced by an error."""
        if error.status not in (400, 413, 422):
            return False
        if len(batch) > 1:
            self._outbox.send_one_by_one()
            return True
        result = batch[0]
        log.error("result_refused", extra={"agent": result.agent, "reason": str(error)})
        if not result.ok:
            self._outbox.settle(batch)  # even the error is refused: the attempt will time out
        else:
            code = "output_too_large" if error.status == 413 else "invalid_output"
            outcome = failure(code, f"the server refused the output: {error}", retryable=False)
            self._outbox.replace(result, encode_json(result.token), outcome)
        self._changed.set()
        return True

    def _settle(self, batch: list[PendingResult], verdicts: list[Any]) -> None:
        self._outbox.settle(batch)
        for result, verdict in zip(batch, verdicts, strict=False):
            if verdict != "accepted":
                # After a broken connection the first copy was probably accepted and this one came late.
                fields = {"agent": result.agent, "verdict": verdict, "sent": result.sent}
                log.log(logging.INFO if result.sent > 1 else logging.WARNING, "result_not_accepted", extra=fields)
        self._changed.set()

    def _take(self, tasks: list[dict[str, Any]]) -> None:
        for value in tasks:
            running = self._running.get(value["token"])
            if running is not None and running.unwanted:
                self._again[running.task.token] = value  # cancelled, but the server has changed its mind
            elif running is None and value["token"] not in self._outbox:
                self._begin(value)
            # else: handed out again, after a restart of the server; one execution is enough
        self._changed.set()

    def _begin(self, value: dict[str, Any]) -> None:
        agent = self._agents.get(value["agent"])
        if agent is None:
            log.error("unknown_agent", extra={"agent": value["agent"]})
            return
        self._idle.look(agent.name)
        execution = Execution(value, agent, self._surroundings, self._done)
        self._running[execution.task.token] = execution
        if self._stop.is_set():
            execution.abandon()  # it came while the poll was being taken back

    def _keep_time(self, agent: str) -> None:
        for execution in self._running.values():
            if execution.task.agent == agent:
                execution.keep_time()

    def _done(self, execution: Execution, outcome: Outcome | None) -> None:
        task = execution.task
        self._running.pop(task.token, None)
        again = self._again.pop(task.token, None)
        if outcome is None and again is not None:
            self._begin(again)
        elif outcome is not None:
            self._outbox.put(task.token, task.agent, encode_json(task.token), outcome)
        self._changed.set()

    async def _stay_away(self, error: ServerUnavailable | ProblemError, backoff: Backoff) -> None:
        if isinstance(error, ProblemError) and error.status in (401, 403):
            raise Refused(error)
        if isinstance(error, ServerUnavailable) and self._stop.is_set() and not self.busy:
            return
        pause = backoff.next(error.retry_after if isinstance(error, ProblemError) else None)
        log.warning("server_unavailable", extra={"reason": str(error), "retry_in_ms": round(pause * 1000)})
        await self._pause(pause)
