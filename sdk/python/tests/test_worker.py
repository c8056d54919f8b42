"""Workers against the real server: what agents get and give, and who does the work when something dies."""

from __future__ import annotations

import asyncio
import json
import signal
import threading
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from harness import PATIENCE, PROJECT, RunningWorker, Server, StartWorker, WorkerProcess

from ganglion import Client, Fail, ProblemError, Retry, Task, Worker

BLOCKING_WORKER = """
import threading
from ganglion import Worker
worker = Worker(grace={grace})
@worker.agent("first")
def first(task):
    print("working", task.attempt)
    if {hang}: threading.Event().wait()
    return "from the other process"
@worker.agent("brief")
def brief(task):
    print("working", task.attempt)
    threading.Event().wait()
worker.run()
print("stopped")
"""


def test_sync_and_async_agents_get_fields_and_give_outputs(
    server: Server, client: Client, start_worker: StartWorker
) -> None:
    worker = Worker(server.url)

    @worker.agent("first")
    def first(x: int, y: int = 10) -> dict[str, int]:
        return {"sum": x + y}

    @worker.agent("second")
    async def second(task: Task, a: dict[str, int]) -> list[Any]:
        await asyncio.sleep(0)
        return [a["sum"], task.step, task.attempt, task.item]

    start_worker(worker)
    run = client.start("two", {"x": 1, "unused": True}, wait=PATIENCE)
    assert run.status == "completed", run
    assert run.output == [11, "b", 1, None]


def test_two_hundred_tasks_never_exceed_the_concurrency(
    server: Server, client: Client, start_worker: StartWorker
) -> None:
    worker = Worker(server.url)
    lock = threading.Lock()
    at_once = most = 0

    @worker.agent("first", concurrency=8)
    def first(x: int) -> int:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        threading.Event().wait(0.002)
        with lock:
            at_once -= 1
        return x * 2

    start_worker(worker)
    run = client.start("map", {"items": list(range(200))}, wait=PATIENCE)
    assert run.status == "completed", run
    assert run.output == [x * 2 for x in range(200)]
    assert 1 < most <= 8


def test_fail_ends_the_attempts(server: Server, client: Client, start_worker: StartWorker) -> None:
    worker = Worker(server.url)
    calls: list[int] = []

    @worker.agent("first")
    def first(task: Task) -> None:
        calls.append(task.attempt)
        raise Fail("out_of_stock", "nothing left")

    start_worker(worker)
    run = client.start("one", wait=PATIENCE)
    assert run.status == "failed"
    assert run.steps["work"].error["code"] == "out_of_stock"
    assert run.steps["work"].error["message"] == "nothing left"
    assert calls == [1]


def test_retry_and_exceptions_are_tried_again(server: Server, client: Client, start_worker: StartWorker) -> None:
    worker = Worker(server.url)
    calls: list[int] = []

    @worker.agent("first")
    async def first(task: Task) -> str:
        calls.append(task.attempt)
        if task.attempt == 1:
            raise Retry("not yet")
        if task.attempt == 2:
            raise ValueError("oops")
        return "at last"

    start_worker(worker)
    run = client.start("one", wait=PATIENCE)
    assert (run.status, run.output) == ("completed", "at last")
    assert calls == [1, 2, 3]
    journal = json.dumps([event.data for event in client.journal(run.id)])
    assert "not yet" in journal
    assert "ValueError: oops" in journal


def test_attempts_are_exhausted_by_exceptions(server: Server, client: Client, start_worker: StartWorker) -> None:
    worker = Worker(server.url)

    @worker.agent("first")
    def first() -> None:
        raise SystemExit("agents can't end the worker")

    start_worker(worker)
    run = client.start("one", wait=PATIENCE)
    assert run.status == "failed"
    assert run.steps["work"].attempts == 3
    assert run.steps["work"].error["code"] == "exception"


@pytest.mark.parametrize("bad", [object(), float("nan"), "\ud800"], ids=["object", "nan", "surrogate"])
def test_an_output_that_is_not_json_fails_the_task(
    server: Server, client: Client, start_worker: StartWorker, bad: Any
) -> None:
    worker = Worker(server.url)
    worker.agent("first")(lambda: bad)
    start_worker(worker)
    run = client.start("one", wait=PATIENCE)
    assert run.status == "failed"
    assert run.steps["work"].error["code"] == "invalid_output"


def test_an_input_without_a_needed_field_fails_the_task(
    server: Server, client: Client, start_worker: StartWorker
) -> None:
    worker = Worker(server.url)
    worker.agent("first")(lambda needed: needed)
    start_worker(worker)
    run = client.start("one", {"other": 1}, wait=PATIENCE)
    assert run.status == "failed"
    assert run.steps["work"].error["code"] == "invalid_input"
    assert "needed" in run.steps["work"].error["message"]


def test_an_output_that_is_too_large_fails_its_task_and_no_other(
    server: Server, client: Client, start_worker: StartWorker
) -> None:
    worker = Worker(server.url)

    @worker.agent("first", concurrency=4)
    def first(size: int) -> str:
        return "x" * size

    start_worker(worker)
    runs = [client.start("one", {"size": size}) for size in (10, 9 * 1024 * 1024, 20)]
    ended = [client.wait(run.id, timeout=PATIENCE) for run in runs]
    assert [run.status for run in ended] == ["completed", "failed", "completed"]


def test_usage_reaches_the_run(server: Server, client: Client, start_worker: StartWorker) -> None:
    worker = Worker(server.url)

    @worker.agent("first")
    def first(task: Task) -> None:
        task.usage(input_tokens=10)
        task.usage(input_tokens=5, output_tokens=7)

    start_worker(worker)
    run = client.start("one", wait=PATIENCE)
    assert run.status == "completed"
    assert run.usage["input_tokens"] == 15
    assert run.usage["output_tokens"] == 7


def test_a_cancelled_run_cancels_an_async_agent(server: Server, client: Client, start_worker: StartWorker) -> None:
    worker = Worker(server.url)
    working, cancelled = threading.Event(), threading.Event()

    @worker.agent("brief")
    async def brief() -> None:
        working.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    start_worker(worker)
    run = client.start("brief")
    assert working.wait(PATIENCE)
    client.cancel(run.id)
    assert cancelled.wait(PATIENCE)
    assert client.get(run.id).status == "cancelled"


def test_a_cancelled_run_tells_a_sync_agent_and_frees_its_place(
    server: Server, client: Client, start_worker: StartWorker
) -> None:
    worker = Worker(server.url, concurrency=1)
    working, told = threading.Event(), threading.Event()

    @worker.agent("brief")
    def brief(task: Task) -> str:
        if task.input.get("hang"):
            working.set()
            task.progress(0.5, {"stage": "waiting"})
            if task.wait_cancelled(PATIENCE):
                told.set()
            task.raise_if_cancelled()
        return "next"

    start_worker(worker)
    run = client.start("brief", {"hang": True})
    assert working.wait(PATIENCE)
    client.cancel(run.id)
    assert told.wait(PATIENCE)
    assert client.start("brief", {}, wait=PATIENCE).output == "next"


def test_an_attempt_that_times_out_is_cancelled_and_tried_again(
    server: Server, client: Client, start_worker: StartWorker
) -> None:
    worker = Worker(server.url)
    cancelled = threading.Event()

    @worker.agent("brief")
    async def brief(task: Task) -> int:
        if task.attempt == 1:
            try:
                await asyncio.Event().wait()
            finally:
                cancelled.set()
        return task.attempt

    start_worker(worker)
    run = client.start("brief", wait=PATIENCE)
    assert (run.status, run.output) == ("completed", 2)
    assert cancelled.wait(PATIENCE)


def test_a_killed_worker_loses_its_task_to_another_one(
    server: Server, client: Client, start_worker: StartWorker, worker_process: Callable[[str], WorkerProcess]
) -> None:
    # given a worker that dies while it works
    doomed = worker_process(BLOCKING_WORKER.format(grace=1, hang=True))
    run = client.start("brief")
    assert doomed.line() == "working 1"
    doomed.signal(signal.SIGKILL)
    # when another worker comes
    worker = Worker(server.url)
    worker.agent("brief")(lambda task: ["rescued", task.attempt])
    start_worker(worker)
    # then it gets the next attempt
    ended = client.wait(run.id, timeout=PATIENCE)
    assert (ended.status, ended.output) == ("completed", ["rescued", 2])


def test_a_stopped_worker_ends_its_task_within_the_grace_time(
    server: Server, client: Client, worker_process: Callable[[str], WorkerProcess]
) -> None:
    source = BLOCKING_WORKER.format(grace=30, hang=False).replace('print("working"', 'import os; print("working"')
    worker = worker_process(source.replace('    return "from', '    os.kill(os.getpid(), 15)\n    return "from'))
    run = client.start("one")
    assert worker.line() == "working 1"
    assert worker.line() == "stopped"
    assert worker.wait() == 0
    ended = client.wait(run.id, timeout=PATIENCE)
    assert (ended.output, ended.steps["work"].attempts) == ("from the other process", 1)


def test_a_stopped_worker_hands_back_what_takes_too_long(
    server: Server, client: Client, start_worker: StartWorker, worker_process: Callable[[str], WorkerProcess]
) -> None:
    # given a worker with a task that never ends
    stuck = worker_process(BLOCKING_WORKER.format(grace=0.1, hang=True))
    run = client.start("one")
    assert stuck.line() == "working 1"
    # when it is told to stop
    stuck.signal(signal.SIGTERM)
    # then it ends although its thread does not, and another worker gets the task at once
    assert stuck.line() == "stopped"
    assert stuck.wait() == 0
    worker = Worker(server.url)
    worker.agent("first")(lambda task: task.attempt)
    start_worker(worker)
    ended = client.wait(run.id, timeout=PATIENCE)
    assert (ended.status, ended.output) == ("completed", 2)
    assert "worker_stopping" in json.dumps([event.data for event in client.journal(run.id)])


def test_a_result_survives_a_crash_of_the_server(server: Server, client: Client, start_worker: StartWorker) -> None:
    # given a worker in the middle of a task
    worker = Worker(server.url)
    working, go_on = threading.Event(), threading.Event()
    calls: list[int] = []

    @worker.agent("first")
    def first(task: Task) -> str:
        calls.append(task.attempt)
        working.set()
        go_on.wait(PATIENCE)
        return "kept"

    start_worker(worker)
    run = client.start("one")
    assert working.wait(PATIENCE)
    # when the server dies, the task ends while nobody listens, and the server comes back
    server.kill()
    go_on.set()
    server.start()
    # then the result arrives, and the work was done once
    ended = client.wait(run.id, timeout=PATIENCE)
    assert (ended.status, ended.output) == ("completed", "kept")
    assert calls == [1]


def test_a_duplicate_result_is_stale_and_changes_nothing(server: Server, client: Client) -> None:
    def post(path: str, body: Any) -> Any:
        request = urllib.request.Request(server.url + path, json.dumps(body).encode())
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.loads(answer.read())

    run = client.start("one")
    (task,) = post("/v1/tasks/poll", {"agents": ["first"], "worker": "test", "max": 5, "wait": "30s"})["tasks"]
    first, second = {"token": task["token"], "output": 1}, {"token": task["token"], "output": 2}
    assert post("/v1/tasks/complete", {"results": [first]})["verdicts"] == ["accepted"]
    assert post("/v1/tasks/complete", {"results": [second, second]})["verdicts"] == ["stale_attempt"] * 2
    assert client.wait(run.id, timeout=PATIENCE).output == 1


def test_two_workers_share_the_work_without_doing_it_twice(
    server: Server, client: Client, start_worker: StartWorker
) -> None:
    # given two workers that can do one task each, of which each waits for the other
    done: list[int] = []
    both = threading.Barrier(2)
    for name in ("left", "right"):
        worker = Worker(server.url, name=name, concurrency=1)

        @worker.agent("first")
        def first(x: int) -> int:
            if x < 2:
                both.wait(PATIENCE)
            done.append(x)
            return x

        start_worker(worker)
    # when there are fifty tasks
    run = client.start("map", {"items": list(range(50))}, wait=PATIENCE)
    # then each was done once
    assert run.output == list(range(50))
    assert sorted(done) == list(range(50))


def test_a_worker_without_agents_is_an_error(server: Server) -> None:
    with pytest.raises(ValueError, match="no agents"):
        asyncio.run(Worker(server.url).run_async())


def test_an_idle_worker_stops_at_once_and_loses_no_task(
    server: Server, client: Client, start_worker: StartWorker
) -> None:
    # given an idle worker whose poll waits at the server
    worker = Worker(server.url)
    worker.agent("first")(lambda: "first worker")
    running = start_worker(worker)
    assert client.start("one", wait=PATIENCE).output == "first worker"
    # when it stops, and a task comes, and then another worker
    running.stop()
    run = client.start("one")
    other = Worker(server.url)
    other.agent("first")(lambda task: task.attempt)
    start_worker(other)
    # then the task was not given to the poll of the stopped worker
    assert client.wait(run.id, timeout=PATIENCE).output == 1


def test_a_worker_without_the_right_token_ends_with_the_problem(tmp_path: Path) -> None:
    server = Server(tmp_path, PROJECT, token="right")
    server.start()
    try:
        worker = Worker(server.url, token="wrong")
        worker.agent("first")(lambda: 1)
        with pytest.raises(ProblemError) as refused:
            asyncio.run(worker.run_async())
        assert refused.value.status == 401
        allowed = Worker(server.url, token="right")
        allowed.agent("first")(lambda: 1)
        running = RunningWorker(allowed)
        with Client(server.url, token="right") as client:
            assert client.start("one", wait=PATIENCE).output == 1
        running.stop()
    finally:
        server.stop()
