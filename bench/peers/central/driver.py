"""The central orchestrator inside one process: a queue and a worker per agent, and the clients beside them."""

import asyncio
from typing import Any

import load

STEPS = ("first", "second", "third")
WORKERS = 4  # per agent


class Orchestrator:
    def __init__(self) -> None:
        self._queues: dict[str, asyncio.Queue[tuple[str, asyncio.Future[str]]]] = {s: asyncio.Queue() for s in STEPS}
        self._runs: dict[int, dict[str, Any]] = {}
        self._workers = [asyncio.create_task(self._work(step)) for step in STEPS for _ in range(WORKERS)]
        self._started = 0

    async def run(self, value: str) -> str:
        self._started += 1
        number = self._started
        run = self._runs[number] = {"input": value, "steps": {}}
        for step in STEPS:
            answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
            await self._queues[step].put((value, answer))
            value = run["steps"][step] = await answer
        del self._runs[number]
        return value

    async def _work(self, step: str) -> None:
        while True:
            value, answer = await self._queues[step].get()
            answer.set_result(value)


async def main() -> None:
    orchestrator = Orchestrator()
    await load.closed_loop(load.parser().parse_args(), lambda _: orchestrator.run(load.PAYLOAD))


asyncio.run(main())
