"""What the server tells about runs, as immutable values.

Each has `from_json`, which accepts any object that follows the HTTP API and ignores fields it does not know, so that
an older SDK works with a newer server. Times are the API's strings, RFC 3339 UTC with milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

#: Statuses in which a run has ended.
FINAL_STATUSES = frozenset({"completed", "failed", "cancelled"})


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a run.

    `status`: pending, ready, running, waiting, completed, failed, skipped or cancelled. `output` of a mapped step is
    the list of its items' outputs, in order. `agent`: who performs or performed it last. `iteration`: of a step with
    `until`. `run_id`: of its sub-run. `waiting_for`: `{"kind": "timer" | "approval" | "event", …}` while it waits for
    one of these. `raw` is the whole object as the server sent it.
    """

    status: str
    attempts: int = 0
    output: Any = None
    error: Any = None
    started_at: str | None = None
    ended_at: str | None = None
    usage: Mapping[str, Any] = field(default_factory=dict)
    agent: str | None = None
    iteration: int | None = None
    run_id: str | None = None
    waiting_for: Mapping[str, Any] | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Step:
        return cls(
            status=str(value.get("status", "")),
            attempts=int(value.get("attempts") or 0),
            output=value.get("output"),
            error=value.get("error"),
            started_at=value.get("started_at"),
            ended_at=value.get("ended_at"),
            usage=value.get("usage") or {},
            agent=value.get("agent"),
            iteration=value.get("iteration"),
            run_id=value.get("run_id"),
            waiting_for=value.get("waiting_for"),
            raw=value,
        )


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of a workflow.

    `status`: running, waiting, paused, completed, failed or cancelled. `definition` is the digest of the project file
    that it was started with. In listings `input`, `output` and `steps` may be missing. `parent`: `{"run_id", "step",
    "item"}` of a sub-run. `cause`: `{"event": seq}` of a run that an event started. `forked_from`: `{"run_id", "seq",
    "step"}`. `raw` is the whole object.
    """

    id: str
    workflow: str
    status: str
    definition: str = ""
    input: Any = None
    output: Any = None
    error: Any = None
    session_id: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    created_at: str | None = None
    ended_at: str | None = None
    usage: Any = None
    parent: Mapping[str, Any] | None = None
    cause: Mapping[str, Any] | None = None
    forked_from: Mapping[str, Any] | None = None
    budget: Mapping[str, Any] | None = None
    steps: Mapping[str, Step] = field(default_factory=dict)
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def ended(self) -> bool:
        """Whether the status is final. (`retry` opens an ended run again.)"""
        return self.status in FINAL_STATUSES

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Run:
        return cls(
            id=str(value["id"]),
            workflow=str(value.get("workflow", "")),
            status=str(value.get("status", "")),
            definition=str(value.get("definition") or ""),
            input=value.get("input"),
            output=value.get("output"),
            error=value.get("error"),
            session_id=value.get("session_id"),
            labels=value.get("labels") or {},
            created_at=value.get("created_at"),
            ended_at=value.get("ended_at"),
            usage=value.get("usage"),
            parent=value.get("parent"),
            cause=value.get("cause"),
            forked_from=value.get("forked_from"),
            budget=value.get("budget"),
            steps={name: Step.from_json(step) for name, step in (value.get("steps") or {}).items()},
            raw=value,
        )


@dataclass(frozen=True, slots=True)
class JournalEvent:
    """One event of a run's journal. `seq` counts from 1 without a gap; the order is the order of the run.

    `raw` is the whole object.
    """

    seq: int
    at: str
    type: str
    step: str | None = None
    item: int | None = None
    attempt: int | None = None
    data: Any = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> JournalEvent:
        return cls(
            seq=int(value["seq"]),
            at=str(value.get("at", "")),
            type=str(value.get("type", "")),
            step=value.get("step"),
            item=value.get("item"),
            attempt=value.get("attempt"),
            data=value.get("data"),
            raw=value,
        )


@dataclass(frozen=True, slots=True)
class Tax:
    """What coordinating a run cost: `wall_ms` = `work_ms` (the agents' own time) + `tax_ms`.

    `parts`: where the tax lies, in ms: admit, queue, dispatch, persist, decide, backoff. `critical_path`: the attempts
    that the run's end waited for, in order.
    """

    wall_ms: float
    work_ms: float
    tax_ms: float
    tax_ratio: float
    parts: Mapping[str, float]
    messages: int = 0
    context_bytes: int = 0
    repeated_context_bytes: int = 0
    tokens: float = 0
    critical_path: Sequence[Mapping[str, Any]] = ()
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Tax:
        return cls(
            wall_ms=value["wall_ms"],
            work_ms=value["work_ms"],
            tax_ms=value["tax_ms"],
            tax_ratio=value["tax_ratio"],
            parts=value["parts"],
            messages=value.get("messages") or 0,
            context_bytes=value.get("context_bytes") or 0,
            repeated_context_bytes=value.get("repeated_context_bytes") or 0,
            tokens=value.get("tokens") or 0,
            critical_path=tuple(value.get("critical_path") or ()),
            raw=value,
        )


@dataclass(frozen=True, slots=True)
class Approval:
    """A decision that somebody is asked for. `show` is what is decided about, `digest` stands for exactly that.

    `kind`: approval (a step `approve`) or task (of a human agent, `agent`). `by`: who may decide; empty for anybody.
    """

    id: str
    kind: str
    run_id: str
    workflow: str
    step: str
    digest: str
    item: int | None = None
    agent: str | None = None
    by: tuple[str, ...] = ()
    show: Any = None
    requested_at: str | None = None
    expires_at: str | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Approval:
        return cls(
            id=str(value["id"]),
            kind=str(value.get("kind", "")),
            run_id=str(value.get("run_id", "")),
            workflow=str(value.get("workflow", "")),
            step=str(value.get("step", "")),
            digest=str(value.get("digest", "")),
            item=value.get("item"),
            agent=value.get("agent"),
            by=tuple(value.get("by") or ()),
            show=value.get("show"),
            requested_at=value.get("requested_at"),
            expires_at=value.get("expires_at"),
            raw=value,
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision that counts."""

    id: str
    decision: str
    by: str | None
    run_id: str

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Decision:
        return cls(str(value["id"]), str(value["decision"]), value.get("by"), str(value.get("run_id", "")))


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """What could not be delivered: a `task` after its last attempt, or an `event` that nobody could take."""

    id: str
    kind: str
    at: str
    error: Any
    run_id: str | None = None
    workflow: str | None = None
    step: str | None = None
    item: int | None = None
    agent: str | None = None
    attempts: int | None = None
    input: Any = None
    event: Any = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> DeadLetter:
        return cls(
            id=str(value["id"]),
            kind=str(value.get("kind", "")),
            at=str(value.get("at", "")),
            error=value.get("error"),
            run_id=value.get("run_id"),
            workflow=value.get("workflow"),
            step=value.get("step"),
            item=value.get("item"),
            agent=value.get("agent"),
            attempts=value.get("attempts"),
            input=value.get("input"),
            event=value.get("event"),
            raw=value,
        )


@dataclass(frozen=True, slots=True)
class Requeued:
    """A dead letter that is tried again: the run that goes on with it, or the number under which the event is now."""

    id: str
    run_id: str | None
    event_seq: int | None

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Requeued:
        return cls(str(value["id"]), value.get("run_id"), value.get("event_seq"))


@dataclass(frozen=True, slots=True)
class Event:
    """A published event. `seq` grows with each one; `type` is its topic. `cause`: the run or event it came from.

    `version`: of the topic's schema, None if the topic has none. `hops`: how many events are behind it.
    """

    seq: int
    id: str
    source: str
    type: str
    time: str
    data: Any = None
    subject: str | None = None
    version: int | None = None
    hops: int = 0
    cause: Mapping[str, Any] | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Event:
        return cls(
            seq=int(value["seq"]),
            id=str(value.get("id", "")),
            source=str(value.get("source", "")),
            type=str(value.get("type", "")),
            time=str(value.get("time", "")),
            data=value.get("data"),
            subject=value.get("subject"),
            version=value.get("topicversion"),
            hops=int(value.get("hops") or 0),
            cause=value.get("cause"),
            raw=value,
        )


@dataclass(frozen=True, slots=True)
class Published:
    """What became of an event: its `seq`, whether it was there already, whether it is a dead letter (then no `seq`)."""

    source: str
    id: str
    seq: int | None
    duplicate: bool
    dead_lettered: bool

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Published:
        return cls(
            source=str(value["source"]),
            id=str(value["id"]),
            seq=value.get("seq"),
            duplicate=bool(value.get("duplicate")),
            dead_lettered=bool(value.get("dead_lettered")),
        )


@dataclass(frozen=True, slots=True)
class Session:
    """What runs with the same session id share."""

    session_id: str
    state_version: int
    runs: int
    open_runs: int
    usage: Any = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Session:
        return cls(
            session_id=str(value["session_id"]),
            state_version=int(value.get("state_version") or 0),
            runs=int(value.get("runs") or 0),
            open_runs=int(value.get("open_runs") or 0),
            usage=value.get("usage"),
            raw=value,
        )


@dataclass(frozen=True, slots=True)
class StateValue:
    """A key's value and the version of the state at which it was written."""

    value: Any
    version: int
    expires_at: str | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A session's whole state as it was at `version`."""

    session_id: str
    version: int
    entries: Mapping[str, StateValue]

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Snapshot:
        entries = {
            key: StateValue(entry.get("value"), int(entry["version"]), entry.get("expires_at"))
            for key, entry in (value.get("entries") or {}).items()
        }
        return cls(str(value["session_id"]), int(value["version"]), entries)
