#!/usr/bin/env python3
"""kill -9 of the server, of a worker, and of both, 50 times at random moments under load: nothing is lost or doubled.

Two loads: a pipeline of three steps with 200 runs in flight and workers of its own, and the code-review example with
the workers that the server supervises. In the end every acknowledged run must have completed, with one accepted result
for each task, a journal without a gap whose earlier readings are its beginning, and a replay that equals what the API
shows. With --store the store is a server, which is killed as well.

    kill_test.py [--ganglion PATH] [--seed N] [--kills N] [--only pipeline|review]
                 [--store redis|postgres]

Needs Python's standard library only. The seed is printed; it fixes what is killed and when, relative to the load.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import secrets
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "sdk/python/src"))

from kill_load import Deadline, Load
from kill_scenarios import Pipeline, Review, Scenario
from kill_verdict import Verdict
from serving import binary_from
from store_servers import STORES, StoreServer

#: The moment of a kill: so long after the load is seen to progress, at most.
MOST_DELAY_SECONDS = 0.3
#: Before the last kill: workers that a restart of the server has put off are at work again.
LAST_DELAY_SECONDS = 1.0
#: How often a server is killed again while it starts, and how long after its launch at most.
RELAPSE = 0.3
MOST_START_SECONDS = 0.1
#: How long the load may take to progress after a restart.
PROGRESS_SECONDS = 60.0
TARGETS = ("server", "worker", "both")
STORE_TARGETS = ("store", "store and server")
#: What CTest takes for a test that was skipped.
SKIPPED = 77


def targets_with(store: StoreServer | None) -> tuple[str, ...]:
    return TARGETS if store is None else (*TARGETS, *STORE_TARGETS)


class Killer:
    """Carries out a plan of kills under a load."""

    def __init__(self, scenario: Scenario, load: Load, plan: random.Random, store: StoreServer | None) -> None:
        self._scenario = scenario
        self._load = load
        self._plan = plan
        self._store = store
        self.kills = dict.fromkeys(targets_with(store), 0)
        self.relapses = 0
        self.slowest_start = 0.0

    async def run(self, kills: int) -> None:
        # Each target at least once. The last is a worker: no restart of the server comes before its tasks time out.
        every = list(self.kills)
        targets = [*every, *(self._plan.choice(every) for _ in range(kills - len(every) - 1)), "worker"]
        for number, target in enumerate(targets):
            await self._await_progress(f"kill {number + 1}")
            last = number + 1 == len(targets)
            await asyncio.sleep(LAST_DELAY_SECONDS if last else self._plan.uniform(0, MOST_DELAY_SECONDS))
            await self._kill(target)
            self.kills[target] += 1

    async def _await_progress(self, before: str) -> None:
        seen = self._load.progress
        deadline = time.monotonic() + PROGRESS_SECONDS
        while self._load.progress == seen or self._load.in_flight < self._scenario.parallel // 2:
            await self._load.check()
            assert time.monotonic() < deadline, f"no progress before {before}:\n{self._scenario.server.log_tail()}"
            await asyncio.sleep(0.005)

    async def _kill(self, target: str) -> None:
        if target in ("worker", "both"):
            await self._scenario.kill_worker()
        if self._store is not None and target in STORE_TARGETS:
            self._store.kill()
        if target in ("server", "both", "store and server"):
            self._load.server_is(up=False)
            self._scenario.server.kill()
            if self._store is not None and target in STORE_TARGETS:
                self._store.start()
            if self._plan.random() < RELAPSE:
                await self._kill_while_it_starts()
            began = time.monotonic()
            await asyncio.to_thread(self._scenario.server.start)
            self.slowest_start = max(self.slowest_start, time.monotonic() - began)
            self._load.server_is(up=True)
        elif self._store is not None and target in STORE_TARGETS:
            await asyncio.to_thread(self._store.start)
        self._scenario.restart_workers()

    async def _kill_while_it_starts(self) -> None:
        self._scenario.server.launch()
        await asyncio.sleep(self._plan.uniform(0, MOST_START_SECONDS))
        self._scenario.server.kill()
        self.relapses += 1


async def run_scenario(
    scenario: Scenario, kills: int, seed: int, deadline: Deadline, store: StoreServer | None
) -> list[str]:
    began = time.monotonic()
    if store is not None:
        scenario.server.store = store.url(scenario.workflow)
    scenario.server.start()
    try:
        await scenario.prepare()
        load = Load([scenario.server.url], scenario.workflow, scenario.parallel, scenario.make_input, seed, deadline)
        killer = Killer(scenario, load, random.Random(seed), store)
        load.start()
        await killer.run(kills)
        killed = time.monotonic() - began
        await load.finish()
        verdict = Verdict(scenario, load)
        await verdict.observe()
        scenario.stop_workers()
        scenario.server.stop()
        replays = await verdict.replay()
    finally:
        scenario.end()
    complaints = verdict.judge()
    lost = scenario.attempts_lost(verdict.runs)
    if not (load.repeated and load.prefixes.readings > kills and lost >= scenario.fewest_attempts_lost):
        complaints.append("the kills have hit nobody: this test has shown nothing")
    scenario.server.check_log()
    if not complaints:
        verdict.check_the_check()
    kinds = ", ".join(f"{count} {target}" for target, count in killer.kills.items())
    kinds += f"; {killer.relapses} more while it started"
    entries = sum(len(observed.journal) for observed, _ in verdict.runs.values())
    print(f"{scenario.workflow}: {kills} kills ({kinds}) in {killed:.1f} s, {time.monotonic() - began:.1f} s in all")
    print(f"  {len(verdict.runs)} runs, {entries} entries, {lost} attempts lost")
    print(f"  {load.repeated} requests repeated, {load.prefixes.readings} journals compared, {replays} replays equal")
    print(f"  slowest restart {killer.slowest_start * 1000:.0f} ms", flush=True)
    return complaints


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ganglion", help="the binary (default: $GANGLION_BINARY)")
    parser.add_argument(
        "--seed", type=int, default=int(os.environ.get("KILL_TEST_SEED", "0")) or secrets.randbelow(10**6)
    )
    parser.add_argument("--kills", type=int, default=50, help="in both scenarios together (50)")
    parser.add_argument("--only", choices=("pipeline", "review"))
    parser.add_argument("--store", choices=tuple(STORES), help="over a server, which is killed as well")
    parser.add_argument("--seconds", type=float, default=280, help="when to give up (280)")
    return parser.parse_args()


async def run_all(options: argparse.Namespace) -> list[str]:
    binary = binary_from(options.ganglion)
    deadline = Deadline(options.seconds)
    reviews = max(len(targets_with(None)) + 1, options.kills * 3 // 10)
    complaints = []
    with tempfile.TemporaryDirectory(prefix="ganglion-kill-") as name:
        folder = Path(name)
        store = STORES[options.store]() if options.store else None
        try:
            if options.only != "review":
                pipeline = Pipeline(binary, folder / "pipeline")
                kills = options.kills - (0 if options.only else reviews)
                complaints += await run_scenario(pipeline, kills, options.seed, deadline, store)
            if options.only != "pipeline":
                review = Review(binary, folder / "review")
                complaints += await run_scenario(review, reviews, options.seed, deadline, store)
        finally:
            if store is not None:
                store.end()
    return complaints


def main() -> int:
    options = arguments()
    if options.store and not STORES[options.store].is_installed():
        print(f"skipped: Debian package {STORES[options.store].package} is not installed")
        return SKIPPED
    print(f"seed {options.seed}: kill_test.py --seed {options.seed} --kills {options.kills}", flush=True)
    complaints = asyncio.run(run_all(options))
    for complaint in complaints[:50]:
        print(f"WRONG {complaint}")
    if complaints:
        print(f"{len(complaints)} complaints; seed {options.seed}")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
