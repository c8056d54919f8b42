"""An installation for tests: several `ganglion serve` over one store and bus, each behind fault proxies of its own."""

from __future__ import annotations

import os
import signal
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from fault_proxy import FaultProxies, FaultProxy
from guarded_load import STEPS as GUARDED_STEPS
from guarded_load import WORKFLOW as GUARDED
from kafka_server import KafkaServer
from kill_scenarios import Pipeline
from nats_server import NatsServer
from rabbit_server import RabbitServer
from sentinel_redis import SentinelRedis
from serving import Server
from store_servers import STORES, Backend

NAME = "cluster"
METRICS_SECONDS = 10.0
LEFT_OVER = ("ganglion_open_runs", "ganglion_agent_queued_tasks", "ganglion_agent_handed_out_tasks")
LEFT_OVER += ("ganglion_followed_runs",)
ALL = "ingress,coordinator,agents"


@dataclass(frozen=True)
class Place:
    """What one member does."""

    roles: str = ALL
    domain: str | None = None  # whose runs it takes up; of all

    def options(self) -> list[str]:
        roles = [] if self.roles == ALL else ["--roles", self.roles]
        return roles if self.domain is None else [*roles, "--domain", self.domain]


LAYOUTS: dict[str, tuple[Place, ...]] = {
    "together": (Place(), Place(), Place()),
    "apart": (Place("ingress"), Place("coordinator"), Place("coordinator"), Place("agents")),
    "domains": (Place(domain="default"), Place(domain="default"), Place(domain="details"), Place(domain="details")),
}
STRATEGIES = ("mesh", "centralized", "hierarchical", "swarm")
#: By the names that a test's options give them; `store`: the store carries the messages, too.
CLUSTER_STORES: dict[str, type[Backend]] = {**STORES, "sentinel": SentinelRedis}
BUSES: dict[str, type[Backend] | None] = {
    "store": None,
    "rabbitmq": RabbitServer,
    "nats": NatsServer,
    "kafka": KafkaServer,
}
#: Of a process over a store that has lost what it had acknowledged.
LOST_WRITES_STATUS = 70
#: That a member answers a look at its health in, whatever its store and its bus do.
HEALTHY_SECONDS = 2.0


class Backends:
    """The servers of an installation. `bus` is the store where there is none of its own."""

    def __init__(self, store: str, bus: str) -> None:
        self.store = CLUSTER_STORES[store]()
        kind = BUSES[bus]
        try:
            self.bus = kind() if kind is not None else self.store
        except BaseException:
            self.store.end()
            raise

    @staticmethod
    def missing(store: str, bus: str) -> list[str]:
        """Debian packages."""
        kinds = [CLUSTER_STORES[store], BUSES[bus]]
        return [kind.package for kind in kinds if kind is not None and not kind.is_installed()]

    @property
    def has_own_bus(self) -> bool:
        return self.bus is not self.store

    def end(self) -> None:
        self.store.end()
        if self.has_own_bus:
            self.bus.end()


class Member(Server):
    """One process of the installation; it reaches store and bus through proxies that are its own."""

    def __init__(
        self, binary: Path, folder: Path, project: str, place: Place, strategy: str, backends: Backends
    ) -> None:
        super().__init__(binary, folder, project)
        self.name = folder.name
        self.roles = frozenset(place.roles.split(","))
        self.domain = place.domain
        self.to_store = backends.store.line()
        self.to_bus = backends.bus.line() if backends.has_own_bus else self.to_store
        self.store = backends.store.url(NAME, self.to_store.port)
        self._options = ["--strategy", strategy, *place.options()]
        # Without a bus of its own the store's URL is the bus.
        self._bus = {"GANGLION_BUS": backends.bus.url(NAME, self.to_bus.port)} if backends.has_own_bus else {}

    def serve_command(self) -> list[str]:
        command = self.command("serve", "-f", "ganglion.yaml", "--listen", self._listen, "--log", "json")
        return [*command, "--log-transitions", *self._options]

    def environment(self) -> dict[str, str]:
        return {**super().environment(), "GANGLION_STORE": self.store, **self._bus}

    @property
    def proxies(self) -> set[FaultProxy | FaultProxies]:
        return {self.to_store, self.to_bus}

    def left_over(self) -> dict[str, float]:
        """Runs that it takes for open, and tasks that it has; by the name of the metric, where there are any."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=METRICS_SECONDS) as answer:
            lines = answer.read().decode().splitlines()
        values = [line.rsplit(" ", 1) for line in lines if line.startswith(LEFT_OVER)]
        return {name: float(value) for name, value in values if float(value) > 0}

    def check_health(self) -> None:
        with urllib.request.urlopen(f"{self.url}/healthz", timeout=HEALTHY_SECONDS):
            pass

    def has_lost_writes(self) -> bool:
        """It has ended because its store has."""
        return self.process is not None and self.process.poll() == LOST_WRITES_STATUS

    def freeze(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def end(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        for proxy in self.proxies:
            proxy.close()


class ClusterPipeline(Pipeline):
    """The pipeline of the kill test, whose second step is a run of its own in another domain."""

    parallel = 60
    project = f"""\
ganglion: 1
defaults:
  timeout: 2s
  retry: {{max_attempts: {Pipeline.max_attempts}, initial: 10ms, max: 50ms, jitter: 0.2}}
agents:
  first: {{kind: worker}}
  second: {{kind: worker}}
  third: {{kind: worker}}
workflows:
  pipeline:
    steps:
      first: {{agent: first, input: "${{{{ input }}}}"}}
      second: {{workflow: detail, input: "${{{{ steps.first.output }}}}"}}
      third: {{agent: third, input: "${{{{ steps.second.output }}}}"}}
    output: "${{{{ steps.third.output }}}}"
  {GUARDED}:
    steps:
{GUARDED_STEPS}\
  detail:
    steps:
      work: {{agent: second, input: "${{{{ input }}}}"}}
    output: "${{{{ steps.work.output }}}}"
coordination:
  domains: {{details: {{workflows: [detail]}}}}
"""

    def __init__(
        self, binary: Path, folder: Path, layout: str, strategy: str, backends: Backends, old: Path | None = None
    ) -> None:
        """`old`: the binary that all begin with, where it is another one."""
        self.binary = binary
        self.old = old
        self.members = [
            Member(old or binary, folder / f"member-{number}", self.project, place, strategy, backends)
            for number, place in enumerate(LAYOUTS[layout])
        ]
        self.ingress = self.with_role("ingress")
        self.server = self.ingress[0]
        employers: list[Server] = [*self.with_role("agents")]
        self._employ(employers * 2 if len(employers) == 1 else employers, folder / "workers.log")

    @property
    def works_without_bus(self) -> bool:
        """Everybody does everything."""
        return all(member.roles == frozenset(ALL.split(",")) and not member.domain for member in self.members)

    def with_role(self, role: str) -> list[Member]:
        return [member for member in self.members if role in member.roles]

    def start(self) -> None:
        for member in self.members:
            member.launch()
        for member in self.members:
            member.await_listening()

    def stop(self) -> None:
        for member in self.members:
            member.stop()
            member.check_log()

    def log_tails(self) -> str:
        return "\n".join(f"--- {member.name}\n{member.log_tail(15)}" for member in self.members)

    def end(self) -> None:
        super().end()
        for member in self.members:
            member.end()
