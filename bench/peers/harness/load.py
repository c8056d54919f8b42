"""The load: N clients in a closed loop, each starting a run and waiting for its end, then the next one.

A driver prints one line when the warm-up is over, so that the runner reads processor time from there, and one line of
figures at the end. Standard library only: every driver in Python uses it, whatever its environment has.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Awaitable, Callable

PAYLOAD_BYTES = 200
PAYLOAD = "x" * PAYLOAD_BYTES
STEPS = 3
#: From the figures to the end of the process, for the runner to read its memory, and for runs that are under way.
DRAIN_SECONDS = 1
#: Where clients outnumber what an engine does in the time asked for, the measuring goes on until as many runs have
#: ended as this times the clients, or for this times as long.
ROUNDS = 2
LONGEST = 4


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser()
    made.add_argument("--clients", type=int, required=True)
    made.add_argument("--seconds", type=float, required=True)
    made.add_argument("--warm-up", type=float, required=True)
    return made


class Window:
    """Collects the durations of runs that end between the warm-up and the end."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._clients: int = options.clients
        self._begin = time.perf_counter() + options.warm_up
        self._seconds: float = options.seconds
        self._opened = 0.0
        self._closed = 0.0
        self._durations: list[float] = []

    def open(self) -> bool:
        """Whether another run should start; notes when the measuring begins and ends."""
        now = time.perf_counter()
        if not self._opened and now >= self._begin:
            self._opened = now
            print(json.dumps({"measuring": True}), flush=True)
        if not self._closed and self._opened:
            measured = now - self._opened
            enough = len(self._durations) >= ROUNDS * self._clients
            if measured >= self._seconds * (1 if enough else LONGEST):
                self._closed = now
        return not self._closed

    def add(self, began: float) -> None:
        now = time.perf_counter()
        if self._opened and not self._closed:
            self._durations.append(now - began)

    def report(self) -> None:
        taken = sorted(self._durations)
        seconds = self._closed - self._opened
        print(
            json.dumps(
                {
                    "clients": self._clients,
                    "runs": len(taken),
                    "seconds": round(seconds, 3),
                    "runs_per_s": round(len(taken) / seconds, 1),
                    "p50_ms": _quantile_ms(taken, 0.5),
                    "p99_ms": _quantile_ms(taken, 0.99),
                }
            ),
            flush=True,
        )


def _quantile_ms(taken: list[float], of: float) -> float | None:
    return round(taken[int(of * (len(taken) - 1))] * 1000, 2) if taken else None


async def closed_loop(options: argparse.Namespace, run: Callable[[int], Awaitable[str]]) -> None:
    """`run` is called with the client's number and returns the run's output, which must be the payload."""
    window = Window(options)

    async def client(number: int) -> None:
        while window.open():
            began = time.perf_counter()
            output = await run(number)
            if output != PAYLOAD:
                raise ValueError(f"a run ended with {output!r:.200}")
            window.add(began)

    async def clock() -> None:
        # So that the warm-up ends also where no run does. What it waits for is time.
        while window.open():  # noqa: ASYNC110
            await asyncio.sleep(0.02)

    clients = [asyncio.create_task(client(number)) for number in range(options.clients)]
    timer = asyncio.create_task(clock())
    ended, _ = await asyncio.wait([timer, *clients], return_when=asyncio.FIRST_EXCEPTION, timeout=0.01)
    while not timer.done():
        ended, _ = await asyncio.wait([timer, *clients], return_when=asyncio.FIRST_EXCEPTION, timeout=1)
        for task in ended:
            task.result()
    window.report()
    await asyncio.sleep(DRAIN_SECONDS)
    late = [task for task in clients if not task.done()]
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)


class Http:
    """One kept connection to a server on this machine; as little work a request as Python allows."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def post(self, path: str, body: str) -> str:
        if self._writer is None or self._writer.is_closing():
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        assert self._reader is not None
        data = body.encode()
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        self._writer.write(f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data)
        answer = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower()
        if "transfer-encoding: chunked" in answer:
            content = await self._chunks(self._reader)
        else:
            length = int(answer.partition("content-length:")[2].partition("\r\n")[0] or 0)
            content = await self._reader.readexactly(length)
        if not answer.startswith("http/1.1 2"):
            raise ValueError(f"{answer.splitlines()[0]} {content.decode()[:300]}")
        return content.decode()

    @staticmethod
    async def _chunks(reader: asyncio.StreamReader) -> bytes:
        content = b""
        while size := int((await reader.readline()).split(b";")[0], 16):
            content += await reader.readexactly(size)
            await reader.readline()
        await reader.readline()
        return content


def http_load(options: argparse.Namespace, port: int, path: str) -> None:
    """The load on anything that answers POST `path` with the run's output as JSON."""

    async def main() -> None:
        connections = [Http(port) for _ in range(options.clients)]
        body = json.dumps(PAYLOAD)

        async def run(number: int) -> str:
            return str(json.loads(await connections[number].post(path, body)))

        await closed_loop(options, run)

    asyncio.run(main())
