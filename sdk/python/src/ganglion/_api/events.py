"""Events: publish, read, follow. CloudEvents 1.0."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from .._http import Request, encode_json
from ..models import Event, Published
from .forms import Listing, Script, query
from .streams import SequencedStream

#: The source of events for which the caller names none.
DEFAULT_SOURCE = "ganglion-python"


def publish(
    type: str,
    data: Any = None,
    *,
    source: str = DEFAULT_SOURCE,
    id: str | None = None,
    subject: str | None = None,
    time: str | None = None,
    version: int | None = None,
) -> Script[Published]:
    """Publishes an event; when this returns, it is durable.

    `type`: the topic. `source` and `id` together name the event: sent twice, it counts once (`duplicate`); without an
    `id` each call is an event of its own. `version`: of the topic's schema, by default the latest; an unknown one makes
    it a dead letter. `time`: RFC 3339. `ProblemError` 422 if `data` breaks the schema.
    """
    event: dict[str, Any] = {"type": type, "source": source, "data": data}
    optional = {"id": id, "subject": subject, "time": time, "topicversion": version}
    event.update((name, value) for name, value in optional.items() if value is not None)
    headers = {"Content-Type": "application/cloudevents+json"}
    answer = (yield Request("POST", "/v1/events", encode_json(_complete(event)), headers)).json()
    return Published.from_json(answer["items"][0])


def publish_batch(events: Iterable[Mapping[str, Any]]) -> Script[list[Published]]:
    """Publishes CloudEvents, given as objects, in one request. Missing `specversion`, `source`, `id` are added."""
    headers = {"Content-Type": "application/cloudevents-batch+json"}
    body = encode_json([_complete(event) for event in events])
    answer = (yield Request("POST", "/v1/events", body, headers)).json()
    return [Published.from_json(item) for item in answer["items"]]


def _complete(event: Mapping[str, Any]) -> dict[str, Any]:
    return {"specversion": "1.0", "source": DEFAULT_SOURCE, "id": str(uuid.uuid4()), **event}


def events(*, topic: str | None = None) -> Listing[Event]:
    """Recent events, newest first. `topic`: a name or a pattern, as `order.*`."""
    return Listing("/v1/events", {"topic": topic}, Event.from_json)


class _Tail(SequencedStream[Event]):
    def __init__(self, topic: str | None, after: int | None) -> None:
        super().__init__("/v1/events" + query(topic=topic), after or 0, Event.from_json)
        self._from_now_on = after is None

    def begin(self) -> Script[None]:
        # "From now on" is a number, so that a connection that breaks before the first event loses none either.
        if self._from_now_on:
            items = (yield Request("GET", "/v1/events?limit=1")).json()["items"]
            self.last_seq = items[0]["seq"] if items else 0
            self._from_now_on = False


def tail(*, topic: str | None = None, after: int | None = None) -> _Tail:
    """Events as they are published, in order, each once; never ends by itself.

    From now on, or those with `seq` > `after`. A broken stream is resumed where it stopped. `ServerUnavailable` after
    12 attempts in a row (about 40 s) without anything new.
    """
    return _Tail(topic, after)
