"""`AsyncClient`: the same calls as `Client`, awaited."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Any, Self

from . import _calls
from ._asyncio_http import AsyncTransport
from ._http import Endpoint, Request
from .errors import ProblemError, RunNotFinished, ServerUnavailable
from .models import JournalEvent, Run


class AsyncClient:
    """`Client` for asyncio: same arguments, results and errors. Belongs to one event loop; tasks may share it."""

    def __init__(self, server: str | None = None, *, token: str | None = None) -> None:
        self._transport = AsyncTransport(Endpoint.resolve(server, token))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the idle connections."""
        self._transport.close()

    async def _call(self, request: Request) -> Any:
        return (await self._transport.request(request)).json()

    async def start(
        self,
        workflow: str,
        input: Any = None,
        *,
        session_id: str | None = None,
        priority: int | None = None,
        labels: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
        wait: float | None = None,
    ) -> Run:
        """Starts a run; when this returns, the run is durable.

        `input`: anything JSON, at most 1 MiB encoded; None means `{}`. `idempotency_key`: the same key with the same
        arguments gives the same run, with others `ProblemError` 409 `idempotency_mismatch`; without one each call is
        a run of its own. `wait`: seconds to wait for the end; the run as it then stands is returned, ended or not.
        """
        return Run.from_json(
            await self._call(_calls.start_run(workflow, input, session_id, priority, labels, idempotency_key, wait))
        )

    async def get(self, run_id: str) -> Run:
        """The run with its steps. `ProblemError` 404 if there is none."""
        return Run.from_json(await self._call(Request("GET", _calls.run_path(run_id))))

    async def list(
        self,
        *,
        workflow: str | None = None,
        status: str | None = None,
        session_id: str | None = None,
        label: str | None = None,
    ) -> AsyncIterator[Run]:
        """Runs that match everything given, newest first, fetched page by page while you iterate."""
        cursor: str | None = None
        while True:
            page = await self._call(_calls.list_runs(workflow, status, session_id, label, cursor))
            for item in _calls.page_items(page):
                yield Run.from_json(item)
            cursor = page.get("next_cursor") if isinstance(page, dict) else None
            if not cursor:
                return

    async def journal(self, run_id: str, *, after: int = 0) -> AsyncIterator[JournalEvent]:
        """The events so far with `seq` > `after`, in order. Does not wait for more; `follow` does."""
        while True:
            page = await self._call(_calls.read_journal(run_id, after))
            items = _calls.page_items(page)
            for item in items:
                event = JournalEvent.from_json(item)
                after = max(after, event.seq)
                yield event
            if _calls.is_last_page(page, items):
                return

    async def follow(self, run_id: str, *, after: int = 0) -> AsyncIterator[JournalEvent]:
        """Events with `seq` > `after`, in order, each once, as they happen; ends when the run has ended.

        A broken stream is resumed where it stopped. `ServerUnavailable` after 12 attempts in a row (about 40 s)
        without anything new.
        """
        following = _calls.Following(after)
        while True:
            try:
                request = _calls.follow_journal(run_id, following.last_seq)
                async with self._transport.stream(request) as (status, _, pieces):
                    if status != 200:
                        await self._call(Request("GET", _calls.run_path(run_id)))  # raises, if the run is the problem
                        raise ServerUnavailable(f"the event stream answered {status}")
                    following.connected()
                    async for piece in pieces:
                        for event in following.feed(piece):
                            yield event
                if (await self.get(run_id)).ended:
                    rest = [event async for event in self.journal(run_id, after=following.last_seq)]
                    for event in following.take(rest):
                        yield event
                    return
                pause = following.pause()
            except (ServerUnavailable, ProblemError) as error:
                if isinstance(error, ProblemError) and not error.temporary:
                    raise
                pause = following.pause()
                if following.exhausted:
                    raise
            await asyncio.sleep(pause)

    async def wait(self, run_id: str, *, timeout: float | None = None) -> Run:
        """The run, once it has ended. `RunNotFinished` after `timeout` seconds (None: however long it takes)."""
        deadline = None if timeout is None else time.monotonic() + timeout
        run = await self.get(run_id)
        pause = 0.02
        while not run.ended:
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                raise RunNotFinished(f"run {run_id} is {run.status} after {timeout:g} s")
            await asyncio.sleep(pause if left is None else min(pause, left))
            pause = min(pause * 1.5, 1.0)
            run = await self.get(run_id)
        return run

    async def cancel(self, run_id: str) -> Run:
        """Cancels the run; idempotent. Once this returns nothing new is handed out and running tasks are told."""
        return await self._act(run_id, "/cancel")

    async def pause(self, run_id: str) -> Run:
        """Hands out nothing new until `resume`; idempotent."""
        return await self._act(run_id, "/pause")

    async def resume(self, run_id: str) -> Run:
        """Goes on with a paused run; idempotent."""
        return await self._act(run_id, "/resume")

    async def retry(self, run_id: str) -> Run:
        """Opens a failed run again and goes on from what failed."""
        return await self._act(run_id, "/retry")

    async def _act(self, run_id: str, action: str) -> Run:
        answer = await self._call(Request("POST", _calls.run_path(run_id, action)))
        return Run.from_json(answer) if isinstance(answer, dict) and "id" in answer else await self.get(run_id)

    async def project(self) -> str:
        """The active project file, as YAML text."""
        answer = await self._transport.request(Request("GET", "/v1/project", headers={"Accept": "text/yaml"}))
        if answer.status != 200:
            answer.json()
        return answer.body.decode("utf-8")

    async def put_project(self, source: str) -> Any:
        """Makes `source` (YAML) the active project for new runs. `ProblemError` 422 with every error in it."""
        return await self._call(_calls.put_project(source))
