#!/usr/bin/env python3
"""The agents that stand in docs/guide/queues.md do tasks on the queues of real brokers.

plain_agents/prepare fetches the clients' libraries.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from pathlib import Path

from plain_setup import AGENTS, NODE, PYTHON, ROOT, await_value, enter, require, running

enter()

from plain_queues import AmqpQueues, Message, PlainQueues, RedisQueues
from rabbit_server import RabbitServer
from store_servers import RedisStore

PAGE = ROOT / "docs/guide/queues.md"
PROGRAM = re.compile(r"^```(python|js)\n(.*?)^```$", re.M | re.S)
#: What `code` does, which the page leaves open.
WORK = {"python": "code = lambda given: given['n'] + 1\n", "js": "const code = async (given) => given.n + 1;\n"}
COMMANDS = {"python": (PYTHON, ".py"), "js": (NODE, ".mjs")}
QUEUE, RESULTS = "agent:coder", "coordinator:default"
TASKS = 5


def programs(section: str) -> list[tuple[str, str]]:
    """Language and text of those below this heading."""
    text = PAGE.read_text().partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    found = PROGRAM.findall(text)
    assert [language for language, _ in found] == ["python", "js"], f"{PAGE} has other programs under {section}"
    return found


def does_tasks(folder: Path, language: str, text: str, queues: PlainQueues) -> None:
    program, ending = COMMANDS[language]
    file = folder / f"agent{ending}"
    file.write_text(WORK[language] + text)
    with running([str(program), str(file)]):
        for n in range(TASKS):
            task = {"token": f"token{n}", "input": {"n": n}, "timeout_ms": 1000}
            queues.publish(QUEUE, Message("ganglion.task.v1", json.dumps(task), f"token{n}", RESULTS))
        for n in range(TASKS):
            result = await_value(lambda: queues.take(RESULTS), f"a result of the {language} program")
            assert (result.type, result.id) == ("ganglion.result.v1", f"token{n}"), result
            assert json.loads(result.body) == {"token": f"token{n}", "output": n + 1}, result


def test_redis(folder: Path) -> None:
    server = RedisStore()
    url = server.url("ganglion").partition("?")[0]
    port = url.rpartition(":")[2]
    queues = RedisQueues(url)
    try:
        for queue in (QUEUE, RESULTS):
            queues.make(queue)
        for language, text in programs("Redis"):
            here = text.replace("redis.Redis(", f"redis.Redis(port={port}, ")
            here = here.replace("new Redis()", f"new Redis({port})")
            assert here != text
            does_tasks(folder, language, here, queues)
            print(f"redis: the {language} program does tasks", flush=True)
    finally:
        queues.close()
        server.end()


def test_rabbitmq(folder: Path) -> None:
    server = RabbitServer()
    queues = AmqpQueues(server.url())
    try:
        for queue in (QUEUE, RESULTS):
            queues.make(queue)
        for language, text in programs("RabbitMQ"):
            here = text.replace("amqp://guest:guest@127.0.0.1", server.url())
            assert here != text
            does_tasks(folder, language, here, queues)
            print(f"rabbitmq: the {language} program does tasks", flush=True)
    finally:
        queues.close()
        server.end()


def main() -> int:
    require(RedisStore, RabbitServer)
    with tempfile.TemporaryDirectory(prefix="ganglion-guide-") as name:
        folder = Path(name)
        (folder / "node_modules").symlink_to(AGENTS / "node_modules")
        test_redis(folder)
        test_rabbitmq(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
