#!/usr/bin/env python3
"""The agent that stands in docs/guide/queues.md for Kafka does the tasks of a server whose bus is a real Kafka.

GANGLION_BINARY or --ganglion names the binary; plain_agents/prepare fetches the client's library.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from pathlib import Path

from plain_setup import CONDITION_SECONDS, PYTHON, ROOT, enter, require, running

enter()
sys.path.insert(0, str(ROOT / "sdk/python/src"))

from ganglion import Client
from kafka_server import KafkaServer
from serving import Server, binary_from

PAGE = ROOT / "docs/guide/queues.md"
PROGRAM = re.compile(r"\n## Kafka\n.*?^```python\n(.*?)^```$", re.M | re.S)
WORK = "code = lambda given: given['n'] + 1\n"
RUNS = 5
PROJECT = """\
ganglion: 1
agents:
  coder: {kind: worker, timeout: 20s}
workflows:
  count:
    steps: {one: {agent: coder, input: "${{ input }}"}}
    output: "${{ steps.one.output }}"
"""


class BusServer(Server):
    def __init__(self, binary: Path, folder: Path, bus: str) -> None:
        super().__init__(binary, folder, PROJECT)
        self._bus = bus

    def serve_command(self) -> list[str]:
        return [*super().serve_command(), "--bus", self._bus]


def agent(folder: Path, kafka: KafkaServer) -> list[str]:
    found = PROGRAM.search(PAGE.read_text())
    assert found is not None, f"{PAGE} has no program under Kafka"
    text = found[1].replace("127.0.0.1:9092", f"127.0.0.1:{kafka.address[1]}")
    assert text != found[1]
    file = folder / "agent.py"
    file.write_text(WORK + text)
    return [str(PYTHON), str(file)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ganglion", metavar="PATH")
    binary = binary_from(parser.parse_args().ganglion)
    require(KafkaServer)
    kafka = KafkaServer()
    try:
        with tempfile.TemporaryDirectory() as name, BusServer(binary, Path(name), kafka.url()) as server:
            client = Client(server.url)
            with running(agent(Path(name), kafka)):
                runs = [client.start("count", {"n": n}) for n in range(RUNS)]
                for n, run in enumerate(runs):
                    ended = client.wait(run.id, timeout=CONDITION_SECONDS)
                    assert (ended.status, ended.output) == ("completed", n + 1), ended
        print(f"kafka: the python program has done the tasks of {RUNS} runs")
    finally:
        kafka.end()


if __name__ == "__main__":
    main()
