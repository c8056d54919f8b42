"""NATS of Debian with JetStream for a test. Standard library only."""

from __future__ import annotations

from store_servers import StoreServer


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
