"""Runs: start, look, follow, steer."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from typing import Any

from .._http import REQUEST_TIMEOUT, Request, Response, encode_json
from ..errors import ProblemError, RunNotFinished, ServerUnavailable
from ..models import JournalEvent, Run, Tax
from .forms import PAGE_SIZE, Listing, Script, query, segment
from .streams import MAX_ATTEMPTS, SequencedStream

#: One long poll for the end of a run lasts so long, in seconds; a longer wait is several of them.
LONG_POLL = 30.0


def path(run_id: str, action: str = "") -> str:
    return f"/v1/runs/{segment(run_id)}{action}"


def _run_of(response: Response) -> Run:
    return Run.from_json(response.json())


def start(
    workflow: str,
    input: Any = None,
    *,
    session_id: str | None = None,
    priority: int | None = None,
    labels: Mapping[str, str] | None = None,
    idempotency_key: str | None = None,
    wait: float | None = None,
) -> Script[Run]:
    """Starts a run; when this returns, the run is durable.

    `input`: anything JSON, at most 1 MiB encoded; None means `{}`. `idempotency_key`: the same key with the same
    arguments gives the same run, with others `ProblemError` 409 `idempotency_mismatch`; without one each call is
    a run of its own. `wait`: seconds to wait for the end; the run as it then stands is returned, ended or not.
    """
    body: dict[str, Any] = {"workflow": workflow, "input": {} if input is None else input}
    if session_id is not None:
        body["session_id"] = session_id
    if priority is not None:
        body["priority"] = priority
    if labels:
        body["labels"] = dict(labels)
    # A key of our own makes it safe to send the request again when the connection breaks.
    headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
    deadline = time.monotonic() + (wait or 0.0)
    poll = min(wait or 0.0, LONG_POLL)
    run = _run_of(
        (yield Request("POST", "/v1/runs" + _wait_query(poll), encode_json(body), headers, REQUEST_TIMEOUT + poll))
    )
    return run if run.ended or not wait else (yield from _wait_until(run.id, deadline))


def get(run_id: str) -> Script[Run]:
    """The run with its steps. `ProblemError` 404 if there is none."""
    return _run_of((yield Request("GET", path(run_id))))


def wait(run_id: str, *, timeout: float | None = None) -> Script[Run]:
    """The run, once it has ended. `RunNotFinished` after `timeout` seconds (None: however long it takes).

    Goes on over a restart of the server; `ServerUnavailable` after 12 attempts in a row (about 40 s) without an answer.
    """
    run = yield from _wait_until(run_id, None if timeout is None else time.monotonic() + timeout)
    if not run.ended:
        raise RunNotFinished(f"run {run_id} is {run.status} after {timeout:g} s")
    return run


def _wait_query(seconds: float) -> str:
    milliseconds = int(seconds * 1000)
    return f"?wait={milliseconds}ms" if milliseconds > 0 else ""


def _wait_until(run_id: str, deadline: float | None) -> Script[Run]:
    """The run when it has ended or the deadline (of the monotonic clock) is over."""
    failures = 0
    delay = 0.0
    while True:
        left = LONG_POLL if deadline is None else max(0.0, deadline - time.monotonic() - delay)
        poll = min(left, LONG_POLL)
        asked = time.monotonic()
        try:
            request = Request("GET", path(run_id, _wait_query(poll)), timeout=REQUEST_TIMEOUT + poll, delay=delay)
            run = _run_of((yield request))
        except (ServerUnavailable, ProblemError) as error:
            failures += 1
            over = failures >= MAX_ATTEMPTS or (deadline is not None and time.monotonic() >= deadline)
            if over or (isinstance(error, ProblemError) and not error.temporary):
                raise
            delay = float(min(5.0, 0.1 * 2 ** (failures - 1)))
            continue
        if run.ended or (deadline is not None and time.monotonic() >= deadline):
            return run
        failures = 0
        # A server that is going down answers early; don't ask it again at once.
        delay = 0.1 if time.monotonic() - asked < poll / 2 else 0.0


def runs(
    *,
    workflow: str | None = None,
    status: str | None = None,
    session_id: str | None = None,
    label: str | None = None,
    parent: str | None = None,
) -> Listing[Run]:
    """Runs that match everything given, newest first, fetched page by page while you iterate.

    `label`: `name=value`. `parent`: the id of a run; gives its sub-runs.
    """
    filters = {"workflow": workflow, "status": status, "session_id": session_id, "label": label, "parent": parent}
    return Listing("/v1/runs", filters, Run.from_json)


class _Journal(Listing[JournalEvent]):
    """The journal's pages go by `seq` instead of a cursor."""

    def __init__(self, run_id: str, after: int) -> None:
        super().__init__(path(run_id, "/journal"), {}, JournalEvent.from_json)
        self._after = after

    def request(self) -> Request:
        return Request("GET", self._path + query(after=self._after, limit=PAGE_SIZE))

    def take(self, response: Response) -> list[JournalEvent]:
        events = super().take(response)
        if events:
            self._after = events[-1].seq
        else:
            self.done = True
        return events


def journal(run_id: str, *, after: int = 0) -> Listing[JournalEvent]:
    """The events so far with `seq` > `after`, in order. Does not wait for more; `follow` does."""
    return _Journal(run_id, after)


class _Following(SequencedStream[JournalEvent]):
    """The stream of a run ends when the run has ended, but also when the server goes away, and a proxy can make the
    second look like the first. So an end is believed only if the run's status says so, and what the stream did not
    bring is read from the journal.
    """

    def __init__(self, run_id: str, after: int) -> None:
        super().__init__(path(run_id, "/journal"), after, JournalEvent.from_json)
        self._run_id = run_id

    def at_end(self) -> Script[list[JournalEvent] | None]:
        if not (yield from get(self._run_id)).ended:
            return None
        rest: list[JournalEvent] = []
        listing = _Journal(self._run_id, self.last_seq)
        while not listing.done:
            rest += listing.take((yield listing.request()))
        return rest


def follow(run_id: str, *, after: int = 0) -> _Following:
    """Events with `seq` > `after`, in order, each once, as they happen; ends when the run has ended.

    A broken stream is resumed where it stopped. `ServerUnavailable` after 12 attempts in a row (about 40 s)
    without anything new.
    """
    return _Following(run_id, after)


def cancel(run_id: str) -> Script[Run]:
    """Cancels the run; idempotent. Once this returns nothing new is handed out and running tasks are told."""
    return _run_of((yield Request("POST", path(run_id, "/cancel"))))


def pause(run_id: str) -> Script[Run]:
    """Hands out nothing new until `resume`; idempotent."""
    return _run_of((yield Request("POST", path(run_id, "/pause"))))


def resume(run_id: str) -> Script[Run]:
    """Goes on with a paused run; idempotent. What paused it by failing (`on_failure: pause`) is tried again."""
    return _run_of((yield Request("POST", path(run_id, "/resume"))))


def retry(run_id: str) -> Script[Run]:
    """Opens a failed run again and goes on from what failed."""
    return _run_of((yield Request("POST", path(run_id, "/retry"))))


def signal(run_id: str, name: str, data: Any = None, *, idempotency_key: str | None = None) -> Script[Run]:
    """Sends the run a signal, which a `wait_for` step takes, now or when it is reached.

    `data`: anything JSON. `idempotency_key`: signals with the same key count once. `ProblemError` 409 if the run has
    ended, 429 `too_many_signals` if 1,000 wait for it already.
    """
    headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
    return _run_of((yield Request("POST", path(run_id, f"/signals/{segment(name)}"), encode_json(data), headers)))


_SAME_INPUT: Any = object()


def fork(run_id: str, from_step: str, input: Any = _SAME_INPUT) -> Script[Run]:
    """A new run that shares the journal up to `from_step`, which it does again; `input` replaces the run's input.

    `ProblemError` 422 for an unknown step, 409 for one that has not begun. Sent once: if the connection breaks
    (`ServerUnavailable`), the new run may exist or not.
    """
    body: dict[str, Any] = {"from_step": from_step}
    if input is not _SAME_INPUT:
        body["input"] = input
    return _run_of((yield Request("POST", path(run_id, "/fork"), encode_json(body), repeatable=False)))


def tax(run_id: str) -> Script[Tax]:
    """Where the run's time went: the agents' work, and what coordinating it took."""
    return Tax.from_json((yield Request("GET", path(run_id, "/tax"))).json())
