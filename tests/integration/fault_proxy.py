"""A TCP proxy in front of a real server that breaks what runs through it, as a test says. Standard library only.

    with FaultProxy(("127.0.0.1", 6379)) as proxy:
        ...                                              # whoever connects to proxy.port reaches the server
        proxy.set(to_server=Faults(delay=0.05))          # from now on, for connections that are there and those to come
        proxy.set(Faults(hold=True), Faults(hold=True))  # a partition that lasts …
        proxy.set()                                      # … until now
        proxy.cut(Cut.reset)                             # every connection that is there
        proxy.half_open(Side.server)
        proxy.refuse()                                   # those to come, until proxy.accept()

The proxy has a thread of its own: a test that waits for something doesn't hold it up, and each call returns when it has
taken effect. A connection to a server that isn't there is taken and then reset.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")
#: What a server's bytes become on their way; of small answers, which come in one piece.
Translate = Callable[[bytes], bytes]

CALL_SECONDS = 10.0
_CHUNK = 64 * 1024
#: Chunks of one direction of a connection that are under way; beyond that its sender is held up.
_MOST_CHUNKS = 64
#: What a limited stream may pass in such a time it passes at once.
_SLICE_SECONDS = 0.005
_BACKLOG = 128
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Faults:
    """What happens to the bytes of one direction."""

    #: Seconds by which every byte is late.
    delay: float = 0.0
    #: Bytes a second, of each connection.
    bandwidth: float | None = None
    #: Nothing arrives, neither bytes nor an end, until this is over; then everything does, as after a partition that
    #: TCP survives.
    hold: bool = False
    #: Bytes and ends are swallowed. A connection that has lost some stays deaf in that direction when this is over,
    #: because the rest would be garbage.
    drop: bool = False


class Cut(enum.Enum):
    reset = "reset"  # RST
    end = "end"  # FIN


class Side(enum.Enum):
    client = "client"
    server = "server"


class Way:
    """One direction of all connections; the counts are of bytes."""

    def __init__(self, translate: Translate | None = None) -> None:
        self.passed = 0
        self.swallowed = 0
        self.faults = Faults()
        self.translate = translate
        self._changed = asyncio.Event()

    def set(self, faults: Faults) -> None:
        self.faults = faults
        self._changed.set()
        self._changed = asyncio.Event()

    async def passable(self) -> None:
        while self.faults.hold:
            await self._changed.wait()


class _Stream:
    """One direction of one connection: reads `source` all the time and writes to `sink` what is due."""

    def __init__(self, way: Way, source: socket.socket, sink: socket.socket) -> None:
        self._way = way
        self._source = source
        self._sink = sink
        #: An end is no bytes; None is a reset.
        self._under_way: asyncio.Queue[tuple[float, bytes | None]] = asyncio.Queue(_MOST_CHUNKS)
        self._deaf = False
        self._writer = asyncio.create_task(self._write())

    def be_deaf(self) -> None:
        """Nothing arrives any more, nor what is under way."""
        self._deaf = True
        self._writer.cancel()

    async def run(self) -> None:
        """Until the source has ended and the sink knows, if it is to. ConnectionResetError where it was reset."""
        try:
            await self._read()
            await asyncio.wait([self._writer])
        finally:
            self._writer.cancel()
            await asyncio.wait([self._writer])
        if not self._writer.cancelled():
            self._writer.result()

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        data: bytes | None = b"?"
        while data:
            try:
                data = await loop.sock_recv(self._source, _CHUNK)
            except OSError:
                data = None
            if data and self._way.translate is not None:
                data = self._way.translate(data)
            if self._way.faults.drop:
                self.be_deaf()
            if self._deaf:
                self._way.swallowed += len(data or b"")
            else:
                await self._under_way.put((loop.time() + self._way.faults.delay, data))

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due, data = await self._under_way.get()
            await asyncio.sleep(max(0.0, due - loop.time()))
            await self._way.passable()
            if data is None:
                raise ConnectionResetError
            try:
                if not data:
                    return self._sink.shutdown(socket.SHUT_WR)
                await self._pass(memoryview(data))
            except OSError:  # the sink is gone; the stream from there tells the source, if it is to know
                self._deaf = True
                return

    async def _pass(self, data: memoryview) -> None:
        loop = asyncio.get_running_loop()
        while data:
            bandwidth = self._way.faults.bandwidth
            most = len(data) if bandwidth is None else max(1, int(bandwidth * _SLICE_SECONDS))
            piece, data = data[:most], data[most:]
            await loop.sock_sendall(self._sink, piece)
            self._way.passed += len(piece)
            if bandwidth is not None:
                await asyncio.sleep(len(piece) / bandwidth)


class _Connection:
    def __init__(self, client: socket.socket, server: socket.socket, to_server: Way, to_client: Way) -> None:
        self._sockets = {Side.client: client, Side.server: server}
        #: By where they come from.
        self._streams = {
            Side.client: _Stream(to_server, client, server),
            Side.server: _Stream(to_client, server, client),
        }
        self._tasks = {side: asyncio.create_task(stream.run()) for side, stream in self._streams.items()}
        self._how = Cut.end

    async def run(self) -> None:
        """Until both sides have ended, or one was reset. Cancelled, it ends as `cut` has said."""
        try:
            done, _ = await asyncio.wait(self._tasks.values(), return_when=asyncio.FIRST_EXCEPTION)
            if any(not task.cancelled() and task.exception() for task in done):
                self._how = Cut.reset
        finally:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)
            for side in Side:
                self._close(side, self._how)

    def reset(self) -> None:
        """The next thing is to cancel `run`."""
        self._how = Cut.reset

    def end(self) -> None:
        self._be_deaf()
        for connection in self._sockets.values():
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_WR)

    async def half_open(self, closed: Side) -> None:
        self._be_deaf()
        self._tasks[closed].cancel()
        await asyncio.wait([self._tasks[closed]])
        self._close(closed, Cut.end)

    def _be_deaf(self) -> None:
        for stream in self._streams.values():
            stream.be_deaf()

    def _close(self, side: Side, how: Cut) -> None:
        with contextlib.suppress(OSError):
            if how is Cut.reset:
                self._sockets[side].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._sockets[side].close()


class FaultProxy:
    """In front of the server at `server`, on a free port of the loopback that stays its own also while it refuses.

    `translate`: what becomes of the bytes that the server sends, where they name ports.
    """

    def __init__(self, server: tuple[str, int], translate: Translate | None = None) -> None:
        self.to_server = Way()
        self.to_client = Way(translate)
        self.accepted = 0
        self._server = server
        self._connections: dict[_Connection, asyncio.Task[None]] = {}
        self._serving: set[asyncio.Task[None]] = set()
        self._listener: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None
        self._place = _bound_socket(0)
        self.port = int(self._place.getsockname()[1])
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault-proxy", daemon=True)
        self._thread.start()
        self.accept()

    def __enter__(self) -> FaultProxy:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def ports(self) -> list[int]:
        return [self.port]

    @property
    def connections(self) -> int:
        """That are there, half of them included."""
        return len(self._connections)

    def set(self, to_server: Faults | None = None, to_client: Faults | None = None) -> None:
        """A direction that isn't named has no faults."""

        async def change() -> None:
            self.to_server.set(to_server or Faults())
            self.to_client.set(to_client or Faults())

        self._call(change())

    def cut(self, how: Cut) -> None:
        """Every connection that is there. What is under way is lost."""

        async def change() -> None:
            for connection, task in list(self._connections.items()):
                if how is Cut.end:
                    connection.end()
                else:
                    connection.reset()
                    task.cancel()
                    await asyncio.wait([task])

        self._call(change())

    def half_open(self, closed: Side) -> None:
        """Of every connection that is there, one side is closed; the other isn't told and talks to nobody."""

        async def change() -> None:
            for connection in list(self._connections):
                await connection.half_open(closed)

        self._call(change())

    def refuse(self) -> None:
        """New connections, as if nobody listened; those that are there go on."""

        async def change() -> None:
            if self._accepting is not None and self._listener is not None:
                self._accepting.cancel()
                await asyncio.wait([self._accepting])
                self._listener.close()
            self._accepting = self._listener = None

        self._call(change())

    def accept(self) -> None:
        async def change() -> None:
            if self._listener is None:
                self._listener = _bound_socket(self.port)
                self._listener.listen(_BACKLOG)
                self._accepting = asyncio.create_task(self._accept(self._listener))

        self._call(change())

    def close(self) -> None:
        """Ends everything; twice is once."""
        if not self._thread.is_alive():
            return

        async def end() -> None:
            serving = list(self._serving)
            for task in serving:
                task.cancel()
            await asyncio.gather(*serving, return_exceptions=True)

        self.refuse()
        self._call(end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CALL_SECONDS)
        self._loop.close()
        self._place.close()

    def _call(self, change: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(change, self._loop).result(CALL_SECONDS)

    async def _accept(self, listener: socket.socket) -> None:
        while True:
            client, _ = await self._loop.sock_accept(listener)
            self.accepted += 1
            task = asyncio.create_task(self._serve(client))
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)

    async def _serve(self, client: socket.socket) -> None:
        server = socket.socket()
        server.setblocking(False)
        try:
            await self._loop.sock_connect(server, self._server)
        except (OSError, asyncio.CancelledError):
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            client.close()
            server.close()
            return
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = _Connection(client, server, self.to_server, self.to_client)
        task = asyncio.create_task(connection.run())
        self._connections[connection] = task
        try:
            await asyncio.wait([task])
        finally:
            task.cancel()
            await asyncio.wait([task])
            del self._connections[connection]


class FaultProxies:
    """Several of them that are one way: in front of all servers of a group. Who connects begins at `first`."""

    def __init__(self, first: FaultProxy, *others: FaultProxy) -> None:
        self._all = (first, *others)
        self.port = first.port

    def set(self, to_server: Faults | None = None, to_client: Faults | None = None) -> None:
        for proxy in self._all:
            proxy.set(to_server, to_client)

    def cut(self, how: Cut) -> None:
        for proxy in self._all:
            proxy.cut(how)

    def half_open(self, closed: Side) -> None:
        for proxy in self._all:
            proxy.half_open(closed)

    def refuse(self) -> None:
        for proxy in self._all:
            proxy.refuse()

    def accept(self) -> None:
        for proxy in self._all:
            proxy.accept()

    def close(self) -> None:
        for proxy in self._all:
            proxy.close()

    @property
    def ports(self) -> list[int]:
        return [proxy.port for proxy in self._all]


def _bound_socket(port: int) -> socket.socket:
    """Several of them may have one port: one that doesn't listen keeps it while nobody listens there."""
    bound = socket.socket()
    bound.setblocking(False)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bound.bind(("127.0.0.1", port))
    return bound
