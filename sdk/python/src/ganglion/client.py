"""`Client`: start runs, look at them, follow them, steer them. Blocking; `AsyncClient` is its asyncio twin."""

from __future__ import annotations

import time
from collections.abc import Iterator
from types import TracebackType
from typing import Self, TypeVar

from ._api.forms import Blocking, Listing, Script
from ._api.streams import Stream
from ._api.table import Calls
from ._blocking_http import BlockingTransport
from ._http import Endpoint, Response
from .errors import ProblemError, ServerUnavailable

T = TypeVar("T")


class Client(Calls, Blocking):
    """A connection to a Ganglion server. Threads may share one; close it or use it in a `with` block.

    `server`: URL, by default `GANGLION_SERVER` or `http://127.0.0.1:7420`. `token`: by default `GANGLION_TOKEN`.

    Every method raises `ProblemError` if the server refuses (with `code`, `status`, `errors`) and `ServerUnavailable`
    if there is no answer. A request whose connection broke is sent once more where that is harmless; where it is not,
    the method says so.
    """

    def __init__(self, server: str | None = None, *, token: str | None = None) -> None:
        self._transport = BlockingTransport(Endpoint.resolve(server, token))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the idle connections."""
        self._transport.close()

    def _run(self, script: Script[T]) -> T:
        try:
            request = next(script)
            while True:
                if request.delay:
                    time.sleep(request.delay)
                try:
                    response = self._transport.request(request)
                except ServerUnavailable as error:
                    request = script.throw(error)
                else:
                    request = script.send(response)
        except StopIteration as end:
            result: T = end.value
            return result

    def _items(self, listing: Listing[T]) -> Iterator[T]:
        while not listing.done:
            yield from listing.take(self._transport.request(listing.request()))

    def _events(self, stream: Stream[T]) -> Iterator[T]:
        while True:
            try:
                self._run(stream.begin())
                with self._transport.stream(stream.request()) as (status, headers, pieces):
                    if status != 200:
                        stream.refused(Response(status, headers, b"".join(pieces)))
                    stream.opened()
                    for piece in pieces:
                        yield from stream.feed(piece)
                rest = self._run(stream.at_end())
            except (ServerUnavailable, ProblemError) as error:
                if stream.gives_up(error):
                    raise
            else:
                if rest is not None:
                    yield from rest
                    return
            time.sleep(stream.pause())
