"""RabbitMQ of Debian for a test: without plugins, with its names' daemon to itself. Standard library only."""

from __future__ import annotations

import random
import shutil
import subprocess

from store_servers import PORTS, StoreServer


class RabbitServer(StoreServer):
    package = "rabbitmq-server"
    program = "/usr/lib/rabbitmq/bin/rabbitmq-server"
    control_program = "/usr/lib/rabbitmq/bin/rabbitmqctl"

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

    def command(self) -> list[str]:
        names, distribution = random.sample(PORTS, 2)
        (self._folder / "rabbitmq.conf").write_text(f"listeners.tcp.1 = 127.0.0.1:{self._port}\n")
        self._end_names()
        self._names = self.launch(["epmd", "-port", str(names), "-address", "127.0.0.1"])
        self._environment = self._settings(names, distribution)
        return [*self._environment, self.program]

    def control(self, *words: str) -> str:
        """What `rabbitmqctl` says."""
        command = [*self._environment, self.control_program, "--quiet", *words]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=self._folder)
        assert done.returncode == 0, f"rabbitmqctl {' '.join(words)}: {done.stdout}"
        return done.stdout

    def starve(self) -> None:
        """From now on it is short of memory, and reads nothing from whoever publishes."""
        self.control("set_vm_memory_high_watermark", "0.00001")

    def feed(self) -> None:
        self.control("set_vm_memory_high_watermark", "0.9")

    def empty(self, name: str, queue: str) -> None:
        """Loses what is in a queue, but for what consumers have."""
        self.control("purge_queue", f"{name}.{queue}")

    def remove(self, name: str, queue: str) -> None:
        self.control("delete_queue", f"{name}.{queue}")

    def _settings(self, names: int, distribution: int) -> list[str]:
        """Everything that would otherwise be the machine's."""
        home = str(self._folder)
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
        return ["env", *(f"{name}={value}" for name, value in settings.items())]

    def end(self) -> None:
        self._end_names()
        super().end()

    def _end_names(self) -> None:
        if self._names is not None:
            self._names.kill()
            self._names.wait()
            self._names = None
