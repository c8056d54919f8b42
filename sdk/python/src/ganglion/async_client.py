"""`AsyncClient`: the same calls as `Client`, awaited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self, TypeVar

from ._api.forms import Asynchronous, Listing, Script
from ._api.streams import Stream
from ._api.table import Calls
from ._asyncio_http import AsyncTransport
from ._http import Endpoint, Response
from .errors import ProblemError, ServerUnavailable

T = TypeVar("T")


class AsyncClient(Calls, Asynchronous):
    """`Client` for asyncio: same arguments, results and errors. Belongs to one event loop; tasks may share it.

    Methods that give one result are awaited; those that give many are for `async for`.
    """

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

    async def _run(self, script: Script[T]) -> T:
        try:
            request = next(script)
            while True:
                if request.delay:
                    await asyncio.sleep(request.delay)
                try:
                    response = await self._transport.request(request)
                except ServerUnavailable as error:
                    request = script.throw(error)
                else:
                    request = script.send(response)
        except StopIteration as end:
            result: T = end.value
            return result

    async def _items(self, listing: Listing[T]) -> AsyncIterator[T]:
        while not listing.done:
            for item in listing.take(await self._transport.request(listing.request())):
                yield item

    async def _events(self, stream: Stream[T]) -> AsyncIterator[T]:
        while True:
            try:
                await self._run(stream.begin())
                async with self._transport.stream(stream.request()) as (status, headers, pieces):
                    if status != 200:
                        body = b"".join([piece async for piece in pieces])
                        stream.refused(Response(status, headers, body))
                    stream.opened()
                    async for piece in pieces:
                        for event in stream.feed(piece):
                            yield event
                rest = await self._run(stream.at_end())
            except (ServerUnavailable, ProblemError) as error:
                if stream.gives_up(error):
                    raise
            else:
                if rest is not None:
                    for event in rest:
                        yield event
                    return
            await asyncio.sleep(stream.pause())
