"""An agent on a queue of RabbitMQ, with pika: agent_pika.py URL QUEUE."""

import sys

import pika
from pika.adapters.blocking_connection import BlockingChannel

from work import RESULT, TASK, result_of

RETRY_SECONDS = 0.1


def open_channel(connection: pika.BlockingConnection, queue: str) -> BlockingChannel:
    """Waits until the server has made the queue: only it knows the options."""
    while True:
        channel = connection.channel()
        try:
            channel.queue_declare(queue, passive=True)
            return channel
        except pika.exceptions.ChannelClosedByBroker:
            connection.sleep(RETRY_SECONDS)


def main(url: str, queue: str) -> None:
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = open_channel(connection, queue)
    channel.confirm_delivery()
    channel.basic_qos(prefetch_count=1)
    for method, properties, body in channel.consume(queue):
        if properties.type != TASK:
            channel.basic_reject(method.delivery_tag, requeue=False)
            continue
        token, result = result_of(body, "pika")
        about = pika.BasicProperties(type=RESULT, message_id=token, delivery_mode=2)
        # Returns when the broker has it, and raises where it hasn't: then nothing is acknowledged.
        channel.basic_publish("", properties.reply_to, result.encode(), about, mandatory=True)
        channel.basic_ack(method.delivery_tag)


if __name__ == "__main__":
    main(*sys.argv[1:])
