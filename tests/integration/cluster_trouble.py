"""What goes wrong in an installation under load, one after the other: processes, servers, and the lines between.

What is done to a store or a bus that lives on is in cluster_server_trouble.py.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from cluster import Backends, ClusterPipeline, Member
from cluster_server_trouble import WIPEABLE, alarm, fail_over, fail_over_frozen, settle, sever, wipe
from fault_proxy import Cut, FaultProxies, FaultProxy, Faults, Side
from kill_load import Load
from rabbit_server import RabbitServer
from sentinel_redis import SentinelRedis

#: How long the load may take to progress after anything.
PROGRESS_SECONDS = 60.0
#: The moment of a fault: so long after the load is seen to progress, at most.
MOST_DELAY_SECONDS = 0.3
#: How long somebody is dead: long enough that the others must do without.
DEAD_SECONDS = (1.0, 2.5)
FROZEN_SECONDS = (0.1, 3.0)
AWAY_SECONDS = (0.0, 1.0)
CUT_SECONDS = (0.2, 2.5)
#: RabbitMQ 3.10 that is killed so soon after it has made a queue may come back without a leader for it.
YOUNG_SECONDS = 5.0
SLOW = Faults(delay=0.05, bandwidth=200_000)


@dataclass(frozen=True)
class Death:
    """Of a coordinator, by kill -9; seconds since the epoch."""

    member: Member
    at: float
    back: float


class Trouble:
    """Makes it; after each fault everything is whole again."""

    def __init__(self, cluster: ClusterPipeline, backends: Backends, load: Load, plan: random.Random) -> None:
        self.cluster = cluster
        self.backends = backends
        self.load = load
        self.plan = plan
        self._began = time.monotonic()
        self._queues_since = self._began  # the youngest
        self.deaths: list[Death] = []

    async def run(self, kinds: Sequence[str]) -> None:
        """Those that these servers can have."""
        for kind in kinds:
            if not self._is_possible(kind):
                continue
            await self.await_progress(kind)
            await asyncio.sleep(self.plan.uniform(0, MOST_DELAY_SECONDS))
            await _KINDS[kind](self)

    def _is_possible(self, kind: str) -> bool:
        if kind == "bus":
            return self.backends.has_own_bus  # one that is the store is not killed twice
        if kind == "wipe":
            return isinstance(self.backends.bus, WIPEABLE)
        if kind == "alarm":
            return isinstance(self.backends.bus, RabbitServer)
        if kind.startswith("failover"):
            return isinstance(self.backends.store, SentinelRedis)
        return kind != "upgrade" or self.cluster.old is not None

    def has_new_queues(self) -> None:
        self._queues_since = time.monotonic()

    async def await_progress(self, before: str) -> None:
        seen = self.load.progress
        deadline = time.monotonic() + PROGRESS_SECONDS
        while self.load.progress == seen or self.load.in_flight < self.cluster.parallel // 2:
            await self.load.check()
            assert time.monotonic() < deadline, f"no progress before {before}:\n{self.cluster.log_tails()}"
            await asyncio.sleep(0.005)

    def say(self, what: str) -> None:
        print(f"  {time.monotonic() - self._began:5.1f} s  {what}", flush=True)

    async def _kill(self) -> None:
        member = self.plan.choice(self.cluster.with_role("coordinator"))
        seconds = self.plan.uniform(*DEAD_SECONDS)
        self.say(f"kill -9 {member.name}, away for {seconds:.1f} s")
        self.is_up(member, up=False)
        member.kill()
        at = time.time()
        await asyncio.sleep(seconds)
        back = time.time()
        await asyncio.to_thread(member.start)
        self.is_up(member, up=True)
        self.deaths.append(Death(member, at, back))

    async def _freeze(self) -> None:
        member = self.plan.choice(self.cluster.members)
        seconds = self.plan.uniform(*FROZEN_SECONDS)
        self.say(f"SIGSTOP {member.name}, CONT after {seconds:.1f} s")
        self.is_up(member, up=False)
        member.freeze()
        await asyncio.sleep(seconds)
        member.thaw()
        self.is_up(member, up=True)

    async def _roll(self) -> None:
        self.say("rolling restart")
        for member in self.cluster.members:
            self.is_up(member, up=False)
            await asyncio.to_thread(member.stop)
            await asyncio.to_thread(member.start)
            self.is_up(member, up=True)

    async def _upgrade(self) -> None:
        """From the old binary to the new one, with one of either killed at each step on the way."""
        for member in self.cluster.members:
            self.say(f"{member.name} becomes new")
            self.is_up(member, up=False)
            await asyncio.to_thread(member.stop)
            member.change_binary(self.cluster.binary)
            await asyncio.to_thread(member.start)
            self.is_up(member, up=True)
            await self.await_progress("the next member becomes new")
            await self._kill()

    async def _kill_worker(self) -> None:
        self.say("kill -9 a worker")
        await self.cluster.kill_worker()
        self.cluster.restart_workers()

    async def _restart(self, which: str) -> None:
        server = self.backends.store if which == "store" else self.backends.bus
        seconds = self.plan.uniform(*AWAY_SECONDS)
        self.say(f"kill -9 the {which}, started again after {seconds:.1f} s")
        at = time.monotonic()
        if isinstance(server, RabbitServer):
            await asyncio.sleep(max(0.0, self._queues_since + YOUNG_SECONDS - at))
        server.kill()
        await asyncio.sleep(seconds)
        await asyncio.to_thread(server.start)
        if isinstance(server, SentinelRedis):
            await settle(self, server, at)

    async def _cut_at_once(self, how: Cut) -> None:
        self.line(f"every connection ends ({how.value})").cut(how)

    async def _half_open(self) -> None:
        closed = self.plan.choice(list(Side))
        self.line(f"half-open, the {closed.value} was told").half_open(closed)

    async def _refuse(self) -> None:
        seconds = self.plan.uniform(*CUT_SECONDS)
        proxy = self.line(f"cut, and refused for {seconds:.1f} s")
        proxy.refuse()
        proxy.cut(Cut.reset)
        await asyncio.sleep(seconds)
        proxy.accept()

    async def _spoil(self, *, both: Faults | None = None, one: Faults | None = None) -> None:
        seconds = self.plan.uniform(*CUT_SECONDS)
        to_server = both or self.plan.choice([one, None])
        to_client = both or (one if to_server is None else None)
        proxy = self.line(f"{_described('to', to_server)}{_described('from', to_client)}for {seconds:.1f} s")
        proxy.set(to_server, to_client)
        await asyncio.sleep(seconds)
        proxy.set()

    def line(self, what: str) -> FaultProxy | FaultProxies:
        """Between one member and the store or the bus."""
        member = self.plan.choice(self.cluster.members)
        to_bus = self.backends.has_own_bus and self.plan.random() < 0.5
        self.say(f"{member.name} to the {'bus' if to_bus else 'store'}: {what}")
        return member.to_bus if to_bus else member.to_store

    def is_up(self, member: Member, *, up: bool) -> None:
        if member in self.cluster.ingress:
            self.load.server_is(self.cluster.ingress.index(member), up=up)


def _described(way: str, faults: Faults | None) -> str:
    if faults is None:
        return ""
    return f"{way} it {'held' if faults.hold else 'lost' if faults.drop else 'slow'}, "


_KINDS: dict[str, Callable[[Trouble], Awaitable[None]]] = {
    "kill": Trouble._kill,
    "freeze": Trouble._freeze,
    "roll": Trouble._roll,
    "upgrade": Trouble._upgrade,
    "worker": Trouble._kill_worker,
    "store": lambda trouble: trouble._restart("store"),
    "bus": lambda trouble: trouble._restart("bus"),
    "reset": lambda trouble: trouble._cut_at_once(Cut.reset),
    "end": lambda trouble: trouble._cut_at_once(Cut.end),
    "half-open": Trouble._half_open,
    "refuse": Trouble._refuse,
    "hold": lambda trouble: trouble._spoil(both=Faults(hold=True)),
    "hold-one-way": lambda trouble: trouble._spoil(one=Faults(hold=True)),
    "drop": lambda trouble: trouble._spoil(both=Faults(drop=True)),
    "drop-one-way": lambda trouble: trouble._spoil(one=Faults(drop=True)),
    "slow": lambda trouble: trouble._spoil(both=SLOW),
    "sever": sever,
    "wipe": wipe,
    "alarm": alarm,
    "failover": fail_over,
    "failover-frozen": fail_over_frozen,
}
KINDS = tuple(_KINDS)
