"""What must hold of a run that rests, asks a person, works and tells, however it has ended; see guarded_load.py.

Pure functions over what the API and the journals have shown; each returns what is wrong, in words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ganglion.models import JournalEvent
from journal_check import FINAL

PEOPLE = ("ann", "bob")
Journal = Sequence[JournalEvent]


@dataclass
class Guarded:
    """A run, what was asked of it, and what was answered."""

    run: str
    cancelled: bool = False  # as was acknowledged
    decisions: list[tuple[str, str]] = field(default_factory=list)  # (who, what), as were acknowledged
    journal: Journal = ()
    children: Mapping[str, Journal] = field(default_factory=dict)


def complaints_about_guarded(guarded: Guarded) -> list[str]:
    journal = guarded.journal
    found = [*_end(journal), *_timer(journal), *_decision(guarded)]
    if guarded.cancelled and (not journal or journal[-1].type != "run_cancelled"):
        found.append(f"its cancel was acknowledged, and it ended with {journal[-1:]}")
    for child, entries in guarded.children.items():
        found += [f"its sub-run {child}: {complaint}" for complaint in _end(entries)]
    return found


def _end(journal: Journal) -> list[str]:
    final = [event.type for event in journal if event.type in FINAL]
    if len(final) != 1:
        return [f"its final events are {final}"]
    return [] if journal[-1].type in FINAL else [f"{journal[-1].type} came after its end"]


def _timer(journal: Journal) -> list[str]:
    waits = [event for event in journal if event.step == "rest" and event.type == "task_waiting"]
    ends = [event for event in journal if event.step == "rest" and event.type == "task_succeeded"]
    if len(waits) != 1 or len(ends) > 1:
        return [f"its timer was set {len(waits)} times and counted {len(ends)} times"]
    if ends and _time(ends[0].at) < _time(waits[0].data["until"]):
        return [f"its timer was to end {waits[0].data['until']} and ended {ends[0].at}"]
    return []


def _decision(guarded: Guarded) -> list[str]:
    found = []
    asked = [event for event in guarded.journal if event.step == "ask" and event.type == "task_waiting"]
    decided = [event for event in guarded.journal if event.type == "approval_decided"]
    counted = [(event.data["by"], event.data["decision"]) for event in decided]
    if len(decided) > 1:
        found.append(f"it was decided {len(decided)} times")
    if any(by not in PEOPLE for by, _ in counted):
        found.append(f"it was decided by {counted}")
    if any(decision not in counted for decision in guarded.decisions):
        found.append(f"{guarded.decisions} were acknowledged and {counted} counted")
    if decided and [event.data["digest"] for event in asked] != [event.data["digest"] for event in decided]:
        found.append("what was decided is not what was shown")
    approved = any(decision == "approve" for _, decision in counted)
    work = [event.seq for event in guarded.journal if event.step == "work" and event.type == "task_scheduled"]
    if work and not (approved and decided[0].seq < work[0]):
        found.append("what it guards began without an approval")
    return found


def event_complaints(
    ends: Mapping[int, str], log: Sequence[tuple[int, int]], heard: Mapping[str, Sequence[int]]
) -> list[str]:
    """`ends`: how each run ended, by its number. `log`: (seq, number of the run) of each event that there is.

    `heard`: the seqs that each consumer was told, in the order in which it was.
    """
    found = []
    of_runs = Counter(number for _, number in log)
    for number, end in ends.items():
        least, most = (end == "run_completed"), (end != "run_failed")
        if not least <= of_runs[number] <= most:
            found.append(f"run {number} ended as {end} and has published {of_runs[number]} events")
    seqs = sorted(seq for seq, _ in log)
    for name, told in heard.items():
        if list(told) != seqs:
            missing, twice = sorted(set(seqs) - set(told)), [seq for seq, count in Counter(told).items() if count > 1]
            order = "in order" if list(told) == sorted(told) else "in disorder"
            found.append(f"the consumer at {name} missed the events {missing}, heard {twice} twice, {order}")
    return found


def _time(text: Any) -> datetime:
    return datetime.fromisoformat(str(text))
