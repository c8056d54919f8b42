"""A TCP proxy between an SDK and the server that sees each request and decides on the fate of its answer.

It knows as much of HTTP/1.1 as that needs: where a request begins and ends. Without pipelining, which no SDK does, all
bytes from the server between two requests of a connection are the answer to the first one.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Seen:
    """A request that went through."""

    method: str
    path: str
    body: bytes


@dataclass(frozen=True)
class Fate:
    """Of an answer: how many bytes of it get through before both connections are closed; None: all."""

    bytes_passed: int | None = None


PASS = Fate()
#: The server has answered, and nobody hears of it.
SWALLOW = Fate(0)


class _Link:
    """A connection of the client and its twin to the server."""

    def __init__(self) -> None:
        self.left: int | None = None


class Proxy:
    """Used as a context manager. `decide` is called, in the proxy's thread, for each request."""

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self.decide: Callable[[Seen], Fate] = lambda seen: PASS
        self._seen: list[Seen] = []
        self._lock = threading.Lock()
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def seen(self, path: str = "") -> list[Seen]:
        """Requests so far whose path begins like this."""
        with self._lock:
            return [one for one in self._seen if one.path.startswith(path)]

    def __enter__(self) -> Proxy:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        self._links: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for link in list(self._links):
            link.cancel()
        await asyncio.gather(*self._links, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._links.add(task)
        try:
            try:
                from_server, to_server = await asyncio.open_connection("127.0.0.1", self._server_port)
            except OSError:
                return
            link = _Link()
            up = asyncio.create_task(self._requests(link, reader, to_server))
            down = asyncio.create_task(self._answers(link, from_server, writer))
            try:
                await down
            finally:
                up.cancel()
                await asyncio.gather(up, return_exceptions=True)
                to_server.close()
        except (asyncio.CancelledError, ConnectionError):
            return
        finally:
            writer.close()
            self._links.discard(task)

    async def _requests(self, link: _Link, client: asyncio.StreamReader, server: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = await client.readuntil(b"\r\n\r\n")
                method, path, _ = head.split(b"\r\n", 1)[0].decode().split(" ", 2)
                length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
                # The server sees the expectation and says `100 Continue` itself; what follows is relayed as it comes.
                server.write(head)
                body = await client.readexactly(int(length[1])) if length else b""
                seen = Seen(method, path, body)
                with self._lock:
                    self._seen.append(seen)
                link.left = self.decide(seen).bytes_passed
                server.write(body)
                await server.drain()
        # The client has ended or half-closed its connection: so does the twin, and an answer can still come.
        with contextlib.suppress(OSError, RuntimeError):
            server.write_eof()

    async def _answers(self, link: _Link, server: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        while piece := await server.read(1 << 16):
            if link.left is not None:
                piece = piece[: link.left]
                link.left -= len(piece)
            client.write(piece)
            await client.drain()
            if link.left == 0:
                return
