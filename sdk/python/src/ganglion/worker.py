"""`Worker`: runs Python functions as agents."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any, TypeVar

from ._agent import Agent
from ._asyncio_http import AsyncTransport
from ._http import Endpoint
from ._lane import Lane, Refused
from ._logging import LogFormat, configure

log = logging.getLogger("ganglion")

F = TypeVar("F", bound=Callable[..., Any])

#: Bounds of a concurrency setting.
MAX_CONCURRENCY = 10_000
#: Agents that may share the worker's concurrency: as many as one request can name.
MAX_SHARED_AGENTS = 64
#: After the grace time: how long the server may take to accept what is handed back, in seconds.
HAND_BACK_SECONDS = 5.0


class Worker:
    """Takes tasks of its agents from a Ganglion server, runs them, and returns what they return.

        worker = Worker()

        @worker.agent("greet")
        def greet(name: str) -> dict:
            return {"text": f"Hello {name}"}

        worker.run()

    `server` and `token`: by default `GANGLION_SERVER` (else `http://127.0.0.1:7420`) and `GANGLION_TOKEN`.
    `concurrency`: tasks at one time, shared by all agents that do not set their own; 1 … 10,000.
    `grace`: seconds that tasks in work have to end when the worker is told to stop; then they are handed back.
    `blob_outputs`: outputs above 1 MiB are stored as blobs, and the step's output is a reference to that,
    `{"$ref": "sha256:…"}`; otherwise such a task fails with `output_too_large`.
    `name`: what the server calls this worker, made unique with process id and random digits; by default
    `GANGLION_WORKER`, else the host name.

    While the server is away the worker keeps its results, tries again with growing pauses, and takes no new tasks.
    """

    def __init__(
        self,
        server: str | None = None,
        *,
        token: str | None = None,
        concurrency: int = 8,
        grace: float = 10.0,
        name: str | None = None,
        blob_outputs: bool = False,
    ) -> None:
        self._endpoint = Endpoint.resolve(server, token)
        self._concurrency = _checked_concurrency(concurrency)
        self._grace = grace
        self._blob_outputs = blob_outputs
        prefix = name or os.environ.get("GANGLION_WORKER") or socket.gethostname()
        self.id = f"{prefix[:200]}-{os.getpid()}-{secrets.token_hex(4)}"
        self._shared: dict[str, Agent] = {}
        self._own: dict[str, tuple[Agent, int]] = {}
        self._stop: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._hurry = asyncio.Event()

    def agent(self, name: str, *, concurrency: int | None = None) -> Callable[[F], F]:
        """Makes the decorated function the agent `name`; the function itself stays as it is.

        Parameters: one annotated `Task` (or named `task`) gets the task; each other one gets the input's field of its
        name; `**kwargs` gets the remaining fields. The return value, anything JSON, is the output.

        An `async def` runs in the worker's event loop, any other function in a thread. `concurrency`: a bound of this
        agent alone, apart from the worker's shared one.

        How an attempt ends: return → done; `Fail(code, message)` → failed for good; `Retry(message)` or any other
        exception (code `exception`) → failed, may be tried again.

        `ValueError` for a name used twice, and for more than 64 agents without a `concurrency` of their own.
        """

        def register(function: F) -> F:
            if name in self._shared or name in self._own:
                raise ValueError(f"agent {name!r} is defined twice")
            if concurrency is None and len(self._shared) == MAX_SHARED_AGENTS:
                raise ValueError(f"more than {MAX_SHARED_AGENTS} agents share one concurrency; give some their own")
            agent = Agent(name, function)
            if concurrency is None:
                self._shared[name] = agent
            else:
                self._own[name] = (agent, _checked_concurrency(concurrency))
            return function

        return register

    def run(self, *, log_format: LogFormat | None = None) -> None:
        """Works until SIGTERM or SIGINT, then stops gracefully; a second signal hands everything back at once.

        Logs to stderr (`log_format`, or `GANGLION_LOG`: `plain` or `json`) unless the program has configured logging.
        Ends the process with status 1 if the server refuses this worker (401, 403).
        """
        configure(log_format)
        try:
            asyncio.run(self._run_with_signals())
        except Refused as refused:
            log.error("worker_refused", extra={"reason": str(refused)})
            sys.exit(1)

    def stop(self) -> None:
        """Begins the graceful stop; from any thread. Does nothing if the worker does not run."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._request_stop)

    async def run_async(self) -> None:
        """`run` inside a running event loop, without signal handlers and logging set-up.

        Ends after `stop()`, or gracefully when its asyncio task is cancelled. Raises `Refused`'s `ProblemError` if the
        server refuses this worker.
        """
        try:
            await self._work()
        except Refused as refused:
            raise refused.problem from refused

    async def _run_with_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._request_stop)
        await self._work()

    def _request_stop(self) -> None:
        if self._stop is None:
            return
        if self._stop.is_set():
            self._hurry.set()
        self._stop.set()

    async def _work(self) -> None:
        if not self._shared and not self._own:
            raise ValueError("the worker has no agents")
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self._hurry = asyncio.Event()
        transport = AsyncTransport(self._endpoint)

        def lane(agents: dict[str, Agent], places: int) -> Lane:
            return Lane(agents, places, self.id, transport, blob_outputs=self._blob_outputs)

        lanes = [lane({agent.name: agent}, places) for agent, places in self._own.values()]
        if self._shared:
            lanes.append(lane(self._shared, self._concurrency))
        names = sorted([*self._shared, *self._own])
        log.info("worker_started", extra={"worker": self.id, "agents": ",".join(names)})
        try:
            await self._supervise(lanes, self._stop)
        finally:
            self._stop = None
            self._loop = None
            transport.close()
        log.info("worker_stopped", extra={"worker": self.id})

    async def _supervise(self, lanes: list[Lane], stop: asyncio.Event) -> None:
        working = [asyncio.create_task(lane.run()) for lane in lanes]
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait([*working, stopping], return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            await self._drain(lanes, working)
            raise
        finally:
            stopping.cancel()
        await self._drain(lanes, working)

    async def _drain(self, lanes: list[Lane], working: list[asyncio.Task[None]]) -> None:
        log.info("worker_stopping", extra={"worker": self.id, "tasks": sum(lane.busy for lane in lanes)})
        for lane in lanes:
            lane.stop()
        ended = asyncio.gather(*working, return_exceptions=True)
        hurry = asyncio.create_task(self._hurry.wait())
        either: set[asyncio.Future[Any]] = {ended, hurry}
        await asyncio.wait(either, timeout=self._grace, return_when=asyncio.FIRST_COMPLETED)
        hurry.cancel()
        for lane in lanes:
            lane.abandon()
        await asyncio.wait({ended}, timeout=HAND_BACK_SECONDS)
        lost = sum(lane.busy for lane in lanes)
        if lost:
            log.error("results_lost", extra={"worker": self.id, "count": lost})
        for task in working:
            task.cancel()
        for outcome in await ended:
            if isinstance(outcome, BaseExceptionGroup):
                refused = outcome.subgroup(Refused)
                raise refused.exceptions[0] if refused else outcome
            if isinstance(outcome, Exception):
                raise outcome


def _checked_concurrency(value: int) -> int:
    if not 1 <= value <= MAX_CONCURRENCY:
        raise ValueError(f"concurrency must be 1 … {MAX_CONCURRENCY}, not {value}")
    return value
