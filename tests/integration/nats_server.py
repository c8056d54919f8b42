"""NATS of Debian with JetStream for a test. Standard library only."""

from __future__ import annotations

from typing import Any

from store_servers import StoreServer
from wire import nats_request


class NatsServer(StoreServer):
    package = program = "nats-server"

    def url(self, name: str = "", port: int | None = None) -> str:
        prefix = f"?prefix={name}" if name else ""
        return f"nats://127.0.0.1:{port or self._port}{prefix}"

    def prepare(self) -> None:
        pass

    def arguments(self) -> list[str]:
        config = self._folder / "nats.conf"
        lines = [
            f'listen: "127.0.0.1:{self._port}"',
            "max_payload: 8MB",  # a message of 4 MiB and its headers
            f'jetstream {{ store_dir: "{self._folder}/jetstream" }}',
        ]
        config.write_text("\n".join(lines) + "\n")
        return ["--config", str(config)]

    def empty(self, name: str, queue: str) -> int:
        """Loses what is in a queue; how much that was."""
        return int(self._ask("PURGE", name, queue)["purged"])

    def remove(self, name: str, queue: str) -> int:
        """Loses the queue; how much was in it."""
        lost = int(self._ask("INFO", name, queue)["state"]["messages"])
        self._ask("DELETE", name, queue)
        return lost

    def _ask(self, verb: str, name: str, queue: str) -> dict[str, Any]:
        stream = f"{name}+queue+{queue.replace(':', '~')}"
        answer = nats_request(self.address, f"$JS.API.STREAM.{verb}.{stream}")
        assert "error" not in answer, f"{verb} {stream}: {answer['error']}"
        return answer
