"""State, events, people, signals, forks, blobs: the SDK against the real server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import PATIENCE, RunningWorker, Server

from ganglion import Approval, AsyncClient, Client, Event, Fail, ProblemError, Task, Worker, ref

PROJECT = """
ganglion: 1
defaults: {timeout: 60s, retry: {max_attempts: 2, initial: 10ms, jitter: 0}}
topics:
  order.paid:
    1: {type: object, required: [n], properties: {n: {type: integer}}}
agents:
  act:
    kind: worker
    publishes: ["order.*"]
    state: {read: ["case.*"], write: ["case.*"]}
  idle: {kind: worker, idle_timeout: 300ms, retry: {max_attempts: 1}}
triggers:
  - {on: order.paid, workflow: instant, input: "${{ event.data }}"}
workflows:
  instant:
    steps: {same: {transform: "${{ input }}"}}
    output: "${{ steps.same.output }}"
  act:
    steps: {work: {agent: act, input: "${{ input }}"}}
    output: "${{ steps.work.output }}"
  twice:
    steps:
      first: {agent: act, input: "${{ input }}"}
      second: {agent: act, input: {before: "${{ steps.first.output }}"}}
    output: "${{ steps.second.output }}"
  idle:
    steps: {work: {agent: idle, input: "${{ input }}"}}
    output: "${{ steps.work.output }}"
  again:
    steps:
      work:
        agent: act
        input: {last: "${{ steps.work.output }}"}
        until: "${{ steps.work.output >= 3 }}"
        max_iterations: 5
    output: "${{ steps.work.output }}"
  ask:
    steps: {ask: {approve: {by: [ada], show: {amount: "${{ input.amount }}"}}}}
    output: "${{ steps.ask.output }}"
  await:
    steps: {go: {wait_for: {event: go, timeout: 60s}}}
    output: "${{ steps.go.output.data }}"
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path, PROJECT)
    running.start()
    yield running
    running.kill()


class Agents:
    """A worker with one agent, until the end of a `with` block."""

    def __init__(self, server: Server, name: str, function: object, *, blob_outputs: bool = False) -> None:
        worker = Worker(server.url, blob_outputs=blob_outputs)
        assert callable(function)
        worker.agent(name)(function)
        self._running = RunningWorker(worker)

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None:
        self._running.stop()


def code_of(problem: pytest.ExceptionInfo[ProblemError]) -> tuple[int, str]:
    return problem.value.status, problem.value.code


def test_what_a_task_publishes_and_writes_comes_with_its_result(server: Server, client: Client) -> None:
    client.put_state("S", "case.status", "open")
    seen: list[int | None] = []

    def act(task: Task, n: int) -> str:
        seen.append(task.state_version)
        task.publish("order.paid", {"n": n})
        task.set_state("case.status", {"paid": n})
        task.usage(input_tokens=3)
        return "done"

    with Agents(server, "act", act):
        run = client.start("act", {"n": 7}, session_id="S", wait=PATIENCE)
    assert run.output == "done", run.error
    assert run.usage["input_tokens"] == 3
    state = client.get_state("S", "case.status")
    assert state.value == {"paid": 7}
    assert seen[0] is not None and seen[0] < state.version
    (event,) = client.events(topic="order.*")
    assert (event.type, event.data) == ("order.paid", {"n": 7})
    assert event.cause is not None and event.cause["run_id"] == run.id


def test_an_attempt_that_fails_counts_its_usage_and_nothing_else(server: Server, client: Client) -> None:
    def act(task: Task) -> None:
        task.usage(input_tokens=5)
        task.publish("order.paid", {"n": 1})
        raise Fail("broken", "out of order")

    with Agents(server, "act", act):
        run = client.start("act", wait=PATIENCE)
    assert run.status == "failed"
    assert run.usage["input_tokens"] == 5
    assert list(client.events()) == []


def test_what_an_agent_may_not_write_is_not_permitted(server: Server, client: Client) -> None:
    with Agents(server, "act", lambda task: task.set_state("other", 1)):
        run = client.start("act", session_id="S", wait=PATIENCE)
    assert run.error["code"] == "not_permitted"
    assert run.steps["work"].attempts == 1


@pytest.mark.parametrize("kind", ["thread", "loop"])
def test_a_task_lives_as_long_as_it_works_whatever_its_idle_timeout(server: Server, client: Client, kind: str) -> None:
    def in_a_thread(task: Task) -> bool:
        return task.wait_cancelled(1.5)

    async def in_the_loop(task: Task) -> bool:
        await asyncio.sleep(1.5)
        return task.cancelled

    with Agents(server, "idle", in_a_thread if kind == "thread" else in_the_loop):
        run = client.start("idle", wait=PATIENCE)
    assert (run.status, run.output) == ("completed", False), run.error


def test_iterations_are_told(server: Server, client: Client) -> None:
    told: list[int | None] = []

    def act(task: Task, last: int | None) -> int:
        told.append(task.iteration)
        return (last or 0) + 1

    with Agents(server, "act", act):
        run = client.start("again", wait=PATIENCE)
    assert run.output == 3, run.error
    assert told[0] is not None and told == list(range(told[0], told[0] + 3))


def test_a_large_output_becomes_a_blob(server: Server, client: Client) -> None:
    large = "x" * (3 * 1024 * 1024)
    with Agents(server, "act", lambda: large, blob_outputs=True):
        run = client.start("act", wait=PATIENCE)
    assert client.get_blob(run.output) == f'"{large}"'.encode()


def test_blobs_come_back_as_they_were(client: Client) -> None:
    content = bytes(range(256)) * 10_000
    digest = client.put_blob(content)
    assert client.put_blob(content) == digest
    assert client.get_blob(digest) == client.get_blob(ref(digest)) == content
    run = client.start("instant", {"document": ref(content)}, wait=PATIENCE)
    assert run.output == {"document": {"$ref": digest}}
    with pytest.raises(ProblemError) as missing:
        client.get_blob("0" * 64)
    assert missing.value.status == 404
    with pytest.raises(ProblemError) as unknown:
        client.start("instant", {"document": ref("0" * 64)})
    assert unknown.value.status == 422


def test_state_has_versions_and_of_two_writers_one_wins(client: Client) -> None:
    first = client.put_state("S", "case.status", "open", if_none_match=True)
    with pytest.raises(ProblemError) as there:
        client.put_state("S", "case.status", "x", if_none_match=True)
    assert code_of(there) == (412, "precondition_failed")
    second = client.put_state("S", "case.status", [1, None], if_match=first)
    with pytest.raises(ProblemError) as late:
        client.put_state("S", "case.status", "x", if_match=first)
    assert code_of(late) == (412, "precondition_failed")
    found = client.get_state("S", "case.status")
    assert (found.value, found.version) == ([1, None], second)
    assert client.snapshot("S", version=first).entries["case.status"].value == "open"
    assert client.snapshot("S").version >= second
    client.delete_state("S", "case.status", if_match=second)
    with pytest.raises(ProblemError) as gone:
        client.get_state("S", "case.status")
    assert gone.value.status == 404
    assert client.session("S").state_version > second


def test_an_event_counts_once_and_starts_what_it_triggers(client: Client) -> None:
    first = client.publish("order.paid", {"n": 1}, source="shop", id="17")
    again = client.publish("order.paid", {"n": 1}, source="shop", id="17")
    assert (first.duplicate, again.duplicate) == (False, True)
    batch = client.publish_batch([{"type": "other", "data": n} for n in range(3)])
    assert [item.dead_lettered for item in batch] == [False] * 3
    with pytest.raises(ProblemError) as invalid:
        client.publish("order.paid", "no object")
    assert code_of(invalid) == (422, "invalid")
    assert [event.data for event in client.events(topic="other")] == [2, 1, 0]
    (run,) = client.list(workflow="instant")
    assert client.wait(run.id, timeout=PATIENCE).output == {"n": 1}
    assert client.get(run.id).cause == {"event": first.seq}


def test_an_event_of_an_unknown_version_is_a_dead_letter(client: Client) -> None:
    published = client.publish("order.paid", {"n": 1}, version=9)
    assert published.dead_lettered and published.seq is None
    (letter,) = client.dead_letters(kind="event")
    assert letter.event["type"] == "order.paid"
    assert client.purge_dead_letters() == 1


def test_events_are_followed_over_a_crash_of_the_server(server: Server, client: Client) -> None:
    seen: list[Event] = []
    some = threading.Event()
    client.publish("before", 0)
    first = client.publish("other", 0)

    def follow() -> None:
        assert first.seq is not None
        for event in client.tail(topic="other", after=first.seq - 1):
            seen.append(event)
            some.set()
            if len(seen) == 4:
                return

    follower = threading.Thread(target=follow, daemon=True)
    follower.start()
    assert some.wait(PATIENCE)
    server.kill()
    server.start()
    with Client(server.url) as again:
        for n in (1, 2, 3):
            again.publish("other", n)
    follower.join(PATIENCE)
    assert not follower.is_alive()
    assert [event.data for event in seen] == [0, 1, 2, 3]


def open_approval(client: Client, run_id: str) -> Approval:
    for _ in client.follow(run_id):
        for approval in client.approvals(run=run_id):
            return approval
    raise AssertionError("nobody was asked")


def test_an_approval_is_for_what_was_shown_and_counts_once(client: Client) -> None:
    run = client.start("ask", {"amount": 5})
    approval = open_approval(client, run.id)
    assert (approval.show, approval.by, approval.kind) == ({"amount": 5}, ("ada",), "approval")
    assert client.get(run.id).steps["ask"].waiting_for == {"kind": "approval", "id": approval.id, "by": ["ada"]}
    with pytest.raises(ProblemError) as stranger:
        client.approve(approval, by="eve")
    assert code_of(stranger) == (403, "not_permitted")
    other = Approval.from_json({**approval.raw, "digest": "0" * 64})
    with pytest.raises(ProblemError) as changed:
        client.approve(other, by="ada")
    assert code_of(changed) == (409, "digest_mismatch")
    assert client.approve(approval, by="ada", comment="fine").decision == "approve"
    with pytest.raises(ProblemError) as late:
        client.reject(approval, by="ada")
    assert code_of(late) == (409, "conflict")
    assert client.wait(run.id, timeout=PATIENCE).output["comment"] == "fine"


def test_a_rejection_fails_the_step(client: Client) -> None:
    run = client.start("ask", {"amount": 5})
    client.reject(open_approval(client, run.id), by="ada")
    assert client.wait(run.id, timeout=PATIENCE).error["code"] == "rejected"


def test_a_signal_reaches_the_step_that_waits_for_it(client: Client) -> None:
    run = client.start("await")
    client.signal(run.id, "go", {"n": 7})
    assert client.wait(run.id, timeout=PATIENCE).output == {"n": 7}
    with pytest.raises(ProblemError) as ended:
        client.signal(run.id, "go")
    assert ended.value.status == 409


def test_a_fork_shares_what_came_before_its_step(server: Server, client: Client) -> None:
    calls: list[object] = []

    def act(task: Task) -> int:
        calls.append(task.input)
        return len(calls)

    with Agents(server, "act", act):
        run = client.start("twice", {"x": 1}, wait=PATIENCE)
        fork = client.wait(client.fork(run.id, "second").id, timeout=PATIENCE)
    assert (run.output, fork.output) == (2, 3)
    assert calls == [{"x": 1}, {"before": 1}, {"before": 1}]
    assert fork.forked_from is not None and fork.forked_from["run_id"] == run.id


def test_a_dead_letter_is_tried_again_or_forgotten(server: Server, client: Client) -> None:
    broken = True

    def act() -> str:
        if broken:
            raise Fail("broken", "out of order")
        return "repaired"

    with Agents(server, "act", act):
        run = client.start("act", wait=PATIENCE)
        assert run.status == "failed"
        (letter,) = client.dead_letters(run=run.id)
        assert (letter.kind, letter.step, letter.error["code"]) == ("task", "work", "broken")
        broken = False
        assert client.requeue(letter.id).run_id == run.id
        assert client.wait(run.id, timeout=PATIENCE).output == "repaired"
        broken = True
        for n in range(3):
            client.start("act", {"n": n}, wait=PATIENCE)
        client.delete_dead_letter(next(client.dead_letters()).id)
        assert client.purge_dead_letters() == 2


def test_the_tax_of_a_run_adds_up(server: Server, client: Client) -> None:
    with Agents(server, "act", lambda task: task.wait_cancelled(0.2)):
        run = client.start("act", wait=PATIENCE)
    tax = client.tax(run.id)
    assert tax.work_ms >= 150
    assert tax.wall_ms == pytest.approx(tax.work_ms + tax.tax_ms, abs=2)
    assert tax.critical_path[-1]["step"] == "work"


def test_a_project_is_checked_without_a_change(client: Client) -> None:
    before = client.project()
    other = before + "# another one\n"
    assert "open_runs" in client.check_project(other)
    assert client.project() == before
    client.put_project(other)
    assert client.project() == other


def test_the_asyncio_client_has_it_all_too(server: Server) -> None:
    async def use() -> None:
        async with AsyncClient(server.url) as client:
            assert await client.put_state("S", "case.status", 1, ttl=300) > 0
            assert (await client.get_state("S", "case.status")).value == 1
            run = await client.start("await")
            await client.signal(run.id, "go", "now")
            assert (await client.wait(run.id, timeout=PATIENCE)).output == "now"
            published = await client.publish("other", 1)
            async for event in client.tail(after=0):
                assert (event.seq, event.data) == (published.seq, 1)
                break
            assert [event.data async for event in client.events(topic="other")] == [1]
            digest = await client.put_blob(b"x")
            assert await client.get_blob(digest) == b"x"
            asked = await client.start("ask", {"amount": 1})
            async for _ in client.follow(asked.id):
                found = [approval async for approval in client.approvals(run=asked.id)]
                if found:
                    await client.approve(found[0], by="ada")
            assert (await client.get(asked.id)).status == "completed"

    asyncio.run(use())
