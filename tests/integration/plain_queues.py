"""A test at the queues itself: raw messages in and out with pika and redis-py, and how many are dead letters."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import pika
import redis


@dataclass(frozen=True)
class Message:
    type: str
    body: str
    id: str = ""
    reply_to: str = ""


class PlainQueues(ABC):
    @abstractmethod
    def publish(self, queue: str, message: Message) -> None: ...

    @abstractmethod
    def take(self, queue: str) -> Message | None:
        """The next message, which is acknowledged at once, if there is one; the queue need not be there yet."""

    @abstractmethod
    def make(self, queue: str) -> None:
        """A queue of one's own, for answers."""

    @abstractmethod
    def count_dead_letters(self, queue: str) -> int: ...

    @abstractmethod
    def close(self) -> None: ...


class AmqpQueues(PlainQueues):
    def __init__(self, url: str) -> None:
        self._connection = pika.BlockingConnection(pika.URLParameters(f"{url}?heartbeat=0"))
        self._open()

    def _open(self) -> None:
        self._channel = self._connection.channel()
        self._channel.confirm_delivery()

    def publish(self, queue: str, message: Message) -> None:
        about = pika.BasicProperties(
            type=message.type, message_id=message.id, reply_to=message.reply_to or None, delivery_mode=2
        )
        self._channel.basic_publish("", queue, message.body.encode(), about, mandatory=True)

    def take(self, queue: str) -> Message | None:
        try:
            method, about, body = self._channel.basic_get(queue, auto_ack=True)
        except pika.exceptions.ChannelClosedByBroker:  # there is no such queue yet
            self._open()
            return None
        if method is None:
            return None
        return Message(about.type, body.decode(), about.message_id or "", about.reply_to or "")

    def make(self, queue: str) -> None:
        self._channel.queue_declare(queue, durable=True)

    def count_dead_letters(self, queue: str) -> int:
        count: int = self._channel.queue_declare(f"{queue}.dead", passive=True).method.message_count
        return count

    def close(self) -> None:
        self._connection.close()


class RedisQueues(PlainQueues):
    def __init__(self, url: str) -> None:
        self._client: Any = redis.Redis.from_url(url, protocol=2, decode_responses=True)
        self._name = f"test-{os.getpid()}"

    def publish(self, queue: str, message: Message) -> None:
        fields = {"type": message.type, "body": message.body, "id": message.id, "reply_to": message.reply_to}
        self._client.xadd(f"{{ganglion}}:queue:{queue}", {name: value for name, value in fields.items() if value})

    def take(self, queue: str) -> Message | None:
        stream = f"{{ganglion}}:queue:{queue}"
        try:
            read = self._client.xreadgroup("ganglion", self._name, {stream: ">"}, count=1)
        except redis.ResponseError:  # NOGROUP: there is no such queue yet
            return None
        if not read:
            return None
        entry, fields = read[0][1][0]
        self._client.xack(stream, "ganglion", entry)
        self._client.xdel(stream, entry)
        return Message(fields["type"], fields["body"], fields.get("id", ""), fields.get("reply_to", ""))

    def make(self, queue: str) -> None:
        bounds = {"max_length": "1000", "max_deliveries": "20", "claim_after": "30000"}
        self._client.hset(f"{{ganglion}}:queue-options:{queue}", mapping=bounds)
        self._client.xgroup_create(f"{{ganglion}}:queue:{queue}", "ganglion", id="0", mkstream=True)

    def count_dead_letters(self, queue: str) -> int:
        count: int = self._client.xlen(f"{{ganglion}}:queue-dead:{queue}")
        return count

    def close(self) -> None:
        self._client.close()
