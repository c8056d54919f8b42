"""A small HTTP/1.1 client on asyncio streams: keep-alive, long polls that can be taken back, event streams.

Why not a library: a worker on a fresh machine should start without an install, and it needs two things that common
clients do not give: to take back a long poll without losing tasks that are on their way (`stop` of `request`), and
to know that an answer was cut short.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Mapping

from ._http import (
    CONNECT_TIMEOUT,
    MAX_HEAD_BYTES,
    MAX_RESPONSE_BYTES,
    ClosedByServer,
    Endpoint,
    Request,
    Response,
    parse_head,
)
from .errors import ServerUnavailable

#: Idle connections that are kept for the next request.
MAX_IDLE_CONNECTIONS = 8
#: After a long poll was taken back: how long an answer may take that was already on its way, in seconds.
TAKE_BACK_SECONDS = 1.0


class Connection:
    """One connection, one request at a time."""

    def __init__(self, endpoint: Endpoint, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._endpoint = endpoint
        self._reader = reader
        self._writer = writer
        self._headers = endpoint.headers()
        self.reusable = True

    @classmethod
    async def open(cls, endpoint: Endpoint, tls: ssl.SSLContext | None) -> Connection:
        async with asyncio.timeout(CONNECT_TIMEOUT):
            reader, writer = await asyncio.open_connection(endpoint.host, endpoint.port, ssl=tls, limit=MAX_HEAD_BYTES)
        return cls(endpoint, reader, writer)

    def close(self) -> None:
        self._writer.close()

    @property
    def stale(self) -> bool:
        """Whether the server has closed an idle connection."""
        return self._reader.at_eof() or self._writer.is_closing()

    def send(self, request: Request) -> None:
        headers = {**self._headers, **request.headers}
        if request.body is not None:
            headers.setdefault("Content-Type", "application/json")
            headers["Content-Length"] = str(len(request.body))
        elif request.method not in ("GET", "HEAD"):
            headers["Content-Length"] = "0"
        lines = [f"{request.method} {self._endpoint.prefix}{request.path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        self._writer.write(head if request.body is None else head + request.body)

    def end_sending(self) -> None:
        """Tells the server that the client is leaving, while an answer can still be read."""
        if self._writer.can_write_eof() and not self._writer.is_closing():
            self._writer.write_eof()
        else:
            self._writer.close()
        self.reusable = False

    async def head(self) -> tuple[int, dict[str, str]]:
        # Not after `drain`: a server that refuses a long body answers before it has read it, and then hangs up.
        while True:
            status, headers = parse_head(await self._reader.readuntil(b"\r\n\r\n"))
            if status >= 200:
                break
        if headers.get("connection", "").lower() == "close":
            self.reusable = False
        return status, headers

    async def body(self, status: int, headers: Mapping[str, str]) -> AsyncIterator[bytes]:
        """The pieces of the body as they come; ends normally only where the server ended it."""
        if status in (204, 304):
            return
        if headers.get("transfer-encoding", "").lower() == "chunked":
            while size := int((await self._reader.readuntil(b"\r\n")).split(b";")[0], 16):
                yield await self._reader.readexactly(size)
                await self._reader.readexactly(2)
            while await self._reader.readuntil(b"\r\n") != b"\r\n":
                pass
        elif "content-length" in headers:
            left = int(headers["content-length"])
            while left > 0:
                piece = await self._reader.read(min(left, 1 << 20))
                if not piece:
                    raise asyncio.IncompleteReadError(b"", left)
                left -= len(piece)
                yield piece
        else:
            self.reusable = False
            while piece := await self._reader.read(1 << 16):
                yield piece

    async def answer(self) -> Response:
        status, headers = await self.head()
        pieces: list[bytes] = []
        size = 0
        async for piece in self.body(status, headers):
            size += len(piece)
            if size > MAX_RESPONSE_BYTES:
                raise ValueError(f"the answer is longer than {MAX_RESPONSE_BYTES} bytes")
            pieces.append(piece)
        return Response(status, headers, b"".join(pieces))


class AsyncTransport:
    """Sends requests over kept connections. Belongs to one event loop.

    A request on a kept connection that turns out to be closed is sent once more on a new one. So a request may be
    carried out twice; most calls that change something carry a key or token that makes this harmless. One that does
    not is not `repeatable`, and goes out once, on a new connection.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._tls = ssl.create_default_context() if endpoint.tls else None
        self._idle: list[Connection] = []
        self._closed = False

    async def request(self, request: Request, stop: asyncio.Event | None = None) -> Response:
        """The server's answer, whatever its status. `ServerUnavailable` if there is none.

        When `stop` is set while the answer is awaited, the server is told that nobody listens any more. If an answer
        was already under way it is returned, so that tasks in it are not lost; otherwise `ServerUnavailable`.
        """
        while self._idle and request.repeatable:
            connection = self._idle.pop()
            if connection.stale:
                connection.close()
                continue
            try:
                return await self._once(connection, request, stop)
            except ClosedByServer:
                if stop is not None and stop.is_set():
                    raise
                break
        return await self._once(await self._connect(), request, stop)

    async def _connect(self) -> Connection:
        try:
            return await Connection.open(self._endpoint, self._tls)
        except OSError as error:
            raise ServerUnavailable(f"{self._endpoint.authority}: {error or 'no connection in time'}") from error

    async def _once(self, connection: Connection, request: Request, stop: asyncio.Event | None) -> Response:
        complete = False
        try:
            async with asyncio.timeout(request.timeout):
                connection.send(request)
                if stop is None:
                    response = await connection.answer()
                else:
                    response = await self._answer_or_stop(connection, stop)
            complete = True
            return response
        except (ConnectionError, EOFError) as error:
            raise ClosedByServer(f"{self._endpoint.authority}: {error}") from error
        except (OSError, ValueError, asyncio.LimitOverrunError) as error:
            reason = error or f"no answer within {request.timeout:g} s"
            raise ServerUnavailable(f"{self._endpoint.authority}: {reason}") from error
        finally:
            if complete and connection.reusable and not self._closed and len(self._idle) < MAX_IDLE_CONNECTIONS:
                self._idle.append(connection)
            else:
                connection.close()

    @staticmethod
    async def _answer_or_stop(connection: Connection, stop: asyncio.Event) -> Response:
        answer = asyncio.ensure_future(connection.answer())
        stopped = asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait({answer, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                connection.end_sending()
                await asyncio.wait({answer}, timeout=TAKE_BACK_SECONDS)
            if not answer.done():
                raise EOFError("taken back")
            return answer.result()
        finally:
            stopped.cancel()
            if answer.cancel():
                with contextlib.suppress(asyncio.CancelledError):
                    await answer

    @contextlib.asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[tuple[int, dict[str, str], AsyncIterator[bytes]]]:
        """Status, headers and the body in pieces. Each piece may take `request.timeout` seconds at most."""
        connection = await self._connect()
        try:
            async with asyncio.timeout(request.timeout):
                connection.send(request)
                status, headers = await connection.head()
            yield status, headers, self._pieces(connection, status, headers, request.timeout)
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
            raise ServerUnavailable(f"{self._endpoint.authority}: {error or 'the stream went silent'}") from error
        finally:
            connection.close()

    @staticmethod
    async def _pieces(
        connection: Connection, status: int, headers: Mapping[str, str], silence: float
    ) -> AsyncIterator[bytes]:
        body = connection.body(status, headers)
        while True:
            try:
                async with asyncio.timeout(silence):
                    piece = await anext(body)
            except StopAsyncIteration:
                return
            yield piece

    def close(self) -> None:
        self._closed = True
        while self._idle:
            self._idle.pop().close()
