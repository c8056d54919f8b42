#!/usr/bin/env python3
"""The checker of the kill test must see every kind of damage, and nothing where there is none."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "sdk/python/src"))

from ganglion.models import JournalEvent
from guarded_check import Guarded, complaints_about_guarded, event_complaints
from journal_check import Expectation, Observed, Prefixes, complaints_about, store_complaints

Journal = list[JournalEvent]
#: Of a failed attempt whose next one came earlier.
LATE = {"retry_at": "2026-01-01T00:00:59.000Z"}
EXPECTED = Expectation(output={"n": 1}, tasks={"a": 1, "b": 1}, needs={"b": ["a"]}, max_attempts=3)


def sound() -> Observed:
    """A run of two steps, whose first one needed two attempts."""
    kinds = [
        ("run_created", None, None),
        ("task_scheduled", "a", 1),
        ("task_failed", "a", 1),
        ("task_scheduled", "a", 2),
        ("task_succeeded", "a", 2),
        ("task_scheduled", "b", 1),
        ("task_succeeded", "b", 1),
        ("run_completed", None, None),
    ]
    journal = [
        JournalEvent(seq=number, at=f"2026-01-01T00:00:{number:02}.000Z", type=kind, step=step, attempt=attempt)
        for number, (kind, step, attempt) in enumerate(kinds, 1)
    ]
    done = {"status": "completed", "error": None}
    run = {"status": "completed", "output": {"n": 1}, "version": len(journal), "steps": {"a": done, "b": done}}
    return Observed(run, journal, dict(run))


def with_journal(observed: Observed, change: Callable[[Journal], Journal]) -> Observed:
    """Renumbered, so that only the change itself is to be seen."""
    changed = [replace(event, seq=number) for number, event in enumerate(change(list(observed.journal)), 1)]
    run = {**observed.run, "version": len(changed)}
    return Observed(run, changed, run)


def with_run(observed: Observed, **members: Any) -> Observed:
    run = {**observed.run, **members}
    return Observed(run, observed.journal, run)


def damages(observed: Observed) -> dict[str, Observed]:
    """Every way to be wrong, made from a run that is sound and whose journal ends with its completion."""
    last = next(i for i, event in reversed(list(enumerate(observed.journal))) if event.type == "task_succeeded")
    first = next(i for i, event in enumerate(observed.journal) if event.type == "task_succeeded")
    scheduled = next(i for i, event in enumerate(observed.journal) if event.type == "task_scheduled")
    in_doubt = replace(observed.journal[last], attempt=(observed.journal[last].attempt or 0) + 1)
    return {
        "a gap": Observed(observed.run, [*observed.journal[:2], *observed.journal[3:]], observed.replayed),
        "no creation": with_journal(observed, lambda journal: journal[1:]),
        "two creations": with_journal(observed, lambda journal: [journal[0], *journal]),
        "no end": with_journal(observed, lambda journal: journal[:-1]),
        "two ends": with_journal(observed, lambda journal: [*journal, journal[-1]]),
        "something after the end": with_journal(observed, lambda journal: [*journal, journal[scheduled]]),
        "a lost result": with_journal(observed, lambda journal: journal[:last] + journal[last + 1 :]),
        "a second result": with_journal(observed, lambda journal: [*journal[: last + 1], *journal[last:]]),
        "a result of no current attempt": with_journal(
            observed, lambda journal: [*journal[:last], in_doubt, *journal[last + 1 :]]
        ),
        "a task without a beginning": with_journal(
            observed, lambda journal: journal[:scheduled] + journal[scheduled + 1 :]
        ),
        "a step before what it needs": with_journal(
            observed, lambda journal: [journal[0], *journal[first + 1 : -1], *journal[1 : first + 1], journal[-1]]
        ),
        "another status": with_run(observed, status="running"),
        "another output": with_run(observed, output="corrupted"),
        "another version": with_run(observed, version=len(observed.journal) + 1),
        "a failed step": with_run(observed, steps={"a": {"status": "failed", "error": {"code": "c"}}}),
        "another replay": Observed(observed.run, observed.journal, {**observed.run, "status": "running"}),
    }


def check_damages(observed: Observed, expected: Expectation) -> None:
    """Asserts that the checker finds nothing wrong with `observed` and something with every damage to it."""
    assert complaints_about(observed, expected) == [], complaints_about(observed, expected)
    for name, damaged in damages(observed).items():
        assert complaints_about(damaged, expected), f"the checker does not see {name}"


def check_store_rules() -> None:
    assert store_complaints({"k1": {"r1"}, "k2": {"r2"}}, ["r2", "r1"]) == []
    assert store_complaints({"k1": {"r1", "r2"}}, ["r1", "r2"])
    assert store_complaints({"k1": {"r1"}}, [])
    assert store_complaints({"k1": {"r1"}}, ["r1", "r2"])
    assert store_complaints({"k1": {"r1"}}, ["r1", "r1"])


def check_forgetting() -> None:
    """What a store has said that it may have lost is no complaint, and all else is."""
    assert store_complaints({"k1": {"r1", "r2"}}, ["r2"], {"r1"}) == []
    assert store_complaints({"k1": {"r1", "r2"}}, ["r2"])
    assert store_complaints({"k1": {"r1", "r2"}}, ["r1", "r2"], {"r1"}), "it was not lost, so there are two"
    journal = list(sound().journal)
    prefixes = Prefixes()
    prefixes.see("r", journal)
    prefixes.see("r", journal[:2])
    assert len(prefixes.complaints) == 1
    prefixes.forget(time.monotonic())
    assert len(prefixes.complaints) == 1, "it was read before"
    prefixes.forget(0)
    prefixes.see("r", journal[:2])
    assert prefixes.complaints == []


def check_prefixes() -> None:
    journal = list(sound().journal)
    prefixes = Prefixes()
    assert prefixes.see("r", journal[:3])
    assert prefixes.see("r", journal)
    assert not prefixes.see("r", journal)
    assert prefixes.complaints == []
    prefixes.see("r", [journal[0], replace(journal[1], data="other"), *journal[2:]])
    prefixes.see("r", journal[:2])
    assert len(prefixes.complaints) == 2
    prefixes.see("r", journal[:2], known=2)
    assert len(prefixes.complaints) == 2, "a reading that began earlier may have less"
    prefixes.see("r", journal[:2], known=3)
    prefixes.see("r", [journal[1], journal[0]], known=1)
    assert len(prefixes.complaints) == 4


def guarded() -> Guarded:
    """A run that was approved by ann, and has ended."""
    entries = [
        ("run_created", None, {}),
        ("task_waiting", "rest", {"for": "timer", "until": "2026-01-01T00:00:03.000Z"}),
        ("task_succeeded", "rest", {}),
        ("task_waiting", "ask", {"for": "person", "digest": "d"}),
        ("approval_decided", "ask", {"by": "ann", "decision": "approve", "digest": "d"}),
        ("task_succeeded", "ask", {}),
        ("task_scheduled", "work", {}),
        ("task_succeeded", "work", {}),
        ("run_completed", None, {}),
    ]
    journal = [
        JournalEvent(seq=number, at=f"2026-01-01T00:00:{number:02}.000Z", type=kind, step=step, data=data)
        for number, (kind, step, data) in enumerate(entries, 1)
    ]
    return Guarded("r", decisions=[("ann", "approve")], journal=journal, children={"c": [journal[0], journal[-1]]})


def guarded_damages(sound: Guarded) -> dict[str, Guarded]:
    journal = list(sound.journal)
    rested, decided = journal[2], journal[4]

    def with_entry(place: int, **members: Any) -> Guarded:
        return replace(sound, journal=[*journal[:place], replace(journal[place], **members), *journal[place + 1 :]])

    return {
        "no end": replace(sound, journal=journal[:-1]),
        "something after the end": replace(sound, journal=[*journal, decided]),
        "a lost cancel": replace(sound, cancelled=True),
        "a sub-run that goes on": replace(sound, children={"c": journal[:1]}),
        "a timer that was early": with_entry(2, at="2026-01-01T00:00:02.999Z"),
        "a timer that counted twice": replace(sound, journal=[*journal[:3], rested, *journal[3:]]),
        "two decisions": replace(sound, journal=[*journal[:5], decided, *journal[5:]]),
        "a lost decision": replace(sound, decisions=[("bob", "approve")]),
        "a decision of nobody who may": with_entry(4, data={**decided.data, "by": "eve"}),
        "a decision about something else": with_entry(4, data={**decided.data, "digest": "e"}),
        "work without an approval": with_entry(4, data={**decided.data, "decision": "reject"}),
        "work before its approval": with_entry(6, seq=decided.seq - 1),
    }


def check_guarded() -> None:
    assert complaints_about_guarded(guarded()) == [], complaints_about_guarded(guarded())
    for name, damaged in guarded_damages(guarded()).items():
        assert complaints_about_guarded(damaged), f"the checker does not see {name}"


def check_events() -> None:
    ends = {1: "run_completed", 2: "run_cancelled", 3: "run_failed"}
    assert event_complaints(ends, [(5, 1), (7, 2)], {"m": [5, 7]}) == []
    assert event_complaints(ends, [], {"m": []}), "an event that was lost"
    assert event_complaints(ends, [(5, 1), (6, 1)], {"m": [5, 6]}), "an event that came twice"
    assert event_complaints(ends, [(5, 1), (6, 3)], {"m": [5, 6]}), "an event of a run that did not come so far"
    for heard in ([5], [7, 5], [5, 5, 7]):
        assert event_complaints(ends, [(5, 1), (7, 2)], {"m": heard}), f"a consumer that heard {heard}"


def check_backoff() -> None:
    hasty = replace(EXPECTED, least_backoff=2.0)
    assert complaints_about(sound(), hasty), "the checker does not measure pauses"
    early = with_journal(sound(), lambda journal: [*journal[:2], replace(journal[2], data=LATE), *journal[3:]])
    assert complaints_about(early, EXPECTED), "the checker does not see an attempt before its time"


def main() -> int:
    check_damages(sound(), EXPECTED)
    too_many = replace(EXPECTED, max_attempts=1)
    assert complaints_about(sound(), too_many), "the checker does not count attempts"
    check_store_rules()
    check_prefixes()
    check_forgetting()
    check_backoff()
    check_guarded()
    check_events()
    print(f"the checker sees {len(damages(sound())) + len(guarded_damages(guarded())) + 14} kinds of damage")
    return 0


if __name__ == "__main__":
    sys.exit(main())
