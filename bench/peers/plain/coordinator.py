"""A plain coordinator: a run's state in Redis, its tasks over RabbitMQ, and HTTP for who starts runs.

    coordinator.py --port PORT --redis PORT --rabbitmq PORT

Each transition is written to Redis before the next task is published with a publisher confirm; a result is acknowledged
after both. The way one would write it in an afternoon: no retries, no timeouts, no recovery.
"""

import argparse
import asyncio
import json
import uuid

import aio_pika
import redis.asyncio
from aiohttp import web

STEPS = 3
CONNECTIONS = 64


class Coordinator:
    def __init__(self, state: redis.asyncio.Redis, channel: aio_pika.abc.AbstractChannel) -> None:
        self._state = state
        self._channel = channel
        self._waiting: dict[str, asyncio.Future[str]] = {}

    async def start(self, request: web.Request) -> web.Response:
        payload = await request.json()
        run = uuid.uuid4().hex
        ended = self._waiting[run] = asyncio.get_running_loop().create_future()
        await self._advance(run, 0, payload)
        return web.json_response(await ended)

    async def result(self, message: aio_pika.abc.AbstractIncomingMessage) -> None:
        result = json.loads(message.body)
        await self._advance(result["run"], result["step"] + 1, result["output"])
        await message.ack()

    async def _advance(self, run: str, step: int, payload: str) -> None:
        if step == STEPS:
            await self._state.hset(f"run:{run}", mapping={"state": "done", "output": payload})
            if waiting := self._waiting.pop(run, None):
                waiting.set_result(payload)
            return
        await self._state.hset(f"run:{run}", mapping={"state": "running", "step": step, f"input:{step}": payload})
        body = json.dumps({"run": run, "step": step, "input": payload}).encode()
        task = aio_pika.Message(body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        await self._channel.default_exchange.publish(task, routing_key="tasks")


async def serve(options: argparse.Namespace) -> None:
    pool = redis.asyncio.BlockingConnectionPool(port=options.redis, max_connections=CONNECTIONS, timeout=None)
    state = redis.asyncio.Redis(connection_pool=pool)
    connection = await aio_pika.connect(port=options.rabbitmq)
    channel = await connection.channel(publisher_confirms=True)
    await channel.set_qos(1000)
    await channel.declare_queue("tasks", durable=True)
    results = await channel.declare_queue("results", durable=True)
    coordinator = Coordinator(state, channel)
    await results.consume(coordinator.result)
    app = web.Application()
    app.router.add_post("/runs", coordinator.start)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", options.port).start()
    await asyncio.Event().wait()


parser = argparse.ArgumentParser()
for name in ("--port", "--redis", "--rabbitmq"):
    parser.add_argument(name, type=int, required=True)
asyncio.run(serve(parser.parse_args()))
