"""What a client owes around runs: start, look, wait, follow, steer."""

from __future__ import annotations

import json

from .behaviours_worker import script
from .checks import PATIENCE, equal, has, holds
from .programs import ClientProgram
from .proxy import PASS, Fate, Seen
from .registry import behaviour
from .stage import Stage


@behaviour("a run that is started has everything that was said")
def start_and_get(stage: Stage) -> None:
    client = stage.client()
    run = client.call("start", workflow="one", input={"x": 1}, session_id="S", priority=5, labels={"team": "docs"})
    has(run, {"workflow": "one", "input": {"x": 1}, "session_id": "S"}, "run")
    has(stage.get(f"/v1/runs/{run['id']}"), {"labels": {"team": "docs"}, "status": "running"}, "run")
    has(client.call("get", run_id=run["id"]), {"id": run["id"], "status": "running"}, "run")


@behaviour("the same idempotency key starts one run; with another input it is refused")
def idempotent_start(stage: Stage) -> None:
    client = stage.client()
    first = client.call("start", workflow="one", input={"x": 1}, idempotency_key="a")
    equal(client.call("start", workflow="one", input={"x": 1}, idempotency_key="a")["id"], first["id"], "id")
    error = client.fails("start", workflow="one", input={"x": 2}, idempotency_key="a")
    has(error, {"kind": "problem", "status": 409, "code": "idempotency_mismatch"}, "error")
    holds(client.call("start", workflow="one", input={"x": 1})["id"] != first["id"], "two starts gave one run")


@behaviour("a start whose answer is lost starts one run")
def start_answer_lost(stage: Stage) -> None:
    proxy = stage.proxy()
    client = stage.client(via=proxy)
    client.call("start", workflow="instant", input={}, labels={"of": "other"})
    lost: list[Seen] = []

    def swallow(seen: Seen) -> Fate:
        if seen.method == "POST" and not lost:
            lost.append(seen)
            return Fate(0)
        return PASS

    proxy.decide = swallow
    # The SDK sends it again by itself, or says that there was no answer: then the caller repeats it with its key.
    given = {"workflow": "instant", "input": {}, "labels": {"of": "this"}, "idempotency_key": "k"}
    number = client.begin("start", **given)
    client.first("the answer", lambda line: line.get("id") == number)
    run = client.call("start", **given)
    equal([item["id"] for item in stage.get("/v1/runs?label=of%3Dthis")["items"]], [run["id"]], "runs")


@behaviour("waiting for a run gives it when it has ended")
def wait(stage: Stage) -> None:
    worker, client = stage.worker("act"), stage.client()
    run = client.call("start", workflow="one", input=script([{"gate": "go"}, {"return": 7}]))
    waiting = client.begin("wait", run_id=run["id"])
    worker.called()
    worker.open("go")
    has(client.answer(waiting), {"status": "completed", "output": 7}, "run")
    has(client.call("start", workflow="instant", input=3, wait_ms=30_000), {"status": "completed", "output": 3}, "run")


@behaviour("waiting for a run ends when the time is up, and the run goes on")
def wait_times_out(stage: Stage) -> None:
    client = stage.client()
    run = client.call("start", workflow="one", input=1)
    equal(client.fails("wait", run_id=run["id"], timeout_ms=300)["kind"], "timeout", "error.kind")
    equal(client.call("get", run_id=run["id"])["status"], "running", "status")


@behaviour("listing goes through every page, newest first, and filters")
def list_pages(stage: Stage) -> None:
    client = stage.client()
    labels = [{"parity": "even" if i % 2 == 0 else "odd"} for i in range(230)]
    ids = [stage.start("instant", i, labels=label)["id"] for i, label in enumerate(labels)]
    # Ids sort by time; those of one millisecond in any order.
    equal([run["id"] for run in client.call("list")], sorted(ids, reverse=True), "ids")
    odd = client.call("list", label="parity=odd", status="completed", workflow="instant")
    equal([run["id"] for run in odd], sorted(ids[1::2], reverse=True), "ids of the odd ones")
    equal(client.call("list", workflow="one"), [], "runs of another workflow")


@behaviour("the journal is read without a gap, from any place")
def journal(stage: Stage) -> None:
    stage.worker("act", concurrency=32)
    client = stage.client()
    run = stage.ended(stage.start("each", {"items": list(range(150))}))
    events = client.call("journal", run_id=run["id"])
    holds(len(events) > 200, "the journal is shorter than a page")
    equal([event["seq"] for event in events], list(range(1, len(events) + 1)), "seq")
    rest = client.call("journal", run_id=run["id"], after=events[-3]["seq"])
    equal([event["seq"] for event in rest], [events[-2]["seq"], events[-1]["seq"]], "seq of the rest")
    equal(rest, events[-2:], "the rest")


def _followed(stage: Stage, client: ClientProgram, number: int, run_id: str) -> None:
    """The call `follow` ends, with the whole journal."""
    count = client.answer(number)["count"]
    seqs = [event["seq"] for event in client.events(number)]
    equal(seqs, list(range(1, count + 1)), "seq of the events")
    run = stage.get(f"/v1/runs/{run_id}")
    holds(run["status"] == "completed", f"the stream ended while the run was {run['status']}")
    stored = stage.get(f"/v1/runs/{run_id}/journal?after={count}")["items"]
    equal(stored, [], "events of the journal that were not followed")


@behaviour("following a run gives every event as it happens and ends with the run")
def follow(stage: Stage) -> None:
    worker, client = stage.worker("act"), stage.client()
    run = stage.start("one", script([{"gate": "go"}, {"return": 1}]))
    number = client.begin("follow", run_id=run["id"])
    worker.called()
    client.event(number, 0)  # while the run still works
    worker.open("go")
    _followed(stage, client, number, run["id"])
    # of a run that has ended, from the middle
    number = client.begin("follow", run_id=run["id"], after=1)
    client.answer(number)
    equal(client.events(number)[0]["seq"], 2, "seq of the first event")


@behaviour("a stream that is cut is resumed without gap or repetition")
def follow_cut(stage: Stage) -> None:
    proxy = stage.proxy()
    client = stage.client(via=proxy)
    worker = stage.worker("act", concurrency=1)
    cuts = [900, 400, 1500]

    def cut(seen: Seen) -> Fate:
        return Fate(cuts.pop()) if "/journal" in seen.path and cuts else PASS

    proxy.decide = cut
    run = stage.start("each", {"items": [script([{"gate": "go"}, {"return": i}]) for i in range(40)]})
    number = client.begin("follow", run_id=run["id"])
    client.event(number, 0)
    worker.open("go")
    _followed(stage, client, number, run["id"])
    equal(cuts, [], "cuts that did not happen")


@behaviour("following goes on after the server was killed and started again")
def follow_restart(stage: Stage) -> None:
    worker, client = stage.worker("act"), stage.client()
    run = stage.start("one", script([{"gate": "go"}, {"return": 1}]))
    number = client.begin("follow", run_id=run["id"])
    worker.called()
    client.event(number, 0)
    stage.server.kill()
    stage.server.start()
    worker.open("go")
    _followed(stage, client, number, run["id"])


@behaviour("cancel, pause, resume and retry do what they say and may be repeated")
def steer(stage: Stage) -> None:
    client = stage.client()
    run_id = stage.start("one", script([{"throw": "oops"}], [{"throw": "oops"}], [{"throw": "oops"}], [{"return": 4}]))[
        "id"
    ]
    for _ in range(2):
        equal(client.call("pause", run_id=run_id)["status"], "paused", "status after pause")
    for _ in range(2):
        equal(client.call("resume", run_id=run_id)["status"], "running", "status after resume")
    stage.worker("act")
    equal(client.call("wait", run_id=run_id)["status"], "failed", "status after three failures")
    equal(client.call("retry", run_id=run_id)["status"], "running", "status after retry")
    has(client.call("wait", run_id=run_id), {"status": "completed", "output": 4}, "run")
    other = client.call("start", workflow="one", input=script([{"gate": "never"}]))["id"]
    for _ in range(2):
        equal(client.call("cancel", run_id=other)["status"], "cancelled", "status after cancel")


@behaviour("refusals carry status, code and the fields that are wrong")
def refusals(stage: Stage) -> None:
    client = stage.client()
    nothing = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
    for call in ("get", "wait", "cancel", "journal", "follow"):
        has(client.fails(call, run_id=nothing), {"kind": "problem", "status": 404, "code": "not_found"}, call)
    error = client.fails("start", workflow="unheard_of", input={})
    has(error, {"kind": "problem", "status": 404, "code": "unknown_workflow"}, "error")
    error = client.fails("start", workflow="one", input={}, priority=5000)
    has(error, {"kind": "problem", "status": 422, "code": "invalid"}, "error")
    equal([field["path"] for field in error["errors"]], ["/priority"], "paths")


@behaviour("a server that is away is told apart from one that refuses")
def unavailable(stage: Stage) -> None:
    client = stage.client()
    run = client.call("start", workflow="instant", input=1, wait_ms=30_000)
    stage.server.kill()
    equal(client.fails("get", run_id=run["id"])["kind"], "unavailable", "error.kind")
    stage.server.start()
    equal(client.call("get", run_id=run["id"])["output"], 1, "output after the restart")


@behaviour("the project file is read and replaced; a bad one is refused with every error")
def project(stage: Stage) -> None:
    client = stage.client()
    source = client.call("project")["source"]
    holds("workflows:" in source and "instant" in source, "it is not the project file")
    client.call("put_project", source=source + "  added:\n    steps: {a: {transform: 42}}\n")
    equal(client.call("start", workflow="added", wait_ms=30_000)["status"], "completed", "status")
    error = client.fails("put_project", source="ganglion: 1\nworkflows:\n  w: {steps: {a: {agent: nobody, typo: 1}}}\n")
    has(error, {"kind": "problem", "status": 422, "code": "invalid"}, "error")
    holds(len(error["errors"]) == 2, f"two errors in the file, told: {error['errors']}")


@behaviour("what waits through a restart of the server ends with the run")
def wait_restart(stage: Stage) -> None:
    worker, client = stage.worker("act"), stage.client()
    run = stage.start("one", script([{"gate": "go"}, {"return": 1}]))
    worker.called()
    waiting = client.begin("wait", run_id=run["id"], timeout_ms=int(PATIENCE * 1000))
    worker.called()
    stage.server.kill()
    stage.server.start()
    worker.open("go")
    equal(client.answer(waiting)["output"], 1, "output")


@behaviour("a run goes on with what it has after the server was killed", token="secret")
def run_survives(stage: Stage) -> None:
    client = stage.client()
    run = client.call("start", workflow="one", input={"x": 1}, idempotency_key="k")
    stage.server.kill()
    stage.server.start()
    equal(client.call("start", workflow="one", input={"x": 1}, idempotency_key="k")["id"], run["id"], "id")
    stage.worker("act")
    equal(client.call("wait", run_id=run["id"])["output"], {"x": 1}, "output")
    holds("secret" not in json.dumps(client.said), "the token was printed")
