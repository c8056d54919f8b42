"""Each call of the suite as a user of `Client` would write it."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable, Iterable
from typing import Any

from ganglion import Approval, Client, ProblemError, RunNotFinished, ServerUnavailable, ref

Say = Callable[[dict[str, Any]], None]
With = dict[str, Any]


def seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


class Calls:
    """The value of each call is the API's JSON."""

    def __init__(self, client: Client, say: Say) -> None:
        self._client = client
        self._say = say

    def carry_out(self, id: Any, call: str, given: With) -> Any:
        # What is absent and what is null mean the same, but for data and values.
        method = getattr(self, f"call_{call}", None)
        if method is None:
            raise NotImplementedError(f"no call {call}")
        if call in ("follow", "tail"):
            return self._stream(id, method(given), given.get("limit"))
        return method(given)

    def _stream(self, id: Any, events: Iterable[Any], limit: int | None) -> Any:
        count = 0
        for event in events:
            self._say({"id": id, "event": event.raw})
            count += 1
            if count == limit:
                break
        return {"count": count}

    def call_start(self, w: With) -> Any:
        names = ("session_id", "priority", "labels", "idempotency_key")
        options = {name: w[name] for name in names if w.get(name) is not None}
        return self._client.start(w["workflow"], w.get("input"), wait=seconds(w.get("wait_ms")), **options).raw

    def call_get(self, w: With) -> Any:
        return self._client.get(w["run_id"]).raw

    def call_list(self, w: With) -> Any:
        names = ("workflow", "status", "session_id", "label", "parent")
        return [run.raw for run in self._client.list(**{name: w.get(name) for name in names})]

    def call_wait(self, w: With) -> Any:
        return self._client.wait(w["run_id"], timeout=seconds(w.get("timeout_ms"))).raw

    def call_cancel(self, w: With) -> Any:
        return self._client.cancel(w["run_id"]).raw

    def call_pause(self, w: With) -> Any:
        return self._client.pause(w["run_id"]).raw

    def call_resume(self, w: With) -> Any:
        return self._client.resume(w["run_id"]).raw

    def call_retry(self, w: With) -> Any:
        return self._client.retry(w["run_id"]).raw

    def call_fork(self, w: With) -> Any:
        if w.get("input") is None:
            return self._client.fork(w["run_id"], w["from_step"]).raw
        return self._client.fork(w["run_id"], w["from_step"], w["input"]).raw

    def call_signal(self, w: With) -> Any:
        key = w.get("idempotency_key")
        return self._client.signal(w["run_id"], w["name"], w.get("data"), idempotency_key=key).raw

    def call_journal(self, w: With) -> Any:
        return [event.raw for event in self._client.journal(w["run_id"], after=w.get("after") or 0)]

    def call_follow(self, w: With) -> Any:
        return self._client.follow(w["run_id"], after=w.get("after") or 0)

    def call_tax(self, w: With) -> Any:
        return self._client.tax(w["run_id"]).raw

    def call_approvals(self, w: With) -> Any:
        return [approval.raw for approval in self._client.approvals(run=w.get("run_id"))]

    def call_decide(self, w: With) -> Any:
        approval = Approval.from_json({"id": w["id"], "digest": w["digest"]})
        if w["decision"] == "reject":
            decision = self._client.reject(approval, by=w.get("by"), comment=w.get("comment"))
        elif w.get("output") is None:
            decision = self._client.approve(approval, by=w.get("by"), comment=w.get("comment"))
        else:
            decision = self._client.approve(approval, by=w.get("by"), comment=w.get("comment"), output=w["output"])
        return {"id": decision.id, "decision": decision.decision, "by": decision.by, "run_id": decision.run_id}

    def call_dead_letters(self, w: With) -> Any:
        return [letter.raw for letter in self._client.dead_letters(run=w.get("run_id"), kind=w.get("kind"))]

    def call_requeue(self, w: With) -> Any:
        requeued = self._client.requeue(w["id"])
        return {"id": requeued.id, "run_id": requeued.run_id, "event_seq": requeued.event_seq}

    def call_delete_dead_letter(self, w: With) -> Any:
        return self._client.delete_dead_letter(w["id"])

    def call_purge_dead_letters(self, _: With) -> Any:
        return {"purged": self._client.purge_dead_letters()}

    def call_publish(self, w: With) -> Any:
        given = ("source", "id", "subject", "version")
        options = {name: w[name] for name in given if w.get(name) is not None}
        published = self._client.publish(w["topic"], w.get("data"), **options)
        told = ("source", "id", "seq", "duplicate", "dead_lettered")
        return {name: getattr(published, name) for name in told}

    def call_events(self, w: With) -> Any:
        found: list[Any] = []
        for event in self._client.events(topic=w.get("topic")):
            if len(found) == w.get("limit"):
                break
            found.append(event.raw)
        return found

    def call_tail(self, w: With) -> Any:
        return self._client.tail(topic=w.get("topic"), after=w.get("after"))

    def call_state_get(self, w: With) -> Any:
        try:
            found = self._client.get_state(w["session_id"], w["key"])
        except ProblemError as problem:
            if problem.status == 404:
                return None
            raise
        return {"value": found.value, "version": found.version}

    def call_state_put(self, w: With) -> Any:
        version = self._client.put_state(
            w["session_id"],
            w["key"],
            w.get("value"),
            if_match=w.get("if_version"),
            if_none_match=bool(w.get("if_absent")),
            ttl=seconds(w.get("ttl_ms")),
        )
        return {"key": w["key"], "version": version}

    def call_state_delete(self, w: With) -> Any:
        return self._client.delete_state(w["session_id"], w["key"], if_match=w.get("if_version"))

    def call_state_snapshot(self, w: With) -> Any:
        snapshot = self._client.snapshot(w["session_id"], version=w.get("version"))
        entries = {key: {"value": entry.value, "version": entry.version} for key, entry in snapshot.entries.items()}
        return {"session_id": snapshot.session_id, "version": snapshot.version, "entries": entries}

    def call_session(self, w: With) -> Any:
        return self._client.session(w["session_id"]).raw

    def call_blob_put(self, w: With) -> Any:
        return ref(self._client.put_blob(base64.b64decode(w["base64"])))

    def call_blob_get(self, w: With) -> Any:
        return {"base64": base64.b64encode(self._client.get_blob(w["ref"])).decode()}

    def call_project(self, _: With) -> Any:
        return {"source": self._client.project()}

    def call_put_project(self, w: With) -> Any:
        return self._client.put_project(w["source"])


def error_of(error: Exception) -> dict[str, Any]:
    match error:
        case ProblemError():
            errors = [{"path": entry.path, "message": entry.message} for entry in error.errors]
            said = {"status": error.status, "code": error.code, "detail": error.detail, "errors": errors}
            return {"kind": "problem", **said}
        case ServerUnavailable():
            kind = "unavailable"
        case RunNotFinished():
            kind = "timeout"
        case ValueError() | TypeError():
            kind = "argument"
        case _:
            kind = "other"
    return {"kind": kind, "detail": f"{type(error).__name__}: {error}"}


def run_client(say: Say) -> int:
    with Client() as client:
        calls = Calls(client, say)
        for line in sys.stdin:
            asked = json.loads(line)
            try:
                answer = {"value": calls.carry_out(asked["id"], asked["call"], asked.get("with") or {})}
            except Exception as error:
                answer = {"error": error_of(error)}
            say({"id": asked["id"], **answer})
    return 0
