"""Apache Kafka on Debian's Java for a test: one node, its jars where scripts/fetch-kafka has put them. Standard library
only.
"""

from __future__ import annotations

import os
import random
import shutil
import struct
from pathlib import Path

from fault_proxy import FaultProxy
from store_servers import PORTS, StoreServer


def jars() -> Path:
    if named := os.environ.get("GANGLION_KAFKA"):
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ganglion" / "kafka-3.9.1"


class KafkaServer(StoreServer):
    package = "openjdk-17-jre-headless (and Kafka: scripts/fetch-kafka)"
    program = "java"

    @classmethod
    def is_installed(cls) -> bool:
        return shutil.which(cls.program) is not None and (jars() / "kafka_2.13-3.9.1.jar").exists()

    def url(self, name: str = "", port: int | None = None) -> str:
        prefix = f"?prefix={name}" if name else ""
        return f"kafka://127.0.0.1:{port or self._port}{prefix}"

    def line(self) -> FaultProxy:
        """Clients go to the address that the broker says of itself; here it says the proxy's."""
        said = b"127.0.0.1" + struct.pack(">i", self._port)
        proxy: FaultProxy

        def translate(data: bytes) -> bytes:
            return data.replace(said, b"127.0.0.1" + struct.pack(">i", proxy.port))

        proxy = FaultProxy(self.address, translate)
        return proxy

    def prepare(self) -> None:
        self._controller = random.choice(PORTS)
        data = self._folder / "data"
        data.mkdir()
        (data / "meta.properties").write_text("version=1\nnode.id=1\ncluster.id=Z2FuZ2xpb24tdGVzdHMtMQ\n")

    def arguments(self) -> list[str]:
        settings = {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@127.0.0.1:{self._controller}",
            "controller.listener.names": "CONTROLLER",
            "listeners": f"MAIN://127.0.0.1:{self._port},CONTROLLER://127.0.0.1:{self._controller}",
            "advertised.listeners": f"MAIN://127.0.0.1:{self._port}",
            "listener.security.protocol.map": "MAIN:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "MAIN",
            "inter.broker.protocol.version": "3.9",
            "log.dirs": self._folder / "data",
            "num.network.threads": 1,
            "num.io.threads": 2,
            "num.partitions": 1,
            "offsets.topic.num.partitions": 1,
            "offsets.topic.replication.factor": 1,
            "transaction.state.log.num.partitions": 1,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "group.initial.rebalance.delay.ms": 0,
            "broker.session.timeout.ms": 3000,
            "broker.heartbeat.interval.ms": 500,
            "auto.create.topics.enable": "false",
            "log.cleaner.enable": "false",
        }
        config = self._folder / "server.properties"
        config.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        java = ["-Xms64m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        return [*java, "-cp", f"{jars()}/*", "kafka.Kafka", str(config)]
