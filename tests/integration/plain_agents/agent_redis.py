"""An agent on a queue of Redis, with redis-py: agent_redis.py URL QUEUE."""

import contextlib
import os
import socket
import sys

import redis

from work import RESULT, TASK, result_of

BASE = "{ganglion}"  # with the braces; another name where the server's URL has ?prefix=
GROUP = "ganglion"
BLOCK_MS = 2_000  # less than the socket_timeout of redis-py, which is 5 s
DEAD_LETTERS = 10_000


def main(url: str, queue: str) -> None:
    client = redis.Redis.from_url(url, protocol=2)
    stream = f"{BASE}:queue:{queue}"
    me = f"{socket.gethostname()}-{os.getpid()}"
    with contextlib.suppress(redis.ResponseError):  # BUSYGROUP: the server has made it
        client.xgroup_create(stream, GROUP, id="0", mkstream=True)
    while True:
        for _, entries in client.xreadgroup(GROUP, me, {stream: ">"}, count=1, block=BLOCK_MS):
            for entry, message in entries:
                take(client, queue, entry, message)


def take(client: redis.Redis, queue: str, entry: bytes, message: dict[bytes, bytes]) -> None:
    """Publishes the result and is done with the task in one step."""
    stream = f"{BASE}:queue:{queue}"
    with client.pipeline(transaction=True) as step:
        if message.get(b"type") == TASK.encode():
            token, result = result_of(message[b"body"], "redis-py")
            reply_to = message[b"reply_to"].decode()
            step.xadd(f"{BASE}:queue:{reply_to}", {"type": RESULT, "id": token, "body": result})
            step.publish(f"{BASE}:queue-wakes:{reply_to}", "")
        else:
            letter = message | {b"reason": b"unknown type"}
            step.xadd(f"{BASE}:queue-dead:{queue}", letter, maxlen=DEAD_LETTERS)
        step.xack(stream, GROUP, entry)
        step.xdel(stream, entry)
        step.execute()


if __name__ == "__main__":
    main(*sys.argv[1:])
