"""The other design that Ganglion replaces: one central orchestrator on asyncio that keeps nothing durable.

    orchestrator.py --port PORT --worker PORT

POST /runs runs three steps, one after the other, each a POST to the worker.
"""

import argparse
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
from aiohttp import web

STEPS = ("first", "second", "third")
SESSION = web.AppKey("session", aiohttp.ClientSession)
RUNS: web.AppKey[dict[int, dict[str, Any]]] = web.AppKey("runs", dict)
WORKER = web.AppKey("worker", str)


async def start(request: web.Request) -> web.Response:
    value = await request.json()
    runs = request.app[RUNS]
    number = id(request)
    run = runs[number] = {"input": value, "steps": {}}
    for step in STEPS:
        async with request.app[SESSION].post(f"{request.app[WORKER]}/{step}", json=value) as answer:
            value = run["steps"][step] = await answer.json()
    del runs[number]
    return web.json_response(value)


async def session(app: web.Application) -> AsyncIterator[None]:
    app[SESSION] = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
    yield
    await app[SESSION].close()


parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, required=True)
parser.add_argument("--worker", type=int, required=True)
options = parser.parse_args()
app = web.Application()
app[RUNS] = {}
app[WORKER] = f"http://127.0.0.1:{options.worker}"
app.cleanup_ctx.append(session)
app.router.add_post("/runs", start)
web.run_app(app, host="127.0.0.1", port=options.port, access_log=None, print=None)
