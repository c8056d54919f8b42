"""A primary in Redis, two replicas of it, and three sentinels that put one in its place when it is away.

Each has a file of its own, into which the sentinels write what they make of it. Redis replicates after it has
acknowledged, so a failover may lose the last writes: few, since a primary without replicas refuses them.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from fault_proxy import FaultProxies, FaultProxy
from store_servers import Backend, RedisStore
from wire import RedisError

MASTER = "main"
REPLICAS = 2
SENTINELS = 3
QUORUM = 2
#: Milliseconds; a busy processor must not pass for a death.
DOWN_AFTER = 1500
#: Milliseconds; after a vote without a winner the next one comes after twice as long.
FAILOVER_TIMEOUT = 2000
#: Seconds until a primary notices that it has no replicas.
MOST_LAG = 2
#: Milliseconds between what sentinels do every second or ten by themselves.
EAGER = {
    "info-period": 200,
    "ping-period": 200,
    "publish-period": 200,
    "election-timeout": 1000,
    "slave-reconf-timeout": 1000,
    "min-link-reconnect-period": 100,
}
FAILOVER_SECONDS = 30.0
PAUSE_SECONDS = 0.02


class _Configured(RedisStore):
    """With a file instead of options, because it changes its own settings."""

    def arguments(self) -> list[str]:
        path = self._folder / "redis.conf"
        # Made again where another program has the port.
        if not path.exists() or f"port {self._port}\n" not in path.read_text():
            path.write_text("".join(f"{line}\n" for line in self.lines()))
        return [str(path)]

    def lines(self) -> list[str]:
        empty = '""'
        return [f"{name} {value or empty}" for name, value in self.settings().items()]

    def says(self, *words: str) -> list[str]:
        """Its answer as texts; nothing from one that is away or not ready."""
        try:
            answer = self.ask(*words)
        except (OSError, RedisError):
            return []
        return [str(part) for part in answer] if isinstance(answer, list) else [str(answer)]


class _Node(_Configured):
    def __init__(self, primary: _Node | None = None) -> None:
        self._primary = primary
        super().__init__()

    def settings(self) -> dict[str, str]:
        settings = super().settings() | {"repl-diskless-sync-delay": "0"}
        settings |= {"min-replicas-to-write": "1", "min-replicas-max-lag": str(MOST_LAG)}
        if self._primary is not None:
            settings["replicaof"] = f"127.0.0.1 {self._primary.address[1]}"
        return settings

    def follows(self, primary: _Node) -> bool:
        """Has what the primary has, and gets what that gets."""
        role = self.says("ROLE")
        return role[:1] == ["slave"] and role[2:4] == [str(primary.address[1]), "connected"]


class _Sentinel(_Configured):
    def __init__(self, primary: _Node) -> None:
        self._primary = primary
        super().__init__()
        self.ask("SENTINEL", "DEBUG", *(str(word) for setting in EAGER.items() for word in setting))

    def lines(self) -> list[str]:
        return [
            f"port {self._port}",
            "bind 127.0.0.1",
            f"sentinel monitor {MASTER} 127.0.0.1 {self._primary.address[1]} {QUORUM}",
            f"sentinel down-after-milliseconds {MASTER} {DOWN_AFTER}",
            f"sentinel failover-timeout {MASTER} {FAILOVER_TIMEOUT}",
        ]

    def arguments(self) -> list[str]:
        return [*super().arguments(), "--sentinel"]

    @property
    def master(self) -> int | None:
        """The port of the primary that it knows."""
        address = self.says("SENTINEL", "get-master-addr-by-name", MASTER)
        return int(address[1]) if len(address) == 2 else None

    @property
    def is_settled(self) -> bool:
        """Knows all the others."""
        sentinels, replicas = self._count("SENTINELS"), self._count("REPLICAS")
        return sentinels == SENTINELS - 1 and replicas == REPLICAS

    def _count(self, what: str) -> int:
        return len(self.says("SENTINEL", what, MASTER))


S = TypeVar("S", bound=_Configured)


class SentinelLine(FaultProxies):
    """Through one sentinel, whose answers lead to proxies before the nodes."""

    def __init__(self, sentinel: FaultProxy, nodes: Mapping[int, FaultProxy]) -> None:
        super().__init__(sentinel, *nodes.values())
        self._nodes = nodes

    def leads_only_to(self, port: int | None) -> bool:
        """There are connections to the node with this port, and none to others."""
        return all((proxy.connections > 0) == (node == port) for node, proxy in self._nodes.items())


class SentinelRedis(Backend):
    package = RedisStore.package

    def __init__(self) -> None:
        self._servers: list[_Configured] = []
        self._down: _Node | None = None
        self._lines = itertools.count()
        try:
            primary = self._begin(_Node())
            self._nodes = [primary, *(self._begin(_Node(primary)) for _ in range(REPLICAS))]
            self._sentinels = [self._begin(_Sentinel(primary)) for _ in range(SENTINELS)]
            self.await_settled()
        except BaseException:
            self.end()
            raise

    @classmethod
    def is_installed(cls) -> bool:
        return RedisStore.is_installed()

    def line(self) -> SentinelLine:
        nodes = {node.address[1]: FaultProxy(node.address) for node in self._nodes}

        def translate(answer: bytes) -> bytes:
            for port, proxy in nodes.items():
                answer = answer.replace(_bulk(port), _bulk(proxy.port))
            return answer

        sentinel = self._sentinels[next(self._lines) % SENTINELS]
        return SentinelLine(FaultProxy(sentinel.address, translate), nodes)

    def url(self, name: str, port: int | None = None) -> str:
        return f"redis+sentinel://127.0.0.1:{port or self._sentinels[0].address[1]}/{MASTER}?prefix={name}"

    @property
    def primary_port(self) -> int | None:
        return self._sentinels[0].master

    @property
    def primary(self) -> _Node:
        port = self.primary_port
        return next(node for node in self._nodes if node.address[1] == port)

    def kill(self) -> None:
        """The primary."""
        self._down = self.primary
        self._down.kill()

    def freeze(self) -> None:
        """The primary."""
        self._down = self.primary
        self._down.freeze()

    def thaw(self) -> None:
        assert self._down is not None
        self._down.thaw()

    def start(self) -> None:
        assert self._down is not None
        self._down.start()

    def await_failover(self) -> None:
        """Until another one is the primary."""
        assert self._down is not None
        before = self._down.address[1]
        _await(lambda: all(sentinel.master != before for sentinel in self._sentinels), "a failover")

    def await_settled(self) -> None:
        """Until all agree who the primary is, and every replica has what it has."""
        _await(self._is_settled, "the replicas")

    def _is_settled(self) -> bool:
        if not all(sentinel.is_settled for sentinel in self._sentinels):
            return False
        masters = {sentinel.master for sentinel in self._sentinels}
        primary = next((node for node in self._nodes if {node.address[1]} == masters), None)
        if primary is None or primary.says("ROLE")[:1] != ["master"]:
            return False
        return all(node is primary or node.follows(primary) for node in self._nodes)

    # Of the bus, where the store carries the messages.
    def empty(self, name: str, queue: str) -> int:
        return self.primary.empty(name, queue)

    def remove(self, name: str, queue: str) -> int:
        return self.primary.remove(name, queue)

    def end(self) -> None:
        for server in self._servers:
            server.end()

    def _begin(self, server: S) -> S:
        self._servers.append(server)
        return server


def _bulk(port: int) -> bytes:
    """As Redis writes it; all ports here have as many digits."""
    text = str(port).encode()
    return b"$%d\r\n%s\r\n" % (len(text), text)


def _await(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + FAILOVER_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"the sentinels don't see {what} within {FAILOVER_SECONDS:.0f} s"
        time.sleep(PAUSE_SECONDS)
