"""What a client owes around runs: signals, decisions, forks, dead letters, events, state, blobs."""

from __future__ import annotations

import base64
from typing import Any

from .behaviours_worker import script
from .checks import equal, has, holds
from .programs import ClientProgram
from .proxy import PASS, Fate, Seen
from .registry import behaviour
from .stage import Stage


@behaviour(
    "a signal reaches the step that waits for it, also one that comes before",
    """
agents: {}
workflows:
  waits:
    steps:
      first: {wait_for: {event: go}}
      second: {wait_for: {event: go, where: "${{ event.data.n == 2 }}"}, needs: [first]}
    output: {first: "${{ steps.first.output.data }}", second: "${{ steps.second.output.data }}"}
""",
)
def signals(stage: Stage) -> None:
    client = stage.client()
    run_id = client.call("start", workflow="waits")["id"]
    client.call("signal", run_id=run_id, name="go", data={"n": 1}, idempotency_key="a")
    client.call("signal", run_id=run_id, name="go", data={"n": 1}, idempotency_key="a")
    equal(client.call("signal", run_id=run_id, name="go", data={"n": 2})["id"], run_id, "id of the run")
    run = client.call("wait", run_id=run_id)
    equal(run["output"], {"first": {"n": 1}, "second": {"n": 2}}, "output")
    has(
        client.fails("signal", run_id=run_id, name="go"),
        {"kind": "problem", "status": 409, "code": "conflict"},
        "error",
    )


_PEOPLE = """
agents:
  act: {kind: worker}
  legal: {kind: human}
workflows:
  release:
    steps:
      sign_off: {approve: {by: [ada, grace], show: {diff: "${{ input.diff }}"}}}
      work: {agent: act, input: "${{ input }}", needs: [sign_off]}
    output: "${{ steps.sign_off.output }}"
  ask:
    steps: {opinion: {agent: legal, input: "${{ input }}"}}
    output: "${{ steps.opinion.output }}"
"""


def _open_approval(client: ClientProgram, run_id: str) -> Any:
    (approval,) = client.call("approvals", run_id=run_id)
    return approval


@behaviour("an approval counts for exactly what was shown, from those who may, once", _PEOPLE)
def approve(stage: Stage) -> None:
    worker, client = stage.worker("act"), stage.client()
    run = client.call("start", workflow="release", input={"diff": "+1"}, wait_ms=100)
    approval = _open_approval(client, run["id"])
    has(approval, {"kind": "approval", "step": "sign_off", "by": ["ada", "grace"], "show": {"diff": "+1"}}, "approval")
    given = {"id": approval["id"], "decision": "approve", "digest": approval["digest"]}
    other_digest = given | {"digest": ("0" if given["digest"][0] != "0" else "1") + given["digest"][1:]}
    has(client.fails("decide", **other_digest, by="ada"), {"status": 409, "code": "digest_mismatch"}, "error")
    has(client.fails("decide", **given, by="mallory"), {"status": 403, "code": "not_permitted"}, "error")
    equal(worker.tasks("called"), [], "calls before the decision")
    decided = client.call("decide", **given, by="ada", comment="fine")
    has(decided, {"id": approval["id"], "decision": "approve", "by": "ada", "run_id": run["id"]}, "answer")
    ended = client.call("wait", run_id=run["id"])
    equal(ended["output"], {"decision": "approve", "by": "ada", "comment": "fine"}, "output")
    has(
        client.fails("decide", **given, by="grace"), {"status": 409, "code": "conflict"}, "error of the second decision"
    )
    equal(client.call("approvals", run_id=run["id"]), [], "open approvals")


@behaviour("a rejection fails the step", _PEOPLE)
def reject(stage: Stage) -> None:
    worker, client = stage.worker("act"), stage.client()
    run_id = client.call("start", workflow="release", input={"diff": "+1"})["id"]
    approval = _open_approval(client, run_id)
    client.call("decide", id=approval["id"], decision="reject", digest=approval["digest"], by="grace", comment="no")
    run = client.call("wait", run_id=run_id)
    equal(run["status"], "failed", "status")
    equal(run["steps"]["sign_off"]["error"]["code"], "rejected", "error.code")
    equal(worker.tasks("called"), [], "calls")


@behaviour("a person's answer is the output of a human agent's task", _PEOPLE)
def human(stage: Stage) -> None:
    client = stage.client()
    run_id = client.call("start", workflow="ask", input={"question": "may we?"})["id"]
    task = _open_approval(client, run_id)
    has(task, {"kind": "task", "agent": "legal", "step": "opinion", "show": {"question": "may we?"}}, "task")
    client.call("decide", id=task["id"], decision="approve", digest=task["digest"], output={"answer": 42})
    equal(client.call("wait", run_id=run_id)["output"], {"answer": 42}, "output")


@behaviour(
    "a fork shares what came before its step and does the rest anew",
    """
agents:
  act: {kind: worker}
workflows:
  two:
    steps:
      a: {agent: act, input: "${{ input.a }}"}
      b: {agent: act, input: {of: "${{ steps.a.output }}", with: "${{ input.b }}"}}
    output: "${{ steps.b.output }}"
""",
)
def fork(stage: Stage) -> None:
    worker, client = stage.worker("act"), stage.client()
    first = client.call("start", workflow="two", input={"a": 1, "b": 2}, wait_ms=30_000)
    again = client.call("fork", run_id=first["id"], from_step="b")
    holds(again["id"] != first["id"], "the fork is the run itself")
    has(again["forked_from"], {"run_id": first["id"], "step": "b"}, "forked_from")
    equal(client.call("wait", run_id=again["id"])["output"], {"of": 1, "with": 2}, "output of the fork")
    changed = client.call("fork", run_id=first["id"], from_step="b", input={"a": 1, "b": 3})
    equal(client.call("wait", run_id=changed["id"])["output"], {"of": 1, "with": 3}, "output with another input")
    equal(len([task for task in worker.tasks("called", 4) if task["step"] == "a"]), 1, "calls of the step before")
    has(client.fails("fork", run_id=first["id"], from_step="c"), {"kind": "problem", "status": 422}, "error")


@behaviour("a task that failed for good is a dead letter, and requeued it goes on")
def dead_letters(stage: Stage) -> None:
    client = stage.client()
    stage.worker("act")
    given = script([{"fail": {"code": "broken", "message": "no"}}], [{"return": "mended"}])
    run_id = client.call("start", workflow="one", input=given, wait_ms=30_000)["id"]
    (letter,) = client.call("dead_letters", run_id=run_id)
    has(letter, {"kind": "task", "run_id": run_id, "step": "work", "agent": "act", "input": given}, "dead letter")
    equal(letter["error"]["code"], "broken", "error.code")
    equal(client.call("requeue", id=letter["id"])["run_id"], run_id, "run_id of the answer")
    equal(client.call("wait", run_id=run_id)["output"], "mended", "output")
    equal(client.call("dead_letters", run_id=run_id), [], "dead letters after the requeue")


@behaviour("dead letters are deleted, one or all")
def delete_dead_letters(stage: Stage) -> None:
    client = stage.client()
    stage.worker("act")
    failing = script([{"fail": {"code": "broken", "message": "no"}}])
    for _ in range(3):
        client.call("start", workflow="one", input=failing, wait_ms=30_000)
    letters = client.call("dead_letters", kind="task")
    equal(len(letters), 3, "dead letters")
    client.call("delete_dead_letter", id=letters[1]["id"])
    left = [letter["id"] for letter in client.call("dead_letters")]
    equal(left, [letters[0]["id"], letters[2]["id"]], "dead letters that are left")
    has(client.fails("delete_dead_letter", id=letters[1]["id"]), {"kind": "problem", "status": 404}, "error")
    equal(client.call("purge_dead_letters"), {"purged": 2}, "answer")
    equal(client.call("dead_letters"), [], "dead letters after the purge")


_TOPICS = """
agents: {}
topics:
  file.uploaded: {1: {type: object, required: [name]}, 2: {type: object, required: [name, sha256]}}
triggers:
  - {on: file.uploaded, workflow: check, input: {name: "${{ event.data.name }}"}}
workflows:
  check:
    steps: {same: {transform: "${{ input.name }}"}}
    output: "${{ steps.same.output }}"
"""


@behaviour("an event starts what it triggers, once for its source and id", _TOPICS)
def publish(stage: Stage) -> None:
    client = stage.client()
    event = {"topic": "file.uploaded", "data": {"name": "a", "sha256": "0"}, "source": "test", "id": "e1"}
    first = client.call("publish", **event)
    has(first, {"source": "test", "id": "e1", "duplicate": False, "dead_lettered": False}, "answer")
    has(client.call("publish", **event), {"seq": first["seq"], "duplicate": True}, "answer to the second copy")
    client.call("publish", topic="file.uploaded", data={"name": "old"}, version=1, id="e2", source="test")
    runs: list[Any] = []
    while len(runs) < 2:
        runs = client.call("list", workflow="check", status="completed")
    runs = [client.call("get", run_id=run["id"]) for run in runs]
    equal(sorted(run["output"] for run in runs), ["a", "old"], "outputs")
    holds(first["seq"] in [run["cause"]["event"] for run in runs], "the run does not name its cause")


@behaviour("an event that breaks its topic's schema is refused; of an unknown version it is a dead letter", _TOPICS)
def bad_events(stage: Stage) -> None:
    client = stage.client()
    error = client.fails("publish", topic="file.uploaded", data={"name": "a"})
    has(error, {"kind": "problem", "status": 422, "code": "invalid"}, "error")
    has(client.call("publish", topic="file.uploaded", data={}, version=9), {"dead_lettered": True}, "answer")
    equal([letter["kind"] for letter in client.call("dead_letters", kind="event")], ["event"], "dead letters")
    equal(client.call("events"), [], "events")


@behaviour("recent events are listed newest first, by pattern")
def list_events(stage: Stage) -> None:
    client = stage.client()
    for n in range(6):
        client.call("publish", topic=f"file.{'even' if n % 2 == 0 else 'odd'}", data={"n": n}, subject=f"s{n}")
    equal([event["data"]["n"] for event in client.call("events")], [5, 4, 3, 2, 1, 0], "data")
    newest = client.call("events", topic="file.odd", limit=2)
    equal([event["data"]["n"] for event in newest], [5, 3], "data of the newest odd ones")
    has(newest[0], {"specversion": "1.0", "type": "file.odd", "subject": "s5"}, "event")


@behaviour("listening gives every event in order, over a stream that is cut")
def tail(stage: Stage) -> None:
    proxy = stage.proxy()
    client, publisher = stage.client(via=proxy), stage.client()
    cuts = [1200, 700]

    def cut(seen: Seen) -> Fate:
        return Fate(cuts.pop()) if seen.path.startswith("/v1/events") and cuts else PASS

    first = publisher.call("publish", topic="file.seen", data=-1)["seq"]
    proxy.decide = cut
    number = client.begin("tail", topic="file.*", after=first, limit=20)
    for n in range(20):
        publisher.call("publish", topic="file.seen", data=n)
        publisher.call("publish", topic="other", data=n)
    equal(client.answer(number)["count"], 20, "count")
    equal([event["data"] for event in client.events(number)], list(range(20)), "data")
    equal(cuts, [], "cuts that did not happen")


@behaviour("session state is written and read back with its version")
def state(stage: Stage) -> None:
    client = stage.client()
    equal(client.call("state_get", session_id="S", key="case.status"), None, "a key that isn't there")
    version = client.call("state_put", session_id="S", key="case.status", value={"open": True})["version"]
    has(
        client.call("state_get", session_id="S", key="case.status"),
        {"value": {"open": True}, "version": version},
        "entry",
    )
    client.call("state_put", session_id="S", key="case.status", value=None)
    equal(client.call("state_get", session_id="S", key="case.status")["value"], None, "a value that is null")
    client.call("state_delete", session_id="S", key="case.status")
    equal(client.call("state_get", session_id="S", key="case.status"), None, "a key that was removed")
    equal(client.call("state_get", session_id="other/session ä", key="k"), None, "a session with odd letters")


@behaviour("of two writers at one version one wins and the other one is told")
def compare_and_set(stage: Stage) -> None:
    client, other = stage.client(), stage.client()
    given = {"session_id": "S", "key": "n"}
    version = client.call("state_put", **given, value=1, if_absent=True)["version"]
    has(
        other.fails("state_put", **given, value=9, if_absent=True),
        {"status": 412, "code": "precondition_failed"},
        "error",
    )
    newer = other.call("state_put", **given, value=2, if_version=version)["version"]
    holds(newer > version, "the version did not grow")
    lost = client.fails("state_put", **given, value=3, if_version=version)
    has(lost, {"kind": "problem", "status": 412, "code": "precondition_failed"}, "error")
    has(client.fails("state_delete", **given, if_version=version), {"status": 412}, "error of the removal")
    has(client.call("state_get", **given), {"value": 2, "version": newer}, "entry")


@behaviour("a snapshot shows the state as it was at a version")
def snapshot(stage: Stage) -> None:
    client = stage.client()
    client.call("state_put", session_id="S", key="a", value=1)
    before = client.call("state_put", session_id="S", key="b", value=2)["version"]
    client.call("state_put", session_id="S", key="a", value=10)
    client.call("state_delete", session_id="S", key="b")
    old, new = (client.call("state_snapshot", session_id="S", version=v) for v in (before, None))
    has(old, {"session_id": "S", "version": before}, "snapshot")
    equal({key: entry["value"] for key, entry in old["entries"].items()}, {"a": 1, "b": 2}, "entries then")
    equal({key: entry["value"] for key, entry in new["entries"].items()}, {"a": 10}, "entries now")
    has(client.fails("state_snapshot", session_id="S", version=999), {"kind": "problem", "status": 404}, "error")


@behaviour("state with a time to live is gone after it")
def time_to_live(stage: Stage) -> None:
    client = stage.client()
    client.call("state_put", session_id="S", key="short", value=1, ttl_ms=1000)
    client.call("state_put", session_id="S", key="long", value=1, ttl_ms=600_000)
    while client.call("state_get", session_id="S", key="short") is not None:
        pass
    equal(client.call("state_get", session_id="S", key="long")["value"], 1, "value of the other key")


@behaviour("a session sums up its runs")
def session(stage: Stage) -> None:
    stage.worker("act")
    client = stage.client()
    spends = script([{"usage": {"input_tokens": 5}}, {"return": 1}])
    for _ in range(2):
        client.call("start", workflow="one", input=spends, session_id="S", wait_ms=30_000)
    info = client.call("session", session_id="S")
    has(info, {"session_id": "S", "runs": 2, "open_runs": 0}, "session")
    equal(info["usage"]["input_tokens"], 10, "usage.input_tokens")


@behaviour("blobs come back as they were, and go through a run by reference")
def blobs(stage: Stage) -> None:
    stage.worker("act")
    client = stage.client()
    for content in (b"", b"hello", bytes(range(256)) * 8192):
        encoded = base64.b64encode(content).decode()
        ref = client.call("blob_put", base64=encoded)
        equal(client.call("blob_put", base64=encoded), ref, "reference of the same bytes")
        holds(client.call("blob_get", ref=ref)["base64"] == encoded, "the bytes came back otherwise")
    run = client.call("start", workflow="one", input={"file": ref}, wait_ms=30_000)
    equal(run["output"], {"file": ref}, "output")
    missing = {"$ref": "sha256:" + "0" * 64}
    has(client.fails("blob_get", ref=missing), {"kind": "problem", "status": 404}, "error")
    has(client.fails("start", workflow="one", input={"file": missing}), {"kind": "problem", "status": 422}, "error")


@behaviour("the coordination tax of a run adds up")
def tax(stage: Stage) -> None:
    stage.worker("act")
    client = stage.client()
    run = client.call("start", workflow="one", input=script([{"work": 30}, {"return": 1}]), wait_ms=30_000)
    told = client.call("tax", run_id=run["id"])
    holds(told["work_ms"] >= 25, f"work_ms is {told['work_ms']} for 30 ms of work")
    holds(told["wall_ms"] >= told["work_ms"], "there was more work than time")
    holds(abs(told["wall_ms"] - told["work_ms"] - told["tax_ms"]) < 1.5, "time is not work and tax")
    equal([part["step"] for part in told["critical_path"]], ["work"], "critical path")


@behaviour(
    "sub-runs are found by their parent",
    """
agents: {}
workflows:
  child:
    steps: {same: {transform: "${{ input }}"}}
    output: "${{ steps.same.output }}"
  parent:
    steps: {all: {for_each: "${{ [1, 2, 3] }}", workflow: child, input: "${{ item }}"}}
    output: "${{ steps.all.output }}"
""",
)
def sub_runs(stage: Stage) -> None:
    client = stage.client()
    run = client.call("start", workflow="parent", wait_ms=30_000)
    equal(run["output"], [1, 2, 3], "output")
    children = [client.call("get", run_id=child["id"]) for child in client.call("list", parent=run["id"])]
    equal(sorted(child["output"] for child in children), [1, 2, 3], "outputs of the sub-runs")
    equal({child["parent"]["run_id"] for child in children}, {run["id"]}, "parents")
