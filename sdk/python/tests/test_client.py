"""Both clients against the real server."""

from __future__ import annotations

import asyncio
import threading

import pytest
from harness import PATIENCE, Server, StartWorker

from ganglion import AsyncClient, Client, JournalEvent, ProblemError, RunNotFinished, ServerUnavailable, Task, Worker


def test_a_started_run_can_be_read(client: Client) -> None:
    run = client.start("instant", {"x": [1, "é", None]}, labels={"team": "a"}, wait=PATIENCE)
    again = client.get(run.id)
    assert (again.status, again.output, again.workflow) == ("completed", {"x": [1, "é", None]}, "instant")
    assert again.input == {"x": [1, "é", None]}
    assert again.ended and again.created_at and again.ended_at
    assert again.steps["same"].status == "completed"


def test_an_idempotency_key_stands_for_one_run_and_one_body(client: Client) -> None:
    first = client.start("instant", {"x": 1}, idempotency_key="k")
    same = client.start("instant", {"x": 1}, idempotency_key="k")
    assert first.id == same.id
    with pytest.raises(ProblemError) as problem:
        client.start("instant", {"x": 2}, idempotency_key="k")
    assert (problem.value.status, problem.value.code) == (409, "idempotency_mismatch")


def test_problems_have_a_code_and_a_status(client: Client) -> None:
    with pytest.raises(ProblemError) as missing:
        client.get("no-such-run")
    assert missing.value.status == 404
    assert not missing.value.temporary
    with pytest.raises(ProblemError) as invalid:
        client.put_project("ganglion: 1\nnonsense: true\n")
    assert invalid.value.status == 422
    assert invalid.value.errors
    assert "nonsense" in str(invalid.value)
    with pytest.raises(ProblemError) as unknown:
        client.start("no_such_workflow")
    assert unknown.value.status in (404, 422)


def test_a_body_that_is_too_large_is_a_problem_and_not_a_broken_connection(server: Server, client: Client) -> None:
    large = {"x": "x" * (9 * 1024 * 1024)}
    with pytest.raises(ProblemError) as problem:
        client.start("instant", large)
    assert (problem.value.status, problem.value.code) == (413, "too_large")

    async def use() -> None:
        async with AsyncClient(server.url) as again:
            with pytest.raises(ProblemError) as same:
                await again.start("instant", large)
            assert same.value.status == 413

    asyncio.run(use())


def test_no_server_is_said_so() -> None:
    with Client("http://127.0.0.1:9") as client, pytest.raises(ServerUnavailable):
        client.get("x")


def test_listing_goes_over_all_pages_newest_first(client: Client) -> None:
    started = [client.start("instant", {"n": n}).id for n in range(205)]
    listed = [run.id for run in client.list(workflow="instant")]
    assert sorted(listed) == sorted(started)
    assert listed == sorted(listed, reverse=True)  # ids sort by time
    assert list(client.list(workflow="one")) == []


def test_the_journal_is_gapless_and_can_be_read_from_anywhere(client: Client) -> None:
    run = client.start("instant", {"x": 1}, wait=PATIENCE)
    events = list(client.journal(run.id))
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert list(client.journal(run.id, after=1)) == events[1:]
    assert list(client.follow(run.id)) == events


def test_a_long_journal_is_read_over_all_pages(server: Server, client: Client, start_worker: StartWorker) -> None:
    worker = Worker(server.url)
    worker.agent("first")(lambda x: x)
    start_worker(worker)
    run = client.start("map", {"items": list(range(300))}, wait=PATIENCE)
    events = list(client.journal(run.id))
    assert len(events) > 300
    assert [event.seq for event in events] == list(range(1, len(events) + 1))


def test_following_survives_a_crash_of_the_server_without_gap_or_repetition(
    server: Server, client: Client, start_worker: StartWorker
) -> None:
    # given somebody who follows a run that waits for an agent
    working, go_on = threading.Event(), threading.Event()
    worker = Worker(server.url)

    @worker.agent("first")
    def first(task: Task) -> int:
        working.set()
        go_on.wait(PATIENCE)
        return 1

    start_worker(worker)
    run = client.start("one")
    seen: list[JournalEvent] = []
    begun = threading.Event()

    def follow() -> None:
        for event in client.follow(run.id):
            seen.append(event)
            begun.set()

    follower = threading.Thread(target=follow, daemon=True)
    follower.start()
    assert working.wait(PATIENCE) and begun.wait(PATIENCE)
    # when the server crashes and comes back, and the run ends
    server.kill()
    server.start()
    go_on.set()
    follower.join(PATIENCE)
    # then the follower has seen every event once
    assert not follower.is_alive()
    assert seen == list(client.journal(run.id))
    assert client.get(run.id).status == "completed"


def test_waiting_has_a_limit_and_the_run_goes_on(client: Client) -> None:
    run = client.start("one")
    with pytest.raises(RunNotFinished):
        client.wait(run.id, timeout=0.05)
    assert client.get(run.id).status == "running"
    assert client.cancel(run.id).status == "cancelled"
    assert client.cancel(run.id).status == "cancelled"
    assert client.wait(run.id, timeout=PATIENCE).status == "cancelled"


def test_a_paused_run_hands_out_nothing_until_it_is_resumed(
    server: Server, client: Client, start_worker: StartWorker
) -> None:
    # given a run that is paused while its first agent works
    working, go_on = threading.Event(), threading.Event()
    second_called = threading.Event()
    worker = Worker(server.url)

    @worker.agent("first")
    def first() -> int:
        working.set()
        go_on.wait(PATIENCE)
        return 1

    @worker.agent("second")
    def second(a: int) -> int:
        second_called.set()
        return a + 1

    start_worker(worker)
    run = client.start("two")
    assert working.wait(PATIENCE)
    assert client.pause(run.id).status == "paused"
    go_on.set()
    # when the first result has arrived, the second agent still waits
    for event in client.follow(run.id):
        if event.step == "a" and event.type == "task_succeeded":
            break
    assert not second_called.is_set()
    # then it goes on
    client.resume(run.id)
    assert client.wait(run.id, timeout=PATIENCE).output == 2


def test_retry_goes_on_from_what_failed(server: Server, client: Client, start_worker: StartWorker) -> None:
    broken = True
    worker = Worker(server.url)
    calls: list[str] = []

    @worker.agent("first")
    def first() -> int:
        calls.append("first")
        return 1

    @worker.agent("second")
    def second(a: int) -> int:
        calls.append("second")
        if broken:
            raise RuntimeError("broken")
        return a + 1

    start_worker(worker)
    run = client.start("two", wait=PATIENCE)
    assert run.status == "failed"
    broken = False
    client.retry(run.id)
    assert client.wait(run.id, timeout=PATIENCE).output == 2
    assert calls == ["first"] + ["second"] * 4


def test_the_asyncio_client_does_the_same(server: Server) -> None:
    async def use() -> None:
        async with AsyncClient(server.url) as client:
            runs = await asyncio.gather(*(client.start("instant", {"n": n}, wait=PATIENCE) for n in range(20)))
            assert [run.output["n"] for run in runs] == list(range(20))
            listed = [run.id async for run in client.list(status="completed")]
            assert sorted(listed) == sorted(run.id for run in runs)
            followed = [event async for event in client.follow(runs[0].id)]
            assert followed == [event async for event in client.journal(runs[0].id)]
            assert followed[0].seq == 1
            waiting = await client.start("one")
            with pytest.raises(RunNotFinished):
                await client.wait(waiting.id, timeout=0.05)
            assert (await client.cancel(waiting.id)).status == "cancelled"
            assert "workflows:" in await client.project()
            with pytest.raises(ProblemError):
                await client.get("no-such-run")

    asyncio.run(use())
