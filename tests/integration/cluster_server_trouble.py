"""What stores and buses do to an installation without dying: they lose what they carry, take nothing, change places."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from cluster import NAME, Member
from fault_proxy import Cut
from kernel_cut import can_cut, cut_to
from nats_server import NatsServer
from rabbit_server import RabbitServer
from sentinel_redis import SentinelLine, SentinelRedis
from store_servers import RedisStore

if TYPE_CHECKING:
    from cluster_trouble import Trouble

#: Buses that lose a queue on request.
WIPEABLE = (RabbitServer, NatsServer, RedisStore, SentinelRedis)
QUEUES = ("agent:first", "agent:second", "agent:third", "coordinator:default", "coordinator:details")
#: How long workers stand still, so that something is in the queues.
STILL_SECONDS = (0.1, 0.6)
SHORT_SECONDS = (0.5, 2.5)
SEVERED_TIMES = (10, 40)
#: Of the cuts, those on the way to the bus.
BUS_SEVERED = 0.25
SEVERED_PAUSE_SECONDS = (0.005, 0.15)
#: How long a primary stays frozen when another one has its place.
USURPED_SECONDS = (0.0, 3.0)
#: Replication is behind by less.
MOST_LOST_SECONDS = 1.0
#: Until every member has found the new primary: one that was not told waits for a silent server for ten seconds.
FOUND_SECONDS = 30.0
#: How long all must be connected to it, so that each has heard what it has lost.
STEADY_SECONDS = 0.5
PAUSE_SECONDS = 0.05


async def sever(trouble: Trouble) -> None:
    """Connections end inside the kernel, again and again, whatever is on them: a commit, its answer, half of either."""
    times = trouble.plan.randint(*SEVERED_TIMES)
    trouble.say(f"{times} times {'ss --kill' if can_cut() else 'cut by the proxy, since the kernel does not do it'}")
    cut = 0
    for _ in range(times):
        member = trouble.plan.choice(trouble.cluster.members)
        line = member.to_bus if trouble.plan.random() < BUS_SEVERED else member.to_store
        if can_cut():
            cut += sum([await asyncio.to_thread(cut_to, port) for port in line.ports])
        else:
            line.cut(Cut.reset)
        await asyncio.sleep(trouble.plan.uniform(*SEVERED_PAUSE_SECONDS))
    assert cut or not can_cut(), "nothing was there to be cut"


async def wipe(trouble: Trouble) -> None:
    """What a queue holds is gone, or the queue itself, while nobody works on what is in it."""
    bus = trouble.backends.bus
    assert isinstance(bus, WIPEABLE)
    queue = trouble.plan.choice(QUEUES)
    act = trouble.plan.choice([bus.empty, bus.remove])
    trouble.cluster.freeze_workers()
    try:
        await asyncio.sleep(trouble.plan.uniform(*STILL_SECONDS))
        lost = await asyncio.to_thread(act, NAME, queue)
    finally:
        trouble.cluster.thaw_workers()
        trouble.has_new_queues()
    trouble.say(f"{act.__name__} {queue}{'' if lost is None else f', {lost} messages'}")


async def alarm(trouble: Trouble) -> None:
    """The broker is short of memory: it takes no publications. Blocked is not hung."""
    bus = trouble.backends.bus
    assert isinstance(bus, RabbitServer)
    seconds = trouble.plan.uniform(*SHORT_SECONDS)
    trouble.say(f"the bus is short of memory for {seconds:.1f} s")
    await asyncio.to_thread(bus.starve)
    try:
        await asyncio.sleep(seconds)
        for member in trouble.cluster.members:
            await asyncio.to_thread(member.check_health)
        if trouble.cluster.works_without_bus:
            await trouble.await_progress("the bus has memory again")
    finally:
        await asyncio.to_thread(bus.feed)


async def fail_over(trouble: Trouble) -> None:
    """The primary dies, and comes back when another one has its place."""
    store = trouble.backends.store
    assert isinstance(store, SentinelRedis)
    trouble.say("kill -9 the primary")
    at = time.monotonic()
    store.kill()
    await asyncio.to_thread(store.await_failover)
    await asyncio.to_thread(store.start)
    await settle(trouble, store, at)


async def fail_over_frozen(trouble: Trouble) -> None:
    """The primary stands still, and goes on as one when another one has its place."""
    store = trouble.backends.store
    assert isinstance(store, SentinelRedis)
    seconds = trouble.plan.uniform(*USURPED_SECONDS)
    trouble.say(f"SIGSTOP the primary, CONT {seconds:.1f} s after another one has its place")
    at = time.monotonic()
    store.freeze()
    try:
        await asyncio.to_thread(store.await_failover)
        await asyncio.sleep(seconds)
    finally:
        store.thaw()
    await settle(trouble, store, at)


async def settle(trouble: Trouble, store: SentinelRedis, at: float) -> None:
    """Until every member writes to the primary of now.

    One that has been told that its writes were lost ends, as promised, and is started again; then what was acknowledged
    around the failover, which began `at`, may be gone. Where none has ended, nothing may be.
    """
    settled = asyncio.create_task(asyncio.to_thread(store.await_settled))
    ended: list[str] = []
    deadline = time.monotonic() + FOUND_SECONDS
    steady_since = time.monotonic()
    while time.monotonic() < steady_since + STEADY_SECONDS:
        for member in trouble.cluster.members:
            if member.has_lost_writes():
                await _start_again(trouble, member)
                ended.append(member.name)
        astray = [member.name for member in trouble.cluster.members if not _is_led(member, store)]
        if astray or not settled.done():
            steady_since = time.monotonic()
        assert time.monotonic() < deadline, f"{astray} don't find the primary of now"
        await asyncio.sleep(PAUSE_SECONDS)
    settled.result()
    trouble.say(f"settled after {time.monotonic() - at:.1f} s, writes lost of {', '.join(ended) or 'nobody'}")
    if ended:
        trouble.load.may_have_lost(at - MOST_LOST_SECONDS)


def _is_led(member: Member, store: SentinelRedis) -> bool:
    return isinstance(member.to_store, SentinelLine) and member.to_store.leads_only_to(store.primary_port)


async def _start_again(trouble: Trouble, member: Member) -> None:
    trouble.is_up(member, up=False)
    await asyncio.to_thread(member.start)
    trouble.is_up(member, up=True)
