"""The central orchestrator's worker: answers a step with its input. worker.py --port PORT"""

import argparse

from aiohttp import web


async def step(request: web.Request) -> web.Response:
    return web.json_response(await request.json())


parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, required=True)
app = web.Application()
app.router.add_post("/{step}", step)
web.run_app(app, host="127.0.0.1", port=parser.parse_args().port, access_log=None, print=None)
