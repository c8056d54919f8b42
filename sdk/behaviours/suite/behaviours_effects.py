"""What a result brings beside its output: events and writes to the session's state, together or not at all."""

from __future__ import annotations

from typing import Any

from .behaviours_worker import script
from .checks import equal, has
from .registry import behaviour
from .stage import Stage

_EFFECTS = """
agents:
  act:
    kind: worker
    publishes: [file.*]
    state: {read: [case.*], write: [case.*]}
topics:
  file.checked: {1: {type: object, required: [name]}}
workflows:
  one:
    steps: {work: {agent: act, input: "${{ input }}"}}
    output: "${{ steps.work.output }}"
"""


@behaviour("events are published with the result, in order", _EFFECTS)
def publish_with_result(stage: Stage) -> None:
    stage.worker("act")
    events = [{"publish": {"topic": "file.seen", "data": {"n": n}}} for n in range(3)]
    versioned = {"publish": {"topic": "file.checked", "data": {"name": "a"}, "version": 1}}
    run = stage.ended(stage.start("one", script([*events, versioned, {"return": "done"}])))
    equal(run["output"], "done", "output")
    published = list(reversed(stage.get("/v1/events")["items"]))
    equal([event["type"] for event in published], ["file.seen"] * 3 + ["file.checked"], "types")
    equal([event["data"] for event in published], [{"n": 0}, {"n": 1}, {"n": 2}, {"name": "a"}], "data")
    has(published[0]["cause"], {"run_id": run["id"], "step": "work"}, "cause")


@behaviour("an attempt that fails publishes and writes nothing", _EFFECTS)
def failure_has_no_effects(stage: Stage) -> None:
    stage.worker("act")
    effects: list[dict[str, Any]] = [
        {"publish": {"topic": "file.seen", "data": 1}},
        {"set_state": {"key": "case.status", "value": "wrong"}},
    ]
    again = script([*effects, {"retry": {"message": "again"}}], [{"return": 1}])
    stage.ended(stage.start("one", again, session_id="S"))
    equal(stage.get("/v1/events")["items"], [], "events")
    equal(stage.http("GET", "/v1/sessions/S/state/case.status")[0], 404, "status of the key")


@behaviour("a topic that the agent may not publish ends the attempts", _EFFECTS)
def forbidden_topic(stage: Stage) -> None:
    worker = stage.worker("act")
    run = stage.start("one", script([{"publish": {"topic": "security.alert", "data": 1}}, {"return": 1}]))
    step = stage.ended(run, "failed")["steps"]["work"]
    equal(step["error"]["code"], "not_permitted", "error.code")
    equal(len(worker.tasks("called", 1)), 1, "calls")
    equal(stage.get("/v1/events")["items"], [], "events")


@behaviour("state is written with the result", _EFFECTS)
def state_with_result(stage: Stage) -> None:
    stage.worker("act")
    writes: list[dict[str, Any]] = [
        {"set_state": {"key": "case.status", "value": "old"}},
        {"set_state": {"key": "case.status", "value": {"now": [1, None]}}},
        {"set_state": {"key": "case.owner", "value": "ada"}},
    ]
    stage.ended(stage.start("one", script([*writes, {"return": 1}]), session_id="S"))
    snapshot = stage.get("/v1/sessions/S/state")
    equal(snapshot["entries"]["case.status"]["value"], {"now": [1, None]}, "case.status")
    equal(snapshot["entries"]["case.owner"]["value"], "ada", "case.owner")
    # null removes
    removal = script([{"set_state": {"key": "case.owner", "value": None}}])
    stage.ended(stage.start("one", removal, session_id="S"))
    equal(list(stage.get("/v1/sessions/S/state")["entries"]), ["case.status"], "keys after the removal")


@behaviour("a key that the agent may not write ends the attempts", _EFFECTS)
def forbidden_key(stage: Stage) -> None:
    worker = stage.worker("act")
    run = stage.start("one", script([{"set_state": {"key": "billing.plan", "value": 1}}]), session_id="S")
    step = stage.ended(run, "failed")["steps"]["work"]
    equal(step["error"]["code"], "not_permitted", "error.code")
    equal(len(worker.tasks("called", 1)), 1, "calls")
    equal(stage.http("GET", "/v1/sessions/S/state/billing.plan")[0], 404, "status of the key")


@behaviour(
    "a step that goes on until it is done tells the iteration",
    """
agents:
  act: {kind: worker}
workflows:
  loop:
    steps:
      work:
        agent: act
        input: "${{ input }}"
        until: "${{ steps.work.output == 'never' }}"
        max_iterations: 3
        on_failure: continue
    output: "${{ steps.work.output }}"
""",
)
def iterations(stage: Stage) -> None:
    worker = stage.worker("act")
    stage.ended(stage.start("loop", script([{"return": "more"}])))
    tasks = worker.tasks("called", 3)
    equal([task["iteration"] for task in tasks], [1, 2, 3], "iterations")
    equal(len({task["idempotency_key"] for task in tasks}), 3, "idempotency keys of three iterations")
