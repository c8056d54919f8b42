#!/usr/bin/env python3
"""The fault proxy of the other tests does to connections what it says, and nothing else."""

from __future__ import annotations

import contextlib
import random
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator

from fault_proxy import Cut, FaultProxies, FaultProxy, Faults, Side
from kernel_cut import can_cut, cut_to

CONDITION_SECONDS = 10.0
#: How long it is watched that nothing comes.
SILENCE_SECONDS = 0.05


class Echo:
    """Sends back what it gets, one thread for each connection."""

    def __init__(self) -> None:
        self.received = 0
        self.ends: list[str] = []  # of connections: "end" or "reset"
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self._listener.getsockname()[1]

    def close(self) -> None:
        self._listener.close()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                while data := connection.recv(65_536):
                    self.received += len(data)
                    connection.sendall(data)
                self.ends.append("end")
            except OSError:
                self.ends.append("reset")


def await_condition(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + CONDITION_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.001)


class Client:
    def __init__(self, proxy: FaultProxy) -> None:
        accepted = proxy.accepted
        self._socket = socket.create_connection(("127.0.0.1", proxy.port), CONDITION_SECONDS)
        await_condition(lambda: proxy.accepted > accepted, "the connection")

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def receive(self, size: int) -> bytes:
        """What comes until there is so much of it, or the end."""
        received = b""
        while len(received) < size and (data := self._socket.recv(size - len(received))):
            received += data
        return received

    def echo(self, data: bytes) -> bytes:
        self.send(data)
        return self.receive(len(data))

    def hears_nothing(self) -> bool:
        self._socket.settimeout(SILENCE_SECONDS)
        try:
            self._socket.recv(1)
        except TimeoutError:
            return True
        finally:
            self._socket.settimeout(CONDITION_SECONDS)
        return False

    def ends(self) -> str:
        try:
            return "end" if self._socket.recv(1) == b"" else "bytes"
        except ConnectionResetError:
            return "reset"

    def say_no_more(self) -> None:
        self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self._socket.close()


def bytes_pass_unchanged_in_both_directions(echo: Echo, proxy: FaultProxy) -> None:
    data = random.Random(1).randbytes(4 << 20)
    client = Client(proxy)
    sender = threading.Thread(target=client.send, args=[data])
    sender.start()
    assert client.receive(len(data)) == data
    sender.join()
    await_condition(lambda: proxy.to_server.passed == proxy.to_client.passed == len(data), "the count")


def an_end_of_one_direction_leaves_the_other(echo: Echo, proxy: FaultProxy) -> None:
    client = Client(proxy)
    client.send(b"last words")
    client.say_no_more()
    assert client.receive(100) == b"last words"
    assert client.ends() == "end"
    await_condition(lambda: proxy.connections == 0, "the connection's end")


def a_delay_is_of_each_byte_and_does_not_add_up(echo: Echo, proxy: FaultProxy) -> None:
    client = Client(proxy)
    client.echo(b"warm")
    proxy.set(to_server=Faults(delay=0.05))
    began = time.monotonic()
    for _ in range(20):
        client.send(b"0123456789")
        time.sleep(0.001)  # so that they are 20 pieces
    assert client.receive(200) == b"0123456789" * 20
    took = time.monotonic() - began
    assert 0.05 <= took < 0.9, f"20 pieces, each late by 50 ms, took {took:.3f} s"


def a_limited_stream_is_never_faster(echo: Echo, proxy: FaultProxy) -> None:
    client = Client(proxy)
    proxy.set(to_client=Faults(bandwidth=1_000_000))
    began = time.monotonic()
    client.echo(b"x" * 100_000)
    took = time.monotonic() - began
    assert took >= 0.09, f"100 kB at 1 MB/s took {took:.3f} s"


def what_is_held_arrives_afterwards(echo: Echo, proxy: FaultProxy) -> None:
    client = Client(proxy)
    client.echo(b"before")
    proxy.set(to_server=Faults(hold=True))
    client.send(b"held")
    assert client.hears_nothing()
    assert echo.received == len(b"before")
    proxy.set()
    assert client.receive(4) == b"held"


def an_end_is_held_as_well(echo: Echo, proxy: FaultProxy) -> None:
    client = Client(proxy)
    client.echo(b"before")
    proxy.set(to_server=Faults(hold=True))
    client.close()
    time.sleep(SILENCE_SECONDS)
    assert echo.ends == []
    proxy.set()
    await_condition(lambda: echo.ends == ["end"], "the end")


def what_is_dropped_never_arrives_and_nothing_after_it(echo: Echo, proxy: FaultProxy) -> None:
    client = Client(proxy)
    client.echo(b"before")
    proxy.set(to_client=Faults(drop=True))
    client.send(b"lost")
    await_condition(lambda: proxy.to_client.swallowed == 4, "the loss")
    proxy.set()
    client.send(b"more")
    await_condition(lambda: echo.received == len(b"beforelostmore"), "what goes the other way")
    assert client.hears_nothing()
    assert Client(proxy).echo(b"another connection") == b"another connection"


def a_cut_ends_or_resets_both_sides(echo: Echo, proxy: FaultProxy) -> None:
    for how in Cut:
        clients = [Client(proxy) for _ in range(3)]
        for client in clients:
            client.echo(b"before")
        echo.ends.clear()
        proxy.cut(how)
        assert [client.ends() for client in clients] == [how.value] * 3
        await_condition(lambda: len(echo.ends) == 3, "the server's ends")
        assert echo.ends == [how.value] * 3
        for client in clients:
            client.close()
        await_condition(lambda: proxy.connections == 0, "the connections' ends")
        assert Client(proxy).echo(b"again") == b"again"
        proxy.cut(Cut.reset)


def a_reset_is_passed_on(echo: Echo, proxy: FaultProxy) -> None:
    client = Client(proxy)
    client.echo(b"before")
    client._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    client.close()
    await_condition(lambda: echo.ends == ["reset"], "the reset")


def of_a_half_open_connection_one_side_is_not_told(echo: Echo, proxy: FaultProxy) -> None:
    client = Client(proxy)
    client.echo(b"before")
    proxy.half_open(closed=Side.server)
    await_condition(lambda: len(echo.ends) == 1, "the server's end")
    client.send(b"is anybody there?")
    assert client.hears_nothing()
    await_condition(lambda: proxy.to_server.swallowed == 17, "what nobody hears")
    client.close()
    await_condition(lambda: proxy.connections == 0, "the connection's end")

    client = Client(proxy)
    client.echo(b"before")
    echo.ends.clear()
    proxy.half_open(closed=Side.client)
    assert client.ends() == "end"
    time.sleep(SILENCE_SECONDS)
    assert echo.ends == []
    assert proxy.connections == 1


def who_is_refused_finds_nobody_and_later_the_same_port(echo: Echo, proxy: FaultProxy) -> None:
    client = Client(proxy)
    client.echo(b"before")
    for _ in range(3):
        proxy.refuse()
        try:
            Client(proxy)
            raise AssertionError("a connection was taken")
        except ConnectionRefusedError:
            pass
        assert client.echo(b"those that are there go on")
        proxy.accept()
        assert Client(proxy).echo(b"again") == b"again"


def a_server_that_is_not_there_is_a_reset(echo: Echo, proxy: FaultProxy) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        # The reset may come before the connection is known to be there.
        with FaultProxy(taken.getsockname()) as before_nobody, contextlib.suppress(ConnectionResetError):
            assert Client(before_nobody).ends() == "reset"


def what_the_server_says_may_be_translated(echo: Echo, proxy: FaultProxy) -> None:
    with FaultProxy(echo.address, lambda answer: answer.replace(b"6379", b"7000")) as translating:
        assert Client(translating).echo(b"port 6379") == b"port 7000"
    assert Client(proxy).echo(b"port 6379") == b"port 6379"


def several_are_one_way(echo: Echo, proxy: FaultProxy) -> None:
    with FaultProxy(echo.address) as second:
        both = FaultProxies(proxy, second)
        assert both.ports == [proxy.port, second.port]
        clients = [Client(proxy), Client(second)]
        both.set(Faults(hold=True))
        for client in clients:
            client.send(b"held")
            assert client.hears_nothing()
        both.set()
        for client in clients:
            assert client.receive(4) == b"held"
        both.cut(Cut.reset)
        assert [client.ends() for client in clients] == ["reset", "reset"]


def the_kernel_cuts_what_goes_to_a_port(echo: Echo, proxy: FaultProxy) -> None:
    if not can_cut():
        return
    with FaultProxy(echo.address) as second:
        client, other = Client(proxy), Client(second)
        assert client.echo(b"x") == other.echo(b"x") == b"x"
        assert cut_to(proxy.port) == 1
        try:
            ended = client.ends()
        except ConnectionAbortedError:
            ended = "aborted"
        assert ended == "aborted", ended
        await_condition(lambda: echo.ends == ["reset"], "the server to hear of it")
        assert other.echo(b"goes on") == b"goes on"


CASES = (
    bytes_pass_unchanged_in_both_directions,
    an_end_of_one_direction_leaves_the_other,
    a_delay_is_of_each_byte_and_does_not_add_up,
    a_limited_stream_is_never_faster,
    what_is_held_arrives_afterwards,
    an_end_is_held_as_well,
    what_is_dropped_never_arrives_and_nothing_after_it,
    a_cut_ends_or_resets_both_sides,
    a_reset_is_passed_on,
    of_a_half_open_connection_one_side_is_not_told,
    who_is_refused_finds_nobody_and_later_the_same_port,
    a_server_that_is_not_there_is_a_reset,
    what_the_server_says_may_be_translated,
    several_are_one_way,
    the_kernel_cuts_what_goes_to_a_port,
)


@contextlib.contextmanager
def served() -> Iterator[tuple[Echo, FaultProxy]]:
    echo = Echo()
    try:
        with FaultProxy(echo.address) as proxy:
            yield echo, proxy
    finally:
        echo.close()


def main() -> int:
    for case in CASES:
        began = time.monotonic()
        with served() as (echo, proxy):
            case(echo, proxy)
        print(f"{case.__name__.replace('_', ' ')}: {(time.monotonic() - began) * 1000:.0f} ms", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
