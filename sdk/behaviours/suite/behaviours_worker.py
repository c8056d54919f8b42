"""What a worker owes: how attempts end, who is told what, and what survives."""

from __future__ import annotations

import json
from typing import Any

from .checks import equal, has, holds
from .proxy import PASS, SWALLOW, Fate, Seen
from .registry import behaviour
from .stage import Stage


def script(*attempts: list[dict[str, Any]]) -> dict[str, Any]:
    """An input that says what the function does at each attempt."""
    return {"script": list(attempts)}


def most_at_once(said: list[dict[str, Any]]) -> int:
    """How many functions worked at the same time at most."""
    now = most = 0
    for line in said:
        if line.get("event") == "called":
            now += 1
            most = max(most, now)
        elif line.get("event") in ("returned", "cancelled"):
            now -= 1
    return most


@behaviour("a function's value is the output, whatever JSON it is")
def value_is_output(stage: Stage) -> None:
    stage.worker("act")
    values: list[Any] = [
        None,
        True,
        0,
        -1.5,
        9007199254740991,
        "",
        'Ä "quoted" 🦉\n\u0000\u2028',
        [],
        {},
        {"a": [1, {"b": None}]},
    ]
    run = stage.ended(stage.start("each", {"items": [script([{"return": value}]) for value in values]}))
    equal(run["output"], values, "output")


@behaviour("an input comes through as it was sent")
def input_comes_through(stage: Stage) -> None:
    worker = stage.worker("act")
    sent = {"text": "ß∂ƒ 🦉", "nested": {"list": [1, 2.5, None, True]}, "empty": {}}
    run = stage.ended(stage.start("one", sent))
    equal(run["output"], sent, "output")
    equal(worker.called()["input"], sent, "task.input")


@behaviour("a task tells whose it is, and its idempotency key is the same at every attempt")
def task_tells(stage: Stage) -> None:
    worker = stage.worker("act")
    items = [script([{"retry": {"message": "again"}}], [{"return": 1}]), script([{"return": 2}])]
    run = stage.ended(stage.start("each", {"items": items}, session_id="S"))
    first, second = worker.called(item=0, attempt=1), worker.called(item=0, attempt=2)
    has(first, {"run_id": run["id"], "step": "work", "agent": "act", "session_id": "S"}, "task")
    equal(first["idempotency_key"], second["idempotency_key"], "idempotency_key of the second attempt")
    holds(worker.called(item=1)["idempotency_key"] != first["idempotency_key"], "two items share an idempotency key")


@behaviour("Fail is not tried again")
def fail_is_final(stage: Stage) -> None:
    worker = stage.worker("act")
    failing = script([{"fail": {"code": "out_of_stock", "message": "nothing left"}}])
    run = stage.ended(stage.start("one", failing), "failed")
    has(run["steps"]["work"], {"attempts": 1}, "step")
    has(run["steps"]["work"]["error"], {"code": "out_of_stock", "message": "nothing left"}, "error")
    equal(len(worker.tasks("called", 1)), 1, "calls")


@behaviour("Retry and other exceptions are tried again")
def retry_is_tried_again(stage: Stage) -> None:
    worker = stage.worker("act")
    stubborn = script([{"retry": {"message": "not yet"}}], [{"throw": "oops"}], [{"return": "at last"}])
    run = stage.ended(stage.start("one", stubborn))
    equal(run["output"], "at last", "output")
    equal([task["attempt"] for task in worker.tasks("called", 3)], [1, 2, 3], "attempts")
    journal = json.dumps(stage.journal(run))
    holds("not yet" in journal and "oops" in journal, "the journal has the messages of both failures")


@behaviour("attempts are exhausted by exceptions")
def exceptions_exhaust(stage: Stage) -> None:
    stage.worker("act")
    run = stage.ended(stage.start("one", script([{"throw": "always"}])), "failed")
    equal(run["steps"]["work"]["attempts"], 3, "attempts")
    equal(run["steps"]["work"]["error"]["code"], "exception", "error.code")


@behaviour("an output that is too large fails its task and no other")
def too_large(stage: Stage) -> None:
    stage.worker("act", concurrency=4)
    sizes = [10, 9 * 1024 * 1024, 20]
    runs = [stage.start("one", script([{"return_text": size}])) for size in sizes]
    stage.ended(runs[0])
    stage.ended(runs[2])
    equal(stage.ended(runs[1], "failed")["steps"]["work"]["error"]["code"], "output_too_large", "error.code")


@behaviour("usage is added up, also that of failed attempts")
def usage_adds_up(stage: Stage) -> None:
    stage.worker("act")
    spends = {"usage": {"input_tokens": 5, "usd": 0.25}}
    run = stage.start(
        "one", script([spends, {"retry": {"message": "again"}}], [spends, {"usage": {"output_tokens": 7}}, spends])
    )
    has(stage.ended(run)["usage"], {"input_tokens": 15, "output_tokens": 7, "usd": 0.75}, "usage")


@behaviour("progress is told while the function works")
def progress_is_told(stage: Stage) -> None:
    proxy = stage.proxy()
    worker = stage.worker("act", via=proxy)
    says = {"progress": {"fraction": 0.5, "details": {"page": 7}}}
    run = stage.start("one", script([says, {"gate": "told"}, {"return": 1}]))

    def watch(seen: Seen) -> Fate:
        if seen.path == "/v1/tasks/heartbeat" and json.loads(seen.body).get("details") == {"page": 7}:
            equal(json.loads(seen.body)["progress"], 0.5, "progress")
            worker.open("told")
        return PASS

    proxy.decide = watch
    if any(b'"page"' in seen.body for seen in proxy.seen("/v1/tasks/heartbeat")):
        worker.open("told")
    equal(stage.ended(run)["steps"]["work"]["attempts"], 1, "attempts")


_IDLE = """
agents:
  act: {kind: worker, idle_timeout: 2s, timeout: 5m}
workflows:
  one:
    steps: {work: {agent: act, input: "${{ input }}"}}
    output: "${{ steps.work.output }}"
"""


@behaviour("heartbeats keep a task with an idle timeout alive", _IDLE)
def heartbeats(stage: Stage) -> None:
    stage.worker("act")
    run = stage.ended(stage.start("one", script([{"work": 4500}, {"return": "alive"}])))
    equal(run["output"], "alive", "output")
    equal(run["steps"]["work"]["attempts"], 1, "attempts")


_BRIEF = """
agents:
  act: {kind: worker, timeout: 3s}
workflows:
  one:
    steps: {work: {agent: act, input: "${{ input }}"}}
    output: "${{ steps.work.output }}"
"""


@behaviour("cancelling a run reaches a function that works, and frees its place", _BRIEF)
def cancel_reaches(stage: Stage) -> None:
    worker = stage.worker("act", concurrency=1)
    run = stage.start("one", script([{"gate": "never"}]))
    worker.called(run_id=run["id"])
    stage.post(f"/v1/runs/{run['id']}/cancel")
    worker.cancelled(run_id=run["id"])
    equal(stage.get(f"/v1/runs/{run['id']}")["status"], "cancelled", "status")
    equal(stage.ended(stage.start("one", script([{"return": "next"}])))["output"], "next", "output of the next run")


@behaviour("an attempt that times out is cancelled and tried again", _BRIEF)
def timeout_cancels(stage: Stage) -> None:
    worker = stage.worker("act")
    run = stage.start("one", script([{"gate": "never"}], [{"return": 2}]))
    equal(stage.ended(run)["output"], 2, "output")
    worker.cancelled(run_id=run["id"], attempt=1)


@behaviour("a result outlives the server's death by kill while the function works")
def server_dies(stage: Stage) -> None:
    worker = stage.worker("act")
    run = stage.start("one", script([{"gate": "go"}, {"return": "kept"}]))
    worker.called()
    stage.server.kill()
    stage.server.start()
    worker.open("go")
    equal(stage.ended(run)["output"], "kept", "output")
    equal(len(worker.tasks("called", 1)), 1, "calls")


@behaviour("a result that nobody could take is kept until the server is back")
def result_waits(stage: Stage) -> None:
    worker = stage.worker("act")
    run = stage.start("one", script([{"gate": "go"}, {"return": "kept"}]))
    worker.called()
    stage.server.kill()
    worker.open("go")
    worker.returned()
    stage.server.start()
    equal(stage.ended(run)["output"], "kept", "output")
    equal(len(worker.tasks("called", 1)), 1, "calls")


@behaviour("a result whose answer is lost is sent again, and counts once")
def answer_lost(stage: Stage) -> None:
    proxy = stage.proxy()
    swallowed: list[Seen] = []

    def swallow_first(seen: Seen) -> Fate:
        if seen.path in ("/v1/tasks/complete", "/v1/tasks/exchange") and not swallowed:
            swallowed.append(seen)
            return SWALLOW
        return PASS

    proxy.decide = swallow_first
    worker = stage.worker("act", via=proxy)
    run = stage.ended(stage.start("one", script([{"return": 1}])))
    has(run["steps"]["work"], {"attempts": 1, "output": 1}, "step")
    token = json.loads(swallowed[0].body)["results"][0]["token"]
    # The worker stays usable, and the result is not sent for ever.
    stage.ended(stage.start("one", script([{"return": 2}])))
    worker.stop()
    equal(worker.wait(), 0, "status of the worker")
    sent = [seen for seen in proxy.seen("/v1/tasks/") if b'"results"' in seen.body and token.encode() in seen.body]
    holds(len(sent) >= 2, "the result was not sent again")
    equal(len(worker.tasks("called")), 2, "calls")


@behaviour("mapped items come back in order, never more at once than the concurrency")
def mapped(stage: Stage) -> None:
    worker = stage.worker({"name": "act", "concurrency": 8})
    run = stage.ended(stage.start("each", {"items": [script([{"work": 2}, {"return": i * 2}]) for i in range(200)]}))
    equal(run["output"], [i * 2 for i in range(200)], "output")
    most = most_at_once(worker.said)
    holds(1 < most <= 8, f"{most} functions worked at once")


@behaviour("many results and tasks share a round trip")
def batching(stage: Stage) -> None:
    proxy = stage.proxy()
    worker = stage.worker({"name": "act", "concurrency": 32}, via=proxy)
    # All places are taken, then all functions end at once.
    gated = stage.start("each", {"items": [script([{"gate": "go"}, {"return": i}]) for i in range(32)]})
    for i in range(32):
        worker.called(item=i)
    before = len(proxy.seen("/v1/tasks/"))
    worker.open("go")
    equal(stage.ended(gated)["output"], list(range(32)), "output")
    requests = len(proxy.seen("/v1/tasks/")) - before
    holds(requests <= 16, f"32 results that were there at once took {requests} requests")
    before = len(proxy.seen("/v1/tasks/"))
    stage.ended(stage.start("each", {"items": list(range(640))}))
    requests = len(proxy.seen("/v1/tasks/")) - before
    holds(requests <= 320, f"640 small tasks at 32 at a time took {requests} requests")


@behaviour(
    "an agent with its own concurrency does not hold up another one",
    """
agents:
  slow: {kind: worker}
  fast: {kind: worker}
workflows:
  slow: {steps: {work: {agent: slow, input: "${{ input }}"}}}
  fast: {steps: {work: {agent: fast, input: "${{ input }}"}}}
""",
)
def own_concurrency(stage: Stage) -> None:
    worker = stage.worker({"name": "slow", "concurrency": 1}, "fast", concurrency=1)
    slow = [stage.start("slow", script([{"gate": "go"}])) for _ in range(3)]
    worker.called(agent="slow")
    for _ in range(3):
        stage.ended(stage.start("fast", script([{"return": 1}])))
    equal(len([task for task in worker.tasks("called") if task["agent"] == "slow"]), 1, "slow tasks in work")
    worker.open("go")
    for run in slow:
        stage.ended(run)


@behaviour("a worker that is told to stop ends what it has begun and takes nothing more")
def graceful_stop(stage: Stage) -> None:
    worker = stage.worker("act", concurrency=1, grace_ms=60_000)
    first = stage.start("one", script([{"gate": "go"}, {"return": "done"}]))
    worker.called()
    second = stage.start("one", script([{"return": "by another"}]))
    worker.stop()
    worker.open("go")
    equal(stage.ended(first)["output"], "done", "output")
    worker.event("stopped")
    equal(worker.wait(), 0, "status of the worker")
    equal(len(worker.tasks("called", 1)), 1, "calls")
    equal(stage.get(f"/v1/runs/{second['id']}")["status"], "running", "status of the run that came later")
    stage.worker("act")
    ended = stage.ended(second)
    has(ended["steps"]["work"], {"output": "by another", "attempts": 1}, "step")


@behaviour("what takes longer than the grace time is handed back, and another worker does it at once")
def handed_back(stage: Stage) -> None:
    worker = stage.worker("act", grace_ms=100)
    run = stage.start("one", script([{"gate": "never"}], [{"return": "rescued"}]))
    worker.called()
    worker.stop()
    worker.event("stopped")
    equal(worker.wait(), 0, "status of the worker")
    stage.worker("act")
    has(stage.ended(run)["steps"]["work"], {"output": "rescued", "attempts": 2}, "step")
    holds("worker_stopping" in json.dumps(stage.journal(run)), "the journal does not say that the worker stopped")


@behaviour("an idle worker stops at once and takes no task with it")
def idle_stop(stage: Stage) -> None:
    worker = stage.worker("act")
    stage.ended(stage.start("one", script([{"return": 1}])))
    worker.stop()
    equal(worker.wait(), 0, "status of the worker")
    run = stage.start("one", script([{"return": 2}]))
    stage.worker("act")
    has(stage.ended(run)["steps"]["work"], {"output": 2, "attempts": 1}, "step")


@behaviour("a worker without the right token ends; one with it works", token="right")
def wrong_token(stage: Stage) -> None:
    refused = stage.worker("act", token="wrong")
    equal(refused.event("refused")["status"], 401, "status of the refusal")
    equal(refused.wait(), 1, "status of the program")
    stage.worker("act")
    equal(stage.ended(stage.start("one", script([{"return": 1}])))["output"], 1, "output")


@behaviour("two workers share the work without doing anything twice")
def two_workers(stage: Stage) -> None:
    workers = [stage.worker("act", concurrency=1, name=name) for name in ("left", "right")]
    # Each of two gated tasks keeps a worker busy, so both have come before the rest is done.
    items = [script([{"gate": "go"}, {"return": i}]) for i in range(2)] + [{"n": i} for i in range(50)]
    run = stage.start("each", {"items": items})
    for worker in workers:
        worker.called()
    for worker in workers:
        worker.open("go")
    equal(stage.ended(run)["output"], [0, 1] + [{"n": i} for i in range(50)], "output")
    for worker in workers:
        worker.stop()
        equal(worker.wait(), 0, "status of a worker")
    done = sorted(task["item"] for worker in workers for task in worker.tasks("called", 1))
    equal(done, list(range(52)), "items that were done")
