"""How long the runs of a dead coordinator stood still, as the members' logs of transitions say."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from cluster import Member
from cluster_trouble import Death

FINAL = frozenset({"run_completed", "run_failed", "run_cancelled"})


@dataclass(frozen=True)
class Transition:
    at: float
    member: Member
    type: str


def transitions(members: Iterable[Member]) -> dict[str, list[Transition]]:
    """Of every run, in the order of time."""
    of_runs: defaultdict[str, list[Transition]] = defaultdict(list)
    for member in members:
        for line in member.log_path.read_text("utf-8", "replace").splitlines():
            if line.startswith("{") and '"seq"' in line:
                entry = json.loads(line)
                at = datetime.fromisoformat(entry["at"]).timestamp()
                of_runs[entry["run"]].append(Transition(at, member, entry["event"]))
    for run in of_runs.values():
        run.sort(key=lambda transition: transition.at)
    return of_runs


def stillstands(members: Sequence[Member], deaths: Sequence[Death]) -> list[list[float]]:
    """For each death, how long after it each run that the dead member had decided last went on elsewhere, sorted."""
    of_runs = transitions(members)
    waits = []
    for death in deaths:
        found = []
        for run in of_runs.values():
            before = [transition for transition in run if transition.at <= death.at]
            after = [transition for transition in run if death.at < transition.at <= death.back]
            if before and after and before[-1].member is death.member and before[-1].type not in FINAL:
                found.append(after[0].at - death.at)
        waits.append(sorted(found))
    return waits
