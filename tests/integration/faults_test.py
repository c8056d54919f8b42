#!/usr/bin/env python3
"""Faults one at a time, each with its answer: a worker that is late, a store that is taken, a server that comes back.

Standard library only; GANGLION_BINARY or --ganglion names the binary.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "sdk/python/src"))

from ganglion import Client
from serving import Server, binary_from

CONDITION_SECONDS = 30.0
TAKEN = 3  # exit code: no server or store

PROJECT = """\
ganglion: 1
defaults: {retry: {max_attempts: 3, initial: 10ms, max: 50ms, jitter: 0}}
agents:
  brief: {kind: worker, timeout: 500ms}
workflows:
  brief:
    steps: {work: {agent: brief, input: "${{ input }}"}}
    output: "${{ steps.work.output }}"
"""

#: Takes one task, says so, and returns its result when it is told to.
LATE_WORKER = """
import json, sys, urllib.request

def call(path, body):
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(sys.argv[1] + path, json.dumps(body).encode(), headers)
    return json.load(urllib.request.urlopen(request, timeout=30))

tasks = call("/v1/tasks/poll", {"agents": ["brief"], "worker": "late", "wait": "20s"})["tasks"]
print("took", tasks[0]["attempt"], flush=True)
sys.stdin.readline()
answer = call("/v1/tasks/complete", {"results": [{"token": tasks[0]["token"], "output": "late"}]})
print(answer["verdicts"][0], flush=True)
"""


def call(server: Server, path: str, body: Any) -> Any:
    request = urllib.request.Request(server.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=CONDITION_SECONDS) as answer:
        return json.load(answer)


def await_condition(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + CONDITION_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.01)


def late_result_of_a_stopped_worker_is_stale(binary: Path, folder: Path) -> None:
    with Server(binary, folder, PROJECT) as server, Client(server.url) as client:
        # given a worker that has taken the first attempt and is stopped
        run = client.start("brief", {})
        worker = subprocess.Popen(
            [sys.executable, "-c", LATE_WORKER, server.url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert worker.stdin is not None and worker.stdout is not None
        try:
            assert worker.stdout.readline() == "took 1\n"
            worker.send_signal(signal.SIGSTOP)
            # when its time is over, another one does the second attempt, and the first one goes on
            task = call(server, "/v1/tasks/poll", {"agents": ["brief"], "worker": "other", "wait": "20s"})["tasks"][0]
            assert task["attempt"] == 2, task
            result = {"token": task["token"], "output": "in time"}
            assert call(server, "/v1/tasks/complete", {"results": [result]})["verdicts"] == ["accepted"]
            worker.send_signal(signal.SIGCONT)
            worker.stdin.write("go\n")
            worker.stdin.flush()
            # then its result counts for nothing, and it is told so
            assert worker.stdout.readline() == "stale_attempt\n"
            assert worker.wait(CONDITION_SECONDS) == 0
        finally:
            worker.kill()
            worker.wait()
            worker.stdin.close()
            worker.stdout.close()
        ended = client.wait(run.id, timeout=CONDITION_SECONDS)
        assert (ended.status, ended.output) == ("completed", "in time"), ended
        kinds = [(event.type, event.attempt) for event in client.journal(run.id)]
        assert kinds == [
            ("run_created", None),
            ("task_scheduled", 1),
            ("task_failed", 1),
            ("task_scheduled", 2),
            ("task_succeeded", 2),
            ("run_completed", None),
        ], kinds


def repeated_result_is_accepted_once(binary: Path, folder: Path) -> None:
    with Server(binary, folder, PROJECT) as server, Client(server.url) as client:
        # given a result whose acceptance its worker has not heard of, because the server was killed
        run = client.start("brief", {})
        task = call(server, "/v1/tasks/poll", {"agents": ["brief"], "worker": "w", "wait": "20s"})["tasks"][0]
        result = {"token": task["token"], "output": "once"}
        assert call(server, "/v1/tasks/complete", {"results": [result]})["verdicts"] == ["accepted"]
        server.kill()
        server.start()
        # when it is sent again, twice and with another content
        repeated = {"results": [result, {**result, "output": "twice"}]}
        verdicts = call(server, "/v1/tasks/complete", repeated)["verdicts"]
        # then the run has the first one
        assert all(verdict in ("accepted", "stale_attempt") for verdict in verdicts), verdicts
        assert client.wait(run.id, timeout=CONDITION_SECONDS).output == "once"
        assert [event.type for event in client.journal(run.id)].count("task_succeeded") == 1


def second_server_on_a_store_is_refused(binary: Path, folder: Path) -> None:
    with Server(binary, folder, PROJECT) as server, Client(server.url) as client:
        # given a server with a run
        run = client.start("brief", {})
        # when another one is started on the same store
        command = server.command("serve", "-f", "ganglion.yaml", "--listen", "127.0.0.1:0", "--store", "sqlite:test.db")
        second = subprocess.run(
            command,
            cwd=folder,
            env=server.environment(),
            capture_output=True,
            text=True,
            timeout=CONDITION_SECONDS,
            check=False,
        )
        # then it says why it ends, in a line, and the first one doesn't notice
        assert second.returncode == TAKEN, (second.returncode, second.stderr)
        assert "test.db" in second.stderr and len(second.stderr.strip().splitlines()) <= 3, second.stderr
        assert "http://" not in second.stdout, second.stdout
        assert client.get(run.id).status == "running"


def stopped_server_answers_when_it_goes_on(binary: Path, folder: Path) -> None:
    with Server(binary, folder, PROJECT) as server, Client(server.url) as client:
        # given a handed-out task, and a server that is stopped for longer than the attempt may take
        run = client.start("brief", {})
        task = call(server, "/v1/tasks/poll", {"agents": ["brief"], "worker": "w", "wait": "20s"})["tasks"][0]
        assert server.process is not None
        server.process.send_signal(signal.SIGSTOP)
        deadline = time.monotonic() + 0.7
        await_condition(lambda: time.monotonic() > deadline, "the attempt's time to pass")
        server.process.send_signal(signal.SIGCONT)
        # when the result comes then, it counts or is stale, and the run ends with one result either way
        result = {"token": task["token"], "output": "first"}
        verdict = call(server, "/v1/tasks/complete", {"results": [result]})["verdicts"][0]
        if verdict != "accepted":
            assert verdict == "stale_attempt", verdict
            task = call(server, "/v1/tasks/poll", {"agents": ["brief"], "worker": "w", "wait": "20s"})["tasks"][0]
            result = {"token": task["token"], "output": "second"}
            assert call(server, "/v1/tasks/complete", {"results": [result]})["verdicts"] == ["accepted"]
        assert client.wait(run.id, timeout=CONDITION_SECONDS).output == result["output"]


TESTS = (
    late_result_of_a_stopped_worker_is_stale,
    repeated_result_is_accepted_once,
    second_server_on_a_store_is_refused,
    stopped_server_answers_when_it_goes_on,
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ganglion", help="the binary (default: $GANGLION_BINARY)")
    binary = binary_from(parser.parse_args().ganglion)
    with tempfile.TemporaryDirectory(prefix="ganglion-faults-") as folder:
        for test in TESTS:
            test(binary, Path(folder) / test.__name__)
            print(f"{test.__name__.replace('_', ' ')}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
