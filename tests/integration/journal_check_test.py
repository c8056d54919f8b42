#!/usr/bin/env python3
"""The checker of the kill test must see every kind of damage, and nothing where there is none."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "sdk/python/src"))

from ganglion.models import JournalEvent
from journal_check import Expectation, Observed, Prefixes, complaints_about, store_complaints

Journal = list[JournalEvent]
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
        JournalEvent(seq=number, at="", type=kind, step=step, attempt=attempt)
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


def main() -> int:
    check_damages(sound(), EXPECTED)
    too_many = replace(EXPECTED, max_attempts=1)
    assert complaints_about(sound(), too_many), "the checker does not count attempts"
    check_store_rules()
    check_prefixes()
    print(f"the checker sees {len(damages(sound())) + 7} kinds of damage")
    return 0


if __name__ == "__main__":
    sys.exit(main())
