"""`Task`: one unit of work as an agent sees it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from .errors import TaskCancelled


class Task:
    """One attempt of one task. An agent function gets it if it has a parameter annotated `Task` (or named `task`).

    The attributes are as the server sent them. The methods may be called from any thread.

    - `input`: what the step's `input` says, nothing else.
    - `token`: names this attempt; a result counts only while it is the current one.
    - `attempt`: from 1. `item`: position in a mapped step, else None. `iteration`: from 1, of a step with `until`.
    - `session_id`, `state_version`: the run's session and the version of its state that the task sees, or None.
    - `idempotency_key`: the same for every attempt of this task: give it to whatever must not happen twice.
    - `deadline`: when the attempt times out, or None.
    - `traceparent`: W3C trace context to pass on, maybe empty.
    """

    __slots__ = (
        "_began",
        "_cancelled",
        "_details",
        "_events",
        "_notify",
        "_progress",
        "_state",
        "_usage",
        "agent",
        "attempt",
        "deadline",
        "idempotency_key",
        "input",
        "item",
        "iteration",
        "run_id",
        "session_id",
        "state_version",
        "step",
        "token",
        "traceparent",
    )

    def __init__(self, value: Mapping[str, Any], notify: Callable[[], None] = lambda: None) -> None:
        """`value`: a task object of the HTTP API. `notify` is called, from any thread, when there is progress."""
        self.token: str = value["token"]
        self.agent: str = value["agent"]
        self.input: Any = value.get("input")
        self.run_id: str = value.get("run_id", "")
        self.step: str = value.get("step", "")
        self.item: int | None = value.get("item")
        self.attempt: int = value.get("attempt", 1)
        self.idempotency_key: str = value.get("idempotency_key") or self.token
        self.iteration: int | None = value.get("iteration")
        self.session_id: str | None = value.get("session_id")
        self.state_version: int | None = value.get("state_version")
        self.traceparent: str = value.get("traceparent") or ""
        self.deadline: datetime | None = parse_time(value.get("deadline"))
        self._began = time.monotonic()
        self._cancelled = threading.Event()
        self._usage: dict[str, float] = {}
        self._events: list[dict[str, Any]] = []
        self._state: dict[str, Any] = {}
        self._progress: float | None = None
        self._details: Any = None
        self._notify = notify

    @property
    def cancelled(self) -> bool:
        """Whether nobody waits for the result any more: run cancelled, attempt timed out, or the worker stops.

        A sync agent that runs long should look at it now and then and return; an async one is cancelled.
        """
        return self._cancelled.is_set()

    def raise_if_cancelled(self) -> None:
        """`TaskCancelled` if the task was cancelled."""
        if self.cancelled:
            raise TaskCancelled

    def wait_cancelled(self, timeout: float | None = None) -> bool:
        """Blocks a sync agent until the task is cancelled or `timeout` seconds are over; whether it is cancelled."""
        return self._cancelled.wait(timeout)

    def usage(self, **amounts: float) -> None:
        """Adds to what this attempt has used: `input_tokens`, `output_tokens`, `usd`, or names of your own.

        Sent with the result, also with a failure. `ValueError` for negative or non-finite amounts.
        """
        for name, amount in amounts.items():
            if not 0 <= amount < float("inf"):
                raise ValueError(f"usage {name}={amount} is not a finite amount >= 0")
            self._usage[name] = self._usage.get(name, 0) + amount

    def publish(self, topic: str, data: Any = None, *, version: int | None = None) -> None:
        """Publishes an event together with the result: exactly when the attempt succeeds and its result counts.

        The agent's `publishes` in the project file must allow `topic`. `version`: of the topic's schema, by default
        the latest; `data` that breaks it makes the result `invalid`.
        """
        event: dict[str, Any] = {"topic": topic, "data": data}
        if version is not None:
            event["version"] = version
        self._events.append(event)

    def set_state(self, key: str, value: Any) -> None:
        """Writes a key of the session's state together with the result, as `publish` does; None removes the key.

        The agent's `state.write` must allow `key`. All keys of a result are written at one version; the last value of
        a key wins.
        """
        self._state[key] = value

    def progress(self, fraction: float, details: Any = None) -> None:
        """Tells how far the task is (0 … 1) with any JSON `details`. Sent soon, at most once a second, latest wins."""
        self._progress = min(1.0, max(0.0, float(fraction)))
        self._details = details
        self._notify()

    def __repr__(self) -> str:
        item = "" if self.item is None else f"[{self.item}]"
        return f"<Task {self.agent} {self.run_id}/{self.step}{item} attempt {self.attempt}>"


def parse_time(value: Any) -> datetime | None:
    """An RFC 3339 time of the API, or None."""
    return datetime.fromisoformat(value) if isinstance(value, str) and value else None
