#!/usr/bin/env python3
"""Several coordinators over one store and one bus, under load and under faults: nothing is lost, doubled or forgotten.

Three processes that do everything, or four that share the roles (`--layout`), each behind proxies of its own to the
store and to the bus. Clients start runs and wait for them wherever they come; workers pull from whoever has agents.
Meanwhile coordinators are killed, frozen and restarted, store and bus are killed, and the lines between them are cut,
held, made deaf and slow. In the end every acknowledged run must have completed, with one accepted result for each task,
a journal without a gap whose earlier readings are its beginning, and a replay that equals what the API shows.

    cluster_test.py [--ganglion PATH] [--seed N] [--store redis|sentinel|postgres] [--bus store|rabbitmq|nats|kafka]
                    [--layout together|apart|domains] [--strategy S] [--faults kill,freeze,…] [--old PATH]

Needs Python's standard library only. The seed is printed; it fixes what goes wrong and when, relative to the load.
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
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "sdk/python/src"))

from cluster import BUSES, CLUSTER_STORES, LAYOUTS, STRATEGIES, Backends, ClusterPipeline
from cluster_takeover import stillstands
from cluster_trouble import Trouble
from guarded_load import GuardedLoad
from kill_load import Deadline, Load
from kill_verdict import Verdict
from serving import binary_from

#: What happens where nothing is said: a few seconds each.
FAULTS = ("kill", "freeze", "hold", "reset", "store", "bus", "roll")
REPLAYS = 5
#: Until nobody holds anything any more.
REST_SECONDS = 10.0
PAUSE_SECONDS = 0.1
#: Whoever waits at one member for the end of a run that another one ends: as long as a line to the store may be deaf,
#: and no longer.
MOST_LATE_SECONDS = {"redis": 15.0, "sentinel": 15.0, "postgres": 40.0}
#: What CTest takes for a test that was skipped.
SKIPPED = 77


@dataclass(frozen=True)
class Round:
    store: str
    bus: str
    layout: str
    strategy: str
    seed: int
    faults: Sequence[str]
    parallel: int
    old: Path | None = None

    def line(self) -> str:
        """What repeats it."""
        return (
            f"cluster_test.py --store {self.store} --bus {self.bus} --layout {self.layout} --strategy {self.strategy}"
            f" --seed {self.seed} --parallel {self.parallel} --faults {','.join(self.faults)}"
            f"{f' --old {self.old}' if self.old else ''}"
        )


async def run_round(round: Round, binary: Path, folder: Path, seconds: float) -> list[str]:
    """What is wrong in the end. A server that dies by itself, and a load that gets stuck, is an AssertionError."""
    backends = Backends(round.store, round.bus)
    cluster = ClusterPipeline(binary, folder, round.layout, round.strategy, backends, round.old)
    cluster.parallel = round.parallel
    try:
        return await _run(round, cluster, backends, Deadline(seconds))
    finally:
        cluster.end()
        backends.end()


async def _run(round: Round, cluster: ClusterPipeline, backends: Backends, deadline: Deadline) -> list[str]:
    began = time.monotonic()
    cluster.start()
    await cluster.prepare()
    urls = [member.url for member in cluster.ingress]
    load = Load(urls, cluster.workflow, cluster.parallel, cluster.make_input, round.seed, deadline)
    trouble = Trouble(cluster, backends, load, random.Random(round.seed))
    guarded = GuardedLoad(load, round.seed)
    load.start()
    guarded.start()
    await trouble.run(round.faults)
    healed = time.monotonic()
    try:
        await asyncio.gather(load.finish(), guarded.finish())
    except AssertionError as error:
        raise AssertionError(f"{error}\n{cluster.log_tails()}") from None
    finished = time.monotonic() - healed
    verdict = Verdict(cluster, load, REPLAYS)
    await verdict.observe()
    complaints = await guarded.judge()
    complaints += await _left_over(cluster)
    cluster.stop_workers()
    cluster.stop()
    replays = await verdict.replay()
    complaints += verdict.judge()
    late, run = load.latest_news
    if late > MOST_LATE_SECONDS[round.store]:
        complaints.append(f"{run}: its client heard of its end {late:.1f} s later")
    if not complaints:
        verdict.check_the_check()
    took = time.monotonic() - began
    print(f"  {took:.1f} s, the last run ended {finished:.1f} s after the last fault")
    print(f"  clients heard of an end at most {late:.1f} s later")
    print(f"  {len(verdict.runs)} runs, {cluster.attempts_lost(verdict.runs)} attempts lost")
    print(f"  {guarded.summary}")
    print(f"  {load.repeated} requests repeated, {load.prefixes.readings} journals compared, {replays} replays equal")
    for waits in stillstands(cluster.members, trouble.deaths):
        print(f"  {len(waits)} runs of the dead went on{_spread(waits)}")
    sys.stdout.flush()
    return complaints


async def _left_over(cluster: ClusterPipeline) -> list[str]:
    """What members still hold when every run has ended."""
    deadline = time.monotonic() + REST_SECONDS
    while True:
        left = {member.name: await asyncio.to_thread(member.left_over) for member in cluster.members}
        if not any(left.values()) or time.monotonic() > deadline:
            return [f"{name} still has {values} when every run has ended" for name, values in left.items() if values]
        await asyncio.sleep(PAUSE_SECONDS)


def _spread(waits: Sequence[float]) -> str:
    if not waits:
        return ""
    first, middle, last = waits[0], waits[len(waits) // 2], waits[-1]
    return (
        f" after {first * 1000:.0f} ms, half of them within {middle * 1000:.0f} ms, the last after {last * 1000:.0f} ms"
    )


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ganglion", help="the binary (default: $GANGLION_BINARY)")
    parser.add_argument(
        "--seed", type=int, default=int(os.environ.get("CLUSTER_TEST_SEED", "0")) or secrets.randbelow(10**6)
    )
    parser.add_argument("--store", choices=tuple(CLUSTER_STORES), default="redis")
    parser.add_argument("--bus", choices=tuple(BUSES), default="store", help="`store`: the same Redis")
    parser.add_argument("--layout", choices=tuple(LAYOUTS), default="together")
    parser.add_argument("--strategy", choices=STRATEGIES, default="mesh")
    parser.add_argument("--faults", default=",".join(FAULTS), help="one after the other")
    parser.add_argument("--old", type=Path, help="an older binary, for `upgrade` (default: $GANGLION_OLD_BINARY)")
    parser.add_argument("--parallel", type=int, default=ClusterPipeline.parallel, help="runs in flight")
    parser.add_argument("--seconds", type=float, default=120, help="when to give up (120)")
    parser.add_argument("--keep", type=Path, help="a folder for the logs, which stays")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    if missing := Backends.missing(options.store, options.bus):
        print(f"skipped: not installed: Debian packages {', '.join(missing)}")
        return SKIPPED
    faults = options.faults.split(",") if options.faults else []
    old = options.old or os.environ.get("GANGLION_OLD_BINARY")
    if "upgrade" in faults and not old:
        print("skipped: GANGLION_OLD_BINARY names no older binary")
        return SKIPPED
    round = Round(
        store=options.store,
        bus=options.bus,
        layout=options.layout,
        strategy=options.strategy,
        seed=options.seed,
        faults=faults,
        parallel=options.parallel,
        old=Path(old) if old and "upgrade" in faults else None,
    )
    binary = binary_from(options.ganglion)
    print(round.line(), flush=True)
    with tempfile.TemporaryDirectory(prefix="ganglion-cluster-") as name:
        complaints = asyncio.run(run_round(round, binary, options.keep or Path(name), options.seconds))
    for complaint in complaints[:50]:
        print(f"WRONG {complaint}")
    if complaints:
        print(f"{len(complaints)} complaints; {round.line()}")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
