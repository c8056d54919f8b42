"""The workflow language against the real server: what docs/guide/workflows.md and state-and-events.md say, done.

One project with a small workflow for each thing; the agents are functions of this file.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ganglion import Client, Fail, ProblemError, Run, Task, Worker

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "examples"))

from launcher import Server, find_binary

PATIENCE = 60.0

PROJECT = """
ganglion: 1
defaults: {timeout: 30s, retry: {max_attempts: 1}}
topics:
  order.paid: {1: {type: object, required: [order]}, 2: {type: object, required: [order, cents]}}
agents:
  echo: {kind: worker}
  count: {kind: worker}
  broken: {kind: worker}
  flaky: {kind: worker}
  noter: {kind: worker, publishes: [note.*], state: {read: [case.*], write: [case.note]}}
  spender: {kind: worker, budget: {tokens: 40}}
  watcher: {kind: worker, subscribes: [note.*]}
workflows:
  loop:
    steps:
      up:
        agent: count
        input: {from: "${{ steps.up.output }}"}
        until: "${{ steps.up.output >= input.to }}"
        max_iterations: 4
        on_failure: continue
      end: {transform: {reached: "${{ steps.up.output }}", error: "${{ steps.up.error }}"}}
    output: "${{ steps.end.output }}"
  mapped_loop:
    steps:
      up:
        for_each: "${{ input.targets }}"
        agent: count
        input: {from: "${{ steps.up.output }}"}
        until: "${{ steps.up.output >= item }}"
        max_iterations: 10
    output: "${{ steps.up.output }}"
  factorial:
    steps:
      below:
        if: "${{ input.n > 1 }}"
        workflow: factorial
        input: {n: "${{ input.n - 1 }}"}
    output: "${{ input.n > 1 ? input.n * steps.below.output : 1 }}"
  endless:
    steps: {again: {workflow: endless}}
  family:
    steps:
      children: {for_each: [1, 2], workflow: patient}
  patient:
    steps: {wait: {wait_for: {event: go}}}
    output: "${{ steps.wait.output.data }}"
  patient_twice:
    steps:
      first: {wait_for: {event: first}}
      second: {needs: [first], wait_for: {event: second}}
    output: ["${{ steps.first.output.data }}", "${{ steps.second.output.data }}"]
  chosen:
    steps: {ask: {agent: "${{ input.who }}", input: "${{ input.what }}"}}
    output: "${{ steps.ask.output }}"
  paid:
    steps:
      wait: {wait_for: {event: order.paid, where: "${{ event.data.order == input.order }}", timeout: 30s}}
    output: "${{ steps.wait.output.data }}"
  impatient:
    steps:
      wait: {wait_for: {event: never, timeout: 100ms}, on_failure: continue}
      end: {transform: "${{ steps.wait.error.code }}"}
    output: "${{ steps.end.output }}"
  on_payment:
    steps: {echo: {agent: echo, input: "${{ input }}"}}
    output: "${{ steps.echo.output }}"
  case:
    steps:
      open: {set: {case.status: open, case.owner: "${{ input.owner }}"}}
      note: {agent: noter, needs: [open], input: {owner: "${{ state.case.owner }}", write: "${{ input.write }}"}}
      close: {needs: [note], set: {case.status: closed, case.owner: null}}
  told:
    steps: {tell: {publish: {topic: order.paid, data: "${{ input }}"}}}
    output: "${{ steps.tell.output.type }}"
  paused:
    steps: {try: {agent: flaky, input: "${{ run.id }}", on_failure: pause}}
    output: "${{ steps.try.output }}"
  spend:
    budget: {tokens: 100}
    steps:
      each: {for_each: "${{ input.items }}", max_parallel: 1, agent: spender, input: {item: "${{ item }}"}}
    output: "${{ steps.each.output }}"
  two_steps:
    steps:
      one: {agent: echo, input: {n: "${{ input.n }}"}}
      two: {agent: echo, input: {n: "${{ steps.one.output.n + input.n }}"}}
    output: "${{ steps.two.output.n }}"
  fails:
    steps: {it: {agent: broken, input: "${{ run.id }}"}}
    output: "${{ steps.it.output }}"
triggers:
  - on: order.paid
    where: "${{ event.data.order == 'trigger' }}"
    workflow: on_payment
    input: {order: "${{ event.data.order }}"}
"""


def agents(url: str) -> Worker:
    worker = Worker(url)
    seen: set[str] = set()

    @worker.agent("echo")
    def echo(task: Task) -> Any:
        return task.input

    @worker.agent("count")
    def count(task: Task) -> int:
        return int(task.input["from"] or 0) + 1

    def fails_once(task: Task) -> str:
        """Once for each run, which is its input."""
        if task.input not in seen:
            seen.add(task.input)
            raise Fail("not_yet", "the first time it fails")
        return "at last"

    worker.agent("broken")(fails_once)
    worker.agent("flaky")(fails_once)

    @worker.agent("noter")
    def note(task: Task, owner: str, write: str) -> str:
        task.set_state(write, f"note for {owner}")
        task.publish("note.made", {"owner": owner})
        return owner

    @worker.agent("spender")
    def spend(task: Task, item: int) -> int:
        task.usage(tokens=30)
        return item

    @worker.agent("watcher")
    def watch(task: Task) -> str:
        return str(task.input["type"])

    return worker


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("workflows")
    (folder / "ganglion.yaml").write_text(PROJECT)
    with Server(find_binary(), folder / "ganglion.yaml", folder) as server:
        worker = agents(server.url)
        thread = threading.Thread(target=lambda: asyncio.run(worker.run_async()), daemon=True)
        thread.start()
        try:
            with Client(server.url) as client:
                yield client
        finally:
            while thread.is_alive():
                worker.stop()
                thread.join(0.05)


def done(run: Run) -> Any:
    assert run.status == "completed", run
    return run.output


def run(client: Client, workflow: str, input: Any = None, **more: Any) -> Run:
    started = client.start(workflow, input, wait=PATIENCE, **more)
    assert started.ended, started
    return started


def until(what: Callable[[], Any]) -> Any:
    """The first result that is true."""
    deadline = time.monotonic() + PATIENCE
    while not (found := what()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def test_a_loop_goes_round_until_it_is_there_and_sees_its_last_output(client: Client) -> None:
    ended = run(client, "loop", {"to": 3})
    assert done(ended) == {"reached": 3, "error": None}
    assert ended.steps["up"].iteration == 3


def test_a_loop_that_never_gets_there_keeps_its_last_output_beside_the_error(client: Client) -> None:
    output = done(run(client, "loop", {"to": 100}))
    assert (output["reached"], output["error"]["code"]) == (4, "max_iterations")


def test_each_item_of_a_mapped_loop_goes_round_by_itself(client: Client) -> None:
    assert done(run(client, "mapped_loop", {"targets": [1, 4, 2]})) == [1, 4, 2]


def test_a_workflow_may_call_itself(client: Client) -> None:
    ended = run(client, "factorial", {"n": 5})
    assert done(ended) == 120
    (child,) = (client.get(child.id) for child in client.list(parent=ended.id))
    assert child.parent is not None
    assert child.parent["run_id"] == ended.id
    assert ended.steps["below"].run_id == child.id


def test_a_workflow_that_calls_itself_for_ever_ends_too_deep(client: Client) -> None:
    ended = run(client, "endless")
    assert ended.status == "failed"
    assert "too_deep" in str(ended.error)


def test_children_are_paused_resumed_and_cancelled_with_their_parent(client: Client) -> None:
    parent = client.start("family")

    def statuses() -> set[str]:
        return {client.get(child.id).status for child in client.list(parent=parent.id)}

    until(lambda: len(list(client.list(parent=parent.id))) == 2 and statuses() == {"waiting"})
    client.pause(parent.id)
    until(lambda: statuses() == {"paused"})
    client.resume(parent.id)
    until(lambda: statuses() == {"waiting"})
    client.cancel(parent.id)
    until(lambda: statuses() == {"cancelled"})


def test_an_expression_chooses_the_agent_and_an_unknown_one_fails(client: Client) -> None:
    assert done(run(client, "chosen", {"who": "echo", "what": [1, None, "x"]})) == [1, None, "x"]
    assert run(client, "chosen", {"who": "nobody", "what": 1}).error["code"] == "unknown_agent"


def test_a_signal_is_kept_until_a_step_waits_for_it_and_counts_once(client: Client) -> None:
    waiting = client.start("patient_twice")
    for _ in range(2):
        client.signal(waiting.id, "second", 2, idempotency_key="k")
    client.signal(waiting.id, "first", 1)
    assert done(client.wait(waiting.id, timeout=PATIENCE)) == [1, 2]
    assert [event.type for event in client.journal(waiting.id)].count("signal_received") == 2
    with pytest.raises(ProblemError) as late:
        client.signal(waiting.id, "first")
    assert late.value.status == 409


def test_an_event_is_taken_by_the_run_that_it_is_for(client: Client) -> None:
    runs = {order: client.start("paid", {"order": order}) for order in ("a", "b")}
    until(lambda: all(client.get(waiting.id).status == "waiting" for waiting in runs.values()))
    client.publish("order.paid", {"order": "b", "cents": 5})
    assert done(client.wait(runs["b"].id, timeout=PATIENCE)) == {"order": "b", "cents": 5}
    assert client.get(runs["a"].id).status == "waiting"
    client.cancel(runs["a"].id)


def test_waiting_ends_at_its_timeout(client: Client) -> None:
    assert done(run(client, "impatient")) == "timeout"


def test_an_event_starts_the_runs_that_are_triggered_by_it_once(client: Client) -> None:
    event = {"order": "trigger", "cents": 7}
    sent = [client.publish("order.paid", event, id="one", source="/test") for _ in range(2)]
    assert [one.duplicate for one in sent] == [False, True]
    triggered = until(lambda: list(client.list(workflow="on_payment")))
    ended = client.wait(triggered[0].id, timeout=PATIENCE)
    assert done(ended) == {"order": "trigger"}
    assert ended.cause == {"event": sent[0].seq}
    assert len(list(client.list(workflow="on_payment"))) == 1


def test_data_that_breaks_its_topics_schema_is_refused_and_an_unknown_version_is_a_dead_letter(client: Client) -> None:
    with pytest.raises(ProblemError) as refused:
        client.publish("order.paid", {"order": "x"})
    assert refused.value.status == 422
    assert not client.publish("order.paid", {"order": "x"}, version=1).dead_lettered
    assert client.publish("order.paid", {"order": "x"}, version=9).dead_lettered
    letters = [letter for letter in client.dead_letters(kind="event")]
    assert letters[0].event["data"] == {"order": "x"}
    assert run(client, "told", {"order": 1}).error["code"] == "invalid_event"
    assert done(run(client, "told", {"order": "nobody", "cents": 1})) == "order.paid"


def test_a_session_s_state_is_written_by_steps_and_by_agents_that_may(client: Client) -> None:
    ended = run(client, "case", {"owner": "someone", "write": "case.note"}, session_id="s1")
    assert ended.status == "completed", ended
    snapshot = client.snapshot("s1")
    values = {key: entry.value for key, entry in snapshot.entries.items()}
    assert values == {"case.status": "closed", "case.note": "note for someone"}
    first = {key: entry.value for key, entry in client.snapshot("s1", version=1).entries.items()}
    assert first == {"case.status": "open", "case.owner": "someone"}


def test_a_key_that_an_agent_may_not_write_fails_its_task_and_nothing_is_written_or_published(client: Client) -> None:
    before = len(list(client.events(topic="note.made")))
    ended = run(client, "case", {"owner": "someone", "write": "case.status"}, session_id="s2")
    assert (ended.status, ended.error["code"]) == ("failed", "not_permitted")
    assert client.get_state("s2", "case.status").value == "open"
    assert len(list(client.events(topic="note.made"))) == before


def test_a_state_without_a_session_is_an_error(client: Client) -> None:
    ended = run(client, "case", {"owner": "someone", "write": "case.note"})
    assert (ended.status, ended.error["code"]) == ("failed", "no_session")


def test_what_a_result_publishes_is_told_to_whoever_subscribes_with_its_cause(client: Client) -> None:
    ended = run(client, "case", {"owner": "x", "write": "case.note"}, session_id="s3")
    assert ended.status == "completed", ended
    (event,) = [event for event in client.events(topic="note.*") if (event.cause or {}).get("run_id") == ended.id]
    assert (event.cause or {})["step"] == "note"

    def reactions() -> list[Run]:
        started = [client.get(one.id) for one in client.list(workflow="@watcher")]
        return [one for one in started if one.cause == {"event": event.seq}]

    (reaction,) = until(reactions)
    assert done(client.wait(reaction.id, timeout=PATIENCE)) is not None


def test_a_run_that_paused_itself_goes_on_when_a_person_says_so(client: Client) -> None:
    started = client.start("paused")
    until(lambda: client.get(started.id).status == "paused")
    client.resume(started.id)
    assert done(client.wait(started.id, timeout=PATIENCE)) == "at last"


def test_a_failed_run_goes_on_by_a_retry_or_by_its_dead_letter(client: Client) -> None:
    by_retry = run(client, "fails")
    assert by_retry.error["code"] == "not_yet"
    client.retry(by_retry.id)
    assert done(client.wait(by_retry.id, timeout=PATIENCE)) == "at last"
    by_letter = run(client, "fails")
    (letter,) = client.dead_letters(run=by_letter.id)
    assert (letter.step, letter.error["code"]) == ("it", "not_yet")
    client.requeue(letter.id)
    assert done(client.wait(by_letter.id, timeout=PATIENCE)) == "at last"
    assert list(client.dead_letters(run=by_letter.id)) == []


def test_a_budget_ends_a_run_before_it_overspends(client: Client) -> None:
    assert done(run(client, "spend", {"items": [1, 2, 3]})) == [1, 2, 3]
    ended = run(client, "spend", {"items": [1, 2, 3, 4]})
    assert (ended.status, ended.error["code"]) == ("failed", "budget_exceeded")
    assert ended.usage["tokens"] == 90


def test_a_fork_shares_what_was_done_before_its_step(client: Client) -> None:
    original = run(client, "two_steps", {"n": 1})
    assert done(original) == 2
    fork = client.fork(original.id, "two", {"n": 10})
    assert done(client.wait(fork.id, timeout=PATIENCE)) == 11
    assert fork.forked_from is not None
    assert fork.forked_from["run_id"] == original.id
    assert client.get(original.id).output == 2
