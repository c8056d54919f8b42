"""The worker of the kill test's pipeline: three agents that take a little while and say that they were there."""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "sdk/python/src"))

from ganglion import Worker

#: Long enough that at any moment many tasks are in work, short against the attempt's timeout.
MOST_SECONDS = 0.6

worker = Worker(concurrency=200)


async def pass_on(name: str, n: int, trail: list[str]) -> dict[str, Any]:
    await asyncio.sleep(random.uniform(0.05, MOST_SECONDS))
    return {"n": n, "trail": [*trail, name]}


@worker.agent("first")
async def first(n: int, trail: list[str]) -> dict[str, Any]:
    return await pass_on("first", n, trail)


@worker.agent("second")
async def second(n: int, trail: list[str]) -> dict[str, Any]:
    return await pass_on("second", n, trail)


@worker.agent("third")
async def third(n: int, trail: list[str]) -> dict[str, Any]:
    return await pass_on("third", n, trail)


if __name__ == "__main__":
    worker.run()
