"""The calls of the HTTP API as request values, and what their answers mean. No I/O: both clients send these."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from ._http import REQUEST_TIMEOUT, Request, encode_json
from ._sse import EventStreamParser
from .models import JournalEvent

#: Items per page of a listing; the most that the server gives.
PAGE_SIZE = 200
#: A stream that says nothing for so long, not even a comment, counts as broken, in seconds.
STREAM_SILENCE = 60.0
#: Attempts to follow a run again without any new event in between before giving up.
MAX_FOLLOW_ATTEMPTS = 12


def run_path(run_id: str, action: str = "") -> str:
    return f"/v1/runs/{quote(run_id, safe='')}{action}"


def start_run(
    workflow: str,
    input: Any,
    session_id: str | None,
    priority: int | None,
    labels: Mapping[str, str] | None,
    idempotency_key: str | None,
    wait: float | None,
) -> Request:
    body: dict[str, Any] = {"workflow": workflow, "input": {} if input is None else input}
    if session_id is not None:
        body["session_id"] = session_id
    if priority is not None:
        body["priority"] = priority
    if labels:
        body["labels"] = dict(labels)
    # A key of our own makes it safe to send the request again when the connection breaks.
    headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
    query = "" if not wait else f"?wait={int(wait * 1000)}ms"
    return Request("POST", f"/v1/runs{query}", encode_json(body), headers, REQUEST_TIMEOUT + (wait or 0.0))


def list_runs(
    workflow: str | None, status: str | None, session_id: str | None, label: str | None, cursor: str | None
) -> Request:
    query = {
        "workflow": workflow,
        "status": status,
        "session_id": session_id,
        "label": label,
        "cursor": cursor,
    }
    given = {name: value for name, value in query.items() if value is not None}
    return Request("GET", "/v1/runs?" + urlencode({"limit": PAGE_SIZE, **given}))


def read_journal(run_id: str, after: int) -> Request:
    return Request("GET", run_path(run_id, f"/journal?after={after}&limit={PAGE_SIZE}"))


def follow_journal(run_id: str, after: int) -> Request:
    headers = {"Accept": "text/event-stream", "Last-Event-ID": str(after)}
    return Request("GET", run_path(run_id, "/journal"), None, headers, STREAM_SILENCE)


def put_project(source: str) -> Request:
    return Request("PUT", "/v1/project", source.encode("utf-8"), {"Content-Type": "text/yaml"})


def page_items(page: Any) -> list[Any]:
    """The items of a listing, whether it is `{items, next_cursor}` or a bare list."""
    return list(page) if isinstance(page, list) else list(page.get("items") or [])


def is_last_page(page: Any, items: list[Any]) -> bool:
    """Whether nothing follows: no items, or the server says that there is no next page."""
    return not items or (isinstance(page, dict) and page.get("next_cursor", "") is None)


@dataclass(slots=True)
class Following:
    """Where a reader of one run's journal stands: what was seen, and when to try again or stop.

    The stream of a run ends when the run has ended, but also when the server goes away, and a proxy can make the
    second look like the first. So an end is believed only if the run's status says so, and what the stream did not
    bring is read from the journal.
    """

    last_seq: int
    failures: int = 0
    _parser: EventStreamParser = field(default_factory=EventStreamParser)

    def connected(self) -> None:
        self._parser = EventStreamParser()

    def feed(self, piece: bytes) -> list[JournalEvent]:
        """The events that `piece` completes, each once and in order."""
        return self.take([_event_of(sent.data) for sent in self._parser.feed(piece)])

    def take(self, events: Sequence[JournalEvent | None]) -> list[JournalEvent]:
        fresh: list[JournalEvent] = []
        for event in events:
            if event is not None and event.seq > self.last_seq:
                self.last_seq = event.seq
                self.failures = 0
                fresh.append(event)
        return fresh

    def pause(self) -> float:
        """Counts a failure; seconds to wait before the next attempt. Doubles from 0.1 up to 5."""
        self.failures += 1
        return float(min(5.0, 0.1 * 2 ** min(self.failures - 1, 10)))

    @property
    def exhausted(self) -> bool:
        return self.failures >= MAX_FOLLOW_ATTEMPTS


def _event_of(data: str) -> JournalEvent | None:
    value = json.loads(data)
    return JournalEvent.from_json(value) if isinstance(value, dict) and "seq" in value else None
