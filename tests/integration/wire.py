"""One word with a server in its own protocol, over a connection of its own. Standard library only."""

from __future__ import annotations

import json
import socket
from typing import Any, BinaryIO

ANSWER_SECONDS = 10.0


class RedisError(Exception):
    """What Redis said no with."""


def redis_command(address: tuple[str, int], *words: str) -> Any:
    """Texts, numbers, None, and lists of them."""
    with socket.create_connection(address, ANSWER_SECONDS) as connection, connection.makefile("rb") as answers:
        parts = [b"*%d\r\n" % len(words)]
        for word in words:
            data = word.encode()
            parts.append(b"$%d\r\n%s\r\n" % (len(data), data))
        connection.sendall(b"".join(parts))
        return _redis_answer(answers)


def _redis_answer(answers: BinaryIO) -> Any:
    line = answers.readline()
    if not line.endswith(b"\r\n"):
        raise ConnectionResetError("Redis has hung up")
    kind, text = line[:1], line[1:-2].decode()
    if kind == b"-":
        raise RedisError(text)
    if kind == b":":
        return int(text)
    if kind == b"$":
        return None if text == "-1" else answers.read(int(text) + 2)[:-2].decode()
    if kind == b"*":
        return [_redis_answer(answers) for _ in range(int(text))]
    return text


def nats_request(address: tuple[str, int], subject: str) -> dict[str, Any]:
    """JetStream's answer to a request without a body."""
    with socket.create_connection(address, ANSWER_SECONDS) as connection, connection.makefile("rb") as lines:
        hello = b'CONNECT {"verbose":false,"pedantic":false}\r\n'
        connection.sendall(hello + b"SUB answer 1\r\nPUB %s answer 0\r\n\r\n" % subject.encode())
        while line := lines.readline():
            if line.startswith(b"MSG "):
                answer: dict[str, Any] = json.loads(lines.read(int(line.split()[-1])))
                return answer
            if line.startswith(b"PING"):
                connection.sendall(b"PONG\r\n")
    raise ConnectionResetError("NATS has hung up")
