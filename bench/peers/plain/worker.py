"""The plain coordinator's worker: takes tasks from RabbitMQ and publishes their results. worker.py --rabbitmq PORT"""

import argparse
import asyncio
import json

import aio_pika


async def work(port: int) -> None:
    connection = await aio_pika.connect(port=port)
    channel = await connection.channel(publisher_confirms=True)
    await channel.set_qos(1000)
    tasks = await channel.declare_queue("tasks", durable=True)
    await channel.declare_queue("results", durable=True)

    async def task(message: aio_pika.abc.AbstractIncomingMessage) -> None:
        given = json.loads(message.body)
        body = json.dumps({"run": given["run"], "step": given["step"], "output": given["input"]}).encode()
        result = aio_pika.Message(body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        await channel.default_exchange.publish(result, routing_key="results")
        await message.ack()

    await tasks.consume(task)
    await asyncio.Event().wait()


parser = argparse.ArgumentParser()
parser.add_argument("--rabbitmq", type=int, required=True)
asyncio.run(work(parser.parse_args().rabbitmq))
