"""What must hold of every run after any faults; see the promises in docs/internals.

Pure functions over what the API, the journal and `ganglion replay` have shown; each returns what is wrong, in words.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ganglion.models import JournalEvent

FINAL = frozenset({"run_completed", "run_failed", "run_cancelled"})


@dataclass(frozen=True)
class Observed:
    """One run as it stood in the end. `replayed`: the run as `ganglion replay` folds it, where that was asked for."""

    run: Mapping[str, Any]
    journal: Sequence[JournalEvent]
    replayed: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Expectation:
    """`tasks`: how many each step has. `needs`: what must have ended before a step begins."""

    output: Any
    tasks: Mapping[str, int]
    needs: Mapping[str, Sequence[str]]
    max_attempts: int
    #: Seconds between a failure and the next attempt.
    least_backoff: float = 0.0


@dataclass
class _Task:
    scheduled: list[int] = field(default_factory=list)
    failed: list[int] = field(default_factory=list)
    succeeded: list[int] = field(default_factory=list)
    failure: JournalEvent | None = None  # the last


def complaints_about(observed: Observed, expected: Expectation) -> list[str]:
    run, journal = observed.run, observed.journal
    found = [*_order(journal), *_tasks(journal, expected), *_dependencies(journal, expected)]
    if run.get("status") != "completed":
        found.append(f"its status is {run.get('status')}, error {run.get('error')}")
    if run.get("output") != expected.output:
        found.append(f"its output is {run.get('output')!r}, not {expected.output!r}")
    if run.get("version") != len(journal):
        found.append(f"its version is {run.get('version')} and its journal has {len(journal)} entries")
    for name, step in (run.get("steps") or {}).items():
        if step["status"] != "completed" or step["error"] is not None:
            found.append(f"step {name} is {step['status']}, error {step['error']}")
    if observed.replayed is not None and observed.replayed != run:
        names = sorted({*observed.replayed, *run})
        different = [name for name in names if observed.replayed.get(name) != run.get(name)]
        found.append(f"replay and API differ in {', '.join(different)}")
    return found


def _order(journal: Sequence[JournalEvent]) -> list[str]:
    found = []
    if [event.seq for event in journal] != list(range(1, len(journal) + 1)):
        found.append(f"its journal has a gap: {[event.seq for event in journal]}")
    if not journal or journal[0].type != "run_created":
        found.append("its journal does not begin with its creation")
    created = sum(event.type == "run_created" for event in journal)
    if created > 1:
        found.append(f"it was created {created} times")
    final = [event.type for event in journal if event.type in FINAL]
    if final != ["run_completed"]:
        found.append(f"its final events are {final}")
    elif journal[-1].type not in FINAL:
        found.append(f"{journal[-1].type} came after its end")
    return found


def _tasks(journal: Sequence[JournalEvent], expected: Expectation) -> list[str]:
    found = []
    tasks: defaultdict[tuple[str, int], _Task] = defaultdict(_Task)
    for event in journal:
        if event.step is None or event.attempt is None:
            continue
        name = f"{event.step}/{event.item or 0}"
        task = tasks[event.step, event.item or 0]
        if task.succeeded:
            found.append(f"{name}: {event.type} of attempt {event.attempt} after its result was accepted")
        if event.type == "task_scheduled":
            if task.failure is not None:
                found += [f"{name}: {words}" for words in _backoff(task.failure, event, expected.least_backoff)]
            task.scheduled.append(event.attempt)
        else:
            task.failure = event
            if not task.scheduled or task.scheduled[-1] != event.attempt:
                found.append(f"{name}: {event.type} of attempt {event.attempt}, which was not the current one")
            (task.succeeded if event.type == "task_succeeded" else task.failed).append(event.attempt)
    per_step: defaultdict[str, int] = defaultdict(int)
    for (step, item), task in tasks.items():
        per_step[step] += 1
        name = f"{step}/{item}"
        if len(task.succeeded) != 1:
            found.append(f"{name}: {len(task.succeeded)} accepted results")
        if task.scheduled != list(range(1, len(task.scheduled) + 1)):
            found.append(f"{name}: attempts {task.scheduled}")
        if len(task.scheduled) > expected.max_attempts:
            found.append(f"{name}: {len(task.scheduled)} attempts")
        if task.failed != task.scheduled[:-1]:
            found.append(f"{name}: attempts {task.scheduled}, but failures {task.failed}")
    if dict(per_step) != dict(expected.tasks):
        found.append(f"it had tasks {dict(per_step)}, not {dict(expected.tasks)}")
    return found


def _backoff(failure: JournalEvent, again: JournalEvent, least: float) -> list[str]:
    at, again_at = datetime.fromisoformat(failure.at), datetime.fromisoformat(again.at)
    if (again_at - at).total_seconds() < least:
        return [f"attempt {again.attempt} came {(again_at - at).total_seconds()} s after a failure"]
    retry_at = (failure.data or {}).get("retry_at")
    if retry_at is not None and again_at < datetime.fromisoformat(retry_at):
        return [f"attempt {again.attempt} was to wait until {retry_at} and came {again.at}"]
    return []


def _dependencies(journal: Sequence[JournalEvent], expected: Expectation) -> list[str]:
    found = []
    left = dict(expected.tasks)
    for event in journal:
        if event.step is None:
            continue
        if event.type == "task_scheduled":
            early = [need for need in expected.needs.get(event.step, ()) if left.get(need, 0) > 0]
            if early:
                found.append(f"{event.step} began before {', '.join(early)} had ended")
        elif event.type == "task_succeeded":
            left[event.step] = left.get(event.step, 0) - 1
    return found


class Prefixes:
    """Journals as they were read at earlier times: a later reading must begin with them."""

    def __init__(self) -> None:
        self._seen: dict[str, list[JournalEvent]] = {}
        self._grown_at: dict[str, float] = {}
        self._complaints: list[tuple[float, str]] = []  # and when what has changed had been read
        self.readings = 0

    @property
    def complaints(self) -> list[str]:
        return [words for _, words in self._complaints]

    def known(self, run: str) -> int:
        """How many entries have been seen; asked before a reading, which must have as many."""
        return len(self._seen.get(run, []))

    def forget(self, since: float) -> None:
        """What was read from this time of the monotonic clock on: the store says that it may have lost it."""
        for run in [run for run, at in self._grown_at.items() if at >= since]:
            del self._seen[run], self._grown_at[run]
        self._complaints = [complaint for complaint in self._complaints if complaint[0] < since]

    def see(self, run: str, journal: Sequence[JournalEvent], known: int | None = None) -> bool:
        """Whether the journal has grown. `known`: when the reading began; others may have read more meanwhile."""
        before = self._seen.get(run, [])
        must_have = before[: max(known if known is not None else len(before), min(len(journal), len(before)))]
        self.readings += 1
        if list(journal[: len(must_have)]) != must_have:
            words = f"{run}: its journal was {before}\n and is now {list(journal[: len(before)])}"
            self._complaints.append((self._grown_at[run], words))
        if len(journal) > len(before):
            self._seen[run] = list(journal)
            self._grown_at[run] = time.monotonic()
        return len(journal) > len(before)


def store_complaints(
    acknowledged: Mapping[str, set[str]], stored: Sequence[str], doubted: Set[str] = frozenset()
) -> list[str]:
    """`acknowledged`: by idempotency key, every run id that was answered. `stored`: every run that there is.

    `doubted`: those that may be missing, since the store has said that it has lost writes.
    """
    missing = doubted - set(stored)
    acknowledged = {key: ids - missing for key, ids in acknowledged.items()}
    found = [f"key {key} was answered with {sorted(ids)}" for key, ids in acknowledged.items() if len(ids) != 1]
    known = {run for ids in acknowledged.values() for run in ids}
    found += [f"{run} was acknowledged and is not there" for run in sorted(known - set(stored))]
    found += [f"{run} is there and was started by no key" for run in sorted(set(stored) - known)]
    if len(set(stored)) != len(stored):
        found.append("a run is listed twice")
    return found
