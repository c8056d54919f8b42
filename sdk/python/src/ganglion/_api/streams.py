"""Event streams (SSE) that are resumed where they broke, without I/O."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable
from typing import Any, Generic, NoReturn, Protocol, TypeVar

from .._http import Request, Response
from .._sse import EventStreamParser
from ..errors import GanglionError, ProblemError, ServerUnavailable

#: A stream that says nothing for so long, not even a comment, counts as broken, in seconds.
STREAM_SILENCE = 60.0
#: Attempts to go on without any new event in between before giving up.
MAX_ATTEMPTS = 12


class Sequenced(Protocol):
    """An event with a position in its stream."""

    @property
    def seq(self) -> int: ...


T = TypeVar("T")
S = TypeVar("S", bound=Sequenced)


class Stream(Generic[T]):
    """Where a reader of a stream stands: what was seen, and when to try again or stop.

    A client runs `begin()`, opens `request()`, gives the pieces of the body to `feed()`, and when the body has ended
    runs `at_end()`: a list of events means that these are the last ones, None that the stream goes on. After a failure
    or a None it pauses and begins again, until `gives_up()`.
    """

    def __init__(self) -> None:
        self.failures = 0
        self._parser = EventStreamParser()

    def request(self) -> Request:
        raise NotImplementedError

    def read(self, value: Any) -> T | None:
        """The event that `value` is, or None for one that was seen before or is no event."""
        raise NotImplementedError

    def begin(self) -> Generator[Request, Response, None]:
        """A script that runs before each `request()`."""
        return
        yield

    def at_end(self) -> Generator[Request, Response, list[T] | None]:
        return None
        yield

    def refused(self, response: Response) -> NoReturn:
        """The answer was not 200: raises what it means."""
        response.json()
        raise ServerUnavailable(f"the event stream answered {response.status}")

    def opened(self) -> None:
        self._parser = EventStreamParser()

    def feed(self, piece: bytes) -> list[T]:
        """The events that `piece` completes, each once and in order."""
        return self.take(json.loads(sent.data) for sent in self._parser.feed(piece))

    def take(self, values: Iterable[Any]) -> list[T]:
        fresh = [event for event in map(self.read, values) if event is not None]
        if fresh:
            self.failures = 0
        return fresh

    def pause(self) -> float:
        """Counts an attempt; seconds to wait before the next one. Doubles from 0.1 up to 5."""
        self.failures += 1
        return float(min(5.0, 0.1 * 2 ** min(self.failures - 1, 10)))

    def gives_up(self, error: GanglionError) -> bool:
        """Whether `error` ends the stream."""
        if isinstance(error, ProblemError) and not error.temporary:
            return True
        return self.failures + 1 >= MAX_ATTEMPTS


class SequencedStream(Stream[S]):
    """A stream whose events count upwards, resumed by the number of the last one."""

    def __init__(self, path: str, after: int, read: Callable[[Any], S]) -> None:
        super().__init__()
        self._path = path
        self._read = read
        self.last_seq = after

    def request(self) -> Request:
        headers = {"Accept": "text/event-stream", "Last-Event-ID": str(self.last_seq)}
        return Request("GET", self._path, None, headers, STREAM_SILENCE)

    def read(self, value: Any) -> S | None:
        if not isinstance(value, dict) or "seq" not in value:
            return None
        event = self._read(value)
        if event.seq <= self.last_seq:
            return None
        self.last_seq = event.seq
        return event
