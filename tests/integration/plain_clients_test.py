#!/usr/bin/env python3
"""Agents that know nothing of Ganglion: pika and amqplib at RabbitMQ, redis-py and ioredis at Redis, on the queues.

GANGLION_BINARY or --ganglion names the binary; plain_agents/prepare fetches the clients' libraries.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plain_setup import AGENTS, CONDITION_SECONDS, NODE, PYTHON, ROOT, await_value, enter, require, running

enter()
sys.path.insert(0, str(ROOT / "sdk/python/src"))

from ganglion import Client
from plain_queues import AmqpQueues, Message, PlainQueues, RedisQueues
from rabbit_server import RabbitServer
from serving import Server, binary_from
from store_servers import RedisStore

COORDINATOR = "coordinator:default"
RESULT = "ganglion.result.v1"

PROJECT = """\
ganglion: 1
defaults: {retry: {max_attempts: 3, initial: 10ms, max: 50ms, jitter: 0}}
agents:
  first: {kind: worker, timeout: 3s}
  second: {kind: worker, timeout: 3s}
  third: {kind: worker, timeout: 20s}
workflows:
  relay:
    steps:
      one: {agent: first, input: "${{ input }}"}
      two: {agent: second, input: {text: "${{ steps.one.output.text }}"}}
    output: "${{ steps.two.output.text }}"
  judged:
    steps: {one: {agent: third, input: "${{ input }}"}}
    output: "${{ steps.one.output }}"
"""


@dataclass(frozen=True)
class Broker:
    """A bus, and what works on its queues: the programs of the first and the second agent, and what they sign with."""

    bus: str
    queues: PlainQueues
    programs: tuple[list[str], list[str]]
    signs: str


class BusServer(Server):
    def __init__(self, binary: Path, folder: Path, store: str, bus: str) -> None:
        super().__init__(binary, folder, PROJECT)
        self.store = store
        self._bus = bus

    def serve_command(self) -> list[str]:
        return [*super().serve_command(), "--bus", self._bus]


def agents(broker: Broker) -> tuple[list[str], list[str]]:
    first, second = broker.programs
    return [*first, broker.bus, "agent:first"], [*second, broker.bus, "agent:second"]


def a_run_goes_from_agent_to_agent(client: Client, broker: Broker, folder: Path) -> None:
    with running(*agents(broker)):
        runs = [client.start("relay", {"text": str(number)}) for number in range(10)]
        for number, run in enumerate(runs):
            ended = client.wait(run.id, timeout=CONDITION_SECONDS)
            assert (ended.status, ended.output) == ("completed", f"{number} {broker.signs}"), ended


def an_error_of_an_agent_is_the_steps(client: Client, broker: Broker, folder: Path) -> None:
    with running(*agents(broker)):
        run = client.start("relay", {"fail": "no_such_file"})
        ended = client.wait(run.id, timeout=CONDITION_SECONDS)
        assert ended.status == "failed" and ended.error["code"] == "no_such_file", ended
        assert ended.steps["one"].raw["attempts"] == 1, ended.steps["one"]


def another_does_what_a_dead_agent_had(client: Client, broker: Broker, folder: Path) -> None:
    marker = folder / "died"
    first, second = agents(broker)
    with running(first, first, second) as programs:
        run = client.start("relay", {"text": "again", "die_once": str(marker)})
        ended = client.wait(run.id, timeout=CONDITION_SECONDS)
        assert (ended.status, ended.output) == ("completed", f"again {broker.signs}"), ended
        assert sorted(program.poll() is None for program in programs) == [False, True, True]


def a_task_says_what_it_is_and_its_result_is_judged(client: Client, broker: Broker, folder: Path) -> None:
    queues = broker.queues
    queues.make("answers")
    run = client.start("judged", {"n": 1})
    message = await_value(lambda: queues.take("agent:third"), "a task")
    task = json.loads(message.body)
    assert (message.type, message.id, message.reply_to) == ("ganglion.task.v1", task["token"], COORDINATOR)
    said = {name: task[name] for name in ("run_id", "workflow", "step", "item", "attempt", "agent", "input")}
    assert said == {
        "run_id": run.id,
        "workflow": "judged",
        "step": "one",
        "item": None,
        "attempt": 1,
        "agent": "third",
        "input": {"n": 1},
    }, task
    assert task["timeout_ms"] == 20_000 and task["idempotency_key"], task

    def judged(result: dict[str, Any]) -> str:
        queues.publish(COORDINATOR, Message(RESULT, json.dumps(result), reply_to="answers"))
        answer = await_value(lambda: queues.take("answers"), "a verdict")
        verdict = json.loads(answer.body)
        assert (answer.type, verdict["token"]) == ("ganglion.verdict.v1", result["token"]), answer
        return str(verdict["verdict"])

    assert judged({"token": task["token"], "output": "once", "work_ms": 5}) == "accepted"
    assert judged({"token": task["token"], "output": "twice"}) in ("accepted", "stale_attempt")
    another_run = run.id[:-1] + ("0" if run.id[-1] != "0" else "1")
    assert judged({"token": task["token"].replace(run.id, another_run), "output": 1}) == "unknown"
    assert client.wait(run.id, timeout=CONDITION_SECONDS).output == "once"


def what_is_no_result_is_a_dead_letter(client: Client, broker: Broker, folder: Path) -> None:
    before = broker.queues.count_dead_letters(COORDINATOR)
    broker.queues.publish(COORDINATOR, Message(RESULT, "no JSON"))
    broker.queues.publish(COORDINATOR, Message(RESULT, json.dumps({"token": "no token", "output": 1})))
    broker.queues.publish(COORDINATOR, Message("somebody.else.v7", "{}"))
    await_value(lambda: broker.queues.count_dead_letters(COORDINATOR) == before + 3, "three dead letters")
    a_run_goes_from_agent_to_agent(client, broker, folder)


TESTS = (
    a_run_goes_from_agent_to_agent,
    an_error_of_an_agent_is_the_steps,
    another_does_what_a_dead_agent_had,
    a_task_says_what_it_is_and_its_result_is_judged,
    what_is_no_result_is_a_dead_letter,
)


def python(program: str) -> list[str]:
    return [str(PYTHON), str(AGENTS / program)]


def node(program: str) -> list[str]:
    return [str(NODE), str(AGENTS / program)]


def test_all(binary: Path, folder: Path, store: str, broker: Broker) -> None:
    with BusServer(binary, folder, store, broker.bus) as server, Client(server.url) as client:
        for test in TESTS:
            test(client, broker, folder)
            print(f"{broker.signs}: {test.__name__.replace('_', ' ')}", flush=True)


def test_redis(binary: Path, folder: Path) -> None:
    server = RedisStore()
    url = server.url("ganglion")
    queues = RedisQueues(url.partition("?")[0])
    programs = python("agent_redis.py"), node("agent_ioredis.mjs")
    try:
        test_all(binary, folder, url, Broker(url.partition("?")[0], queues, programs, "redis-py ioredis"))
    finally:
        queues.close()
        server.end()


def test_rabbitmq(binary: Path, folder: Path) -> None:
    store, server = RedisStore(), RabbitServer()
    queues = AmqpQueues(server.url())
    programs = python("agent_pika.py"), node("agent_amqplib.mjs")
    try:
        test_all(binary, folder, store.url("ganglion"), Broker(server.url(), queues, programs, "pika amqplib"))
    finally:
        queues.close()
        server.end()
        store.end()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ganglion", help="the binary (default: $GANGLION_BINARY)")
    parser.add_argument("--only", choices=("redis", "rabbitmq"))
    options = parser.parse_args()
    binary = binary_from(options.ganglion)
    require(RedisStore, RabbitServer)
    with tempfile.TemporaryDirectory(prefix="ganglion-plain-") as folder:
        for name, test in (("redis", test_redis), ("rabbitmq", test_rabbitmq)):
            if options.only in (None, name):
                test(binary, Path(folder) / name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
