"""How cost grows: with the items of a map, and with the turns of a conversation that is passed on whole.

One worker and one client over the HTTP API, in this process; what is measured is the server: its time, its memory,
the bytes in its store, and how long other requests wait meanwhile.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
from pathlib import Path
from typing import Any

ITEMS = (1_000, 2_500, 5_000, 10_000)
TURNS = (100, 300, 1_000)
MESSAGE_BYTES = 200
PROBE_PAUSE = 0.01
BATCH = 256
LIMIT_SECONDS = 120

PROJECT = """\
ganglion: 1
defaults: {timeout: 60s}
agents:
  item: {kind: worker}
  chat: {kind: worker}
workflows:
  map:
    steps:
      each:
        for_each: "${{ input.items }}"
        agent: item
        input: {item: "${{ item }}", index: "${{ index }}"}
    output: "${{ size(steps.each.output) }}"
  conversation:
    steps:
      chat:
        agent: chat
        input: {messages: "${{ steps.chat.output == null ? [] : steps.chat.output.messages }}"}
        until: "${{ size(steps.chat.output.messages) >= input.turns }}"
        max_iterations: 10000
    output: "${{ size(steps.chat.output.messages) }}"
"""


class Api:
    """One connection."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT_SECONDS)

    def call(self, method: str, path: str, body: object = None) -> Any:
        payload = None if body is None else json.dumps(body)
        self._connection.request(method, path, payload, {"Content-Type": "application/json"})
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:300]!r}")
        return json.loads(text)


class Worker(threading.Thread):
    """Answers tasks of both agents at once."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self._api = Api(port)
        self._over = threading.Event()
        self.done_at: list[float] = []

    def end(self) -> None:
        self._over.set()
        self.join()

    def run(self) -> None:
        results: list[dict[str, Any]] = []
        while results or not self._over.is_set():
            body = {"results": results, "agents": ["item", "chat"], "worker": "growth", "max": BATCH, "wait": "200ms"}
            tasks = self._api.call("POST", "/v1/tasks/exchange", body)["tasks"]
            results = [{"token": task["token"], "output": self._answer(task)} for task in tasks]
            self.done_at.extend([time.monotonic()] * len(results))

    def _answer(self, task: dict[str, Any]) -> Any:
        if task["agent"] == "item":
            return task["input"]["item"]
        messages = task["input"]["messages"]
        text = f"{len(messages):08} " + "a word of it ".ljust(MESSAGE_BYTES, "x")
        return {"messages": [*messages, text[:MESSAGE_BYTES]]}


class Probe(threading.Thread):
    """Asks for something small again and again, and notes how long it waits."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self._api = Api(port)
        self._over = threading.Event()
        self.waits_ms: list[float] = []

    def run(self) -> None:
        while not self._over.wait(PROBE_PAUSE):
            began = time.monotonic()
            self._api.call("GET", "/v1/runs?limit=1")
            self.waits_ms.append((time.monotonic() - began) * 1000)

    def end(self) -> None:
        self._over.set()
        self.join()

    def percentile(self, share: float) -> float:
        ordered = sorted(self.waits_ms)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def store_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("bench.db*"))


def drive(server: Any, folder: Path, workflow: str, given: dict[str, Any], steps: int) -> dict[str, Any]:
    worker, probe = Worker(server.port), Probe(server.port)
    before, resident = store_bytes(folder), server.resident_mib()
    worker.start()
    probe.start()
    began = time.monotonic()
    run = Api(server.port).call("POST", f"/v1/runs?wait={LIMIT_SECONDS}s", {"workflow": workflow, "input": given})
    seconds = time.monotonic() - began
    probe.end()
    worker.end()
    if run["status"] != "completed" or run["output"] != steps:
        raise RuntimeError(f"the run {run['id']} is {run['status']}: {run['error']}")
    tail = worker.done_at[-50:]
    return {
        "steps": steps,
        "seconds": round(seconds, 3),
        "ms_per_step": round(seconds * 1000 / steps, 3),
        "ms_per_step_at_the_end": round((tail[-1] - tail[0]) * 1000 / max(1, len(tail) - 1), 3),
        "events": run["version"],
        "store_bytes_per_step": round((store_bytes(folder) - before) / steps),
        "resident_mib": round(server.resident_mib(), 1),
        "resident_growth_mib": round(server.resident_mib() - resident, 1),
        "other_requests_p50_ms": round(probe.percentile(0.5), 2),
        "other_requests_p99_ms": round(probe.percentile(0.99), 2),
    }


def map_of(server: Any, folder: Path, items: int) -> dict[str, Any]:
    texts = [f"item {number:06}".ljust(40, ".") for number in range(items)]
    return drive(server, folder, "map", {"items": texts}, items)


def conversation(server: Any, folder: Path, turns: int) -> dict[str, Any]:
    return drive(server, folder, "conversation", {"turns": turns}, turns)
