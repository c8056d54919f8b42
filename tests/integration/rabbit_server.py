"""RabbitMQ of Debian for a test: without plugins, with its names' daemon to itself. Standard library only."""

from __future__ import annotations

import random
import shutil
import subprocess

from store_servers import PORTS, StoreServer


class RabbitServer(StoreServer):
    package = "rabbitmq-server"
    program = "/usr/lib/rabbitmq/bin/rabbitmq-server"

    @classmethod
    def is_installed(cls) -> bool:
        return shutil.which(cls.program) is not None and shutil.which("epmd") is not None

    def url(self, name: str = "", port: int | None = None) -> str:
        prefix = f"?prefix={name}" if name else ""
        return f"amqp://guest:guest@127.0.0.1:{port or self._port}{prefix}"

    def prepare(self) -> None:
        (self._folder / "enabled_plugins").write_text("[].\n")
        self._names: subprocess.Popen[bytes] | None = None

    def arguments(self) -> list[str]:
        return []

    # Everything that would otherwise be the machine's.
    def command(self) -> list[str]:
        home, names, distribution = str(self._folder), *random.sample(PORTS, 2)
        (self._folder / "rabbitmq.conf").write_text(f"listeners.tcp.1 = 127.0.0.1:{self._port}\n")
        self._end_names()
        self._names = self.launch(["epmd", "-port", str(names), "-address", "127.0.0.1"])
        settings = {
            "HOME": home,
            "ERL_EPMD_PORT": str(names),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RUNNING_UNDER_SYSTEMD": "1",  # the script becomes the server
            "RABBITMQ_NODENAME": f"test{self._port}@localhost",
            "RABBITMQ_DIST_PORT": str(distribution),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +S 2:2 +sbwt none",
            "RABBITMQ_CONF_ENV_FILE": f"{home}/none.conf",
            "RABBITMQ_CONFIG_FILE": f"{home}/rabbitmq.conf",
            "RABBITMQ_ADVANCED_CONFIG_FILE": f"{home}/none.config",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{home}/enabled_plugins",
            "RABBITMQ_MNESIA_BASE": f"{home}/mnesia",
            "RABBITMQ_LOG_BASE": home,
            "RABBITMQ_PID_FILE": f"{home}/pid",
        }
        return ["env", *(f"{name}={value}" for name, value in settings.items()), self.program]

    def end(self) -> None:
        self._end_names()
        super().end()

    def _end_names(self) -> None:
        if self._names is not None:
            self._names.kill()
            self._names.wait()
            self._names = None
