"""What the server tells about runs, as immutable values.

Each has `from_json`, which accepts any object that follows the HTTP API and ignores fields it does not know, so that
an older SDK works with a newer server. Times are the API's strings, RFC 3339 UTC with milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: Statuses in which a run has ended.
FINAL_STATUSES = frozenset({"completed", "failed", "cancelled"})


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a run.

    `status`: pending, ready, running, waiting, completed, failed, skipped or cancelled. `output` of a mapped step is
    the list of its items' outputs, in order. `raw` is the whole object as the server sent it.
    """

    status: str
    attempts: int = 0
    output: Any = None
    error: Any = None
    started_at: str | None = None
    ended_at: str | None = None
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
            raw=value,
        )


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of a workflow.

    `status`: running, waiting, paused, completed, failed or cancelled. `definition` is the digest of the project file
    that it was started with. In listings `input`, `output` and `steps` may be missing. `raw` is the whole object.
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
            steps={name: Step.from_json(step) for name, step in (value.get("steps") or {}).items()},
            raw=value,
        )


@dataclass(frozen=True, slots=True)
class JournalEvent:
    """One event of a run's journal. `seq` counts from 1 without a gap; the order is the order of the run."""

    seq: int
    at: str
    type: str
    step: str | None = None
    item: int | None = None
    attempt: int | None = None
    data: Any = None

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
        )
