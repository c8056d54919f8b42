#!/usr/bin/env python3
"""A worker whose every request comes to another member, as behind a load balancer: it is told what the one that handed
the task out would say, and its result counts. Redis is real.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "sdk/python/src"))

from cluster import Backends, Member, Place
from serving import binary_from

SKIPPED = 77
HEARD_SECONDS = 10.0
PROJECT = """\
ganglion: 1
agents:
  slow: {kind: worker, timeout: 60s}
workflows:
  work:
    steps:
      one: {agent: slow, input: "${{ input }}"}
    output: "${{ steps.one.output }}"
"""


def ask(member: Member, method: str, path: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(member.url + path, data, {"content-type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def hand_out(member: Member) -> tuple[str, str]:
    """A run, and the token of its task, both of this member."""
    run = ask(member, "POST", "/v1/runs", {"workflow": "work", "input": 7})["id"]
    (task,) = ask(member, "POST", "/v1/tasks/poll", {"agents": ["slow"], "worker": "w", "wait": "20s"})["tasks"]
    assert task["run_id"] == run
    return run, task["token"]


def beat(member: Member, token: str) -> Any:
    return ask(member, "POST", "/v1/tasks/heartbeat", {"token": token, "worker": "w", "progress": 0.5})


def await_stop(member: Member, token: str) -> None:
    """The home of its run may hear in a moment that it has ended."""
    deadline = time.monotonic() + HEARD_SECONDS
    while not beat(member, token)["cancelled"]:
        assert time.monotonic() < deadline, "a worker is not told to stop"
        time.sleep(0.01)


def check(first: Member, second: Member) -> None:
    run, token = hand_out(first)
    here, there = beat(first, token), beat(second, token)
    assert there == here and there["cancelled"] is False and there["deadline"], (here, there)
    result = {"results": [{"token": token, "output": 8}]}
    assert ask(second, "POST", "/v1/tasks/complete", result)["verdicts"] == ["accepted"]
    assert ask(second, "GET", f"/v1/runs/{run}?wait=20s")["status"] == "completed"
    await_stop(second, token)

    run, token = hand_out(first)
    assert beat(second, token)["cancelled"] is False
    ask(second, "POST", f"/v1/runs/{run}/cancel", {})
    await_stop(second, token)


def main() -> int:
    if missing := Backends.missing("redis", "store"):
        print(f"skipped: {', '.join(missing)} is not installed")
        return SKIPPED
    backends = Backends("redis", "store")
    with tempfile.TemporaryDirectory(prefix="ganglion-any-member-") as name:
        members = [
            Member(binary_from(None), Path(name) / f"member-{number}", PROJECT, Place(), "mesh", backends)
            for number in range(2)
        ]
        try:
            for member in members:
                member.start()
            check(*members)
            check(*reversed(members))
            for member in members:
                member.stop()
        finally:
            for member in members:
                member.end()
            backends.end()
    print("a worker's requests may come to any member")
    return 0


if __name__ == "__main__":
    sys.exit(main())
