"""Servers that hold the store of a test: killed and restarted at will. Standard library only."""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from pathlib import Path

from fault_proxy import FaultProxies, FaultProxy
from wire import redis_command

START_SECONDS = 30.0
#: Below the ports that the system gives out, so that nobody takes ours while the server is away.
PORTS = range(12_000, 20_000)

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


class Backend(ABC):
    """A store or a bus that a test can kill. Durable: what it has acknowledged is there when it is back."""

    package: str  # of Debian

    @classmethod
    @abstractmethod
    def is_installed(cls) -> bool: ...

    @abstractmethod
    def line(self) -> FaultProxy | FaultProxies:
        """A way to it of somebody's own."""

    @abstractmethod
    def url(self, name: str, port: int | None = None) -> str:
        """Of a store of this name, apart from others of the same server; or the same at another port than its own."""

    @abstractmethod
    def kill(self) -> None: ...

    @abstractmethod
    def start(self) -> None:
        """After a kill."""

    @abstractmethod
    def end(self) -> None:
        """Nothing of it stays."""


class StoreServer(Backend):
    """One server, whose processes end at once when it is killed."""

    program: str
    account: str | None = None  # that it runs as where the test is root's

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="ganglion-store-"))
        if self._account() is not None:
            shutil.chown(self._folder, self.account, self.account)
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0
        self.prepare()
        while self._process is None:
            self._port = random.choice(PORTS)
            self.start()

    @classmethod
    def is_installed(cls) -> bool:
        return shutil.which(cls.program) is not None

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self._port

    def line(self) -> FaultProxy | FaultProxies:
        return FaultProxy(self.address)

    @abstractmethod
    def arguments(self) -> list[str]:
        """What the program is started with."""

    @abstractmethod
    def prepare(self) -> None:
        """Makes what the program expects to find."""

    def command(self) -> list[str]:
        return [self.program, *self.arguments()]

    def start(self) -> None:
        """Returns when it takes connections; or when it has ended, because another program has the port."""
        process = self.launch(self.command())
        deadline = time.monotonic() + START_SECONDS
        while process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._port)) == 0:
                    self._process = process
                    return
            assert time.monotonic() < deadline, f"{self.program} does not listen"
            time.sleep(0.005)

    def freeze(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Every process of it at once."""
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        self._process.kill()
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGKILL)
        self._process.wait()
        while any(Path(f"/proc/{child}").exists() for child in children):
            time.sleep(0.005)
        self._process = None

    def end(self) -> None:
        if self._process is not None:
            self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def launch(self, command: list[str]) -> subprocess.Popen[bytes]:
        account = self._account()

        def become() -> None:
            if account is not None:
                os.setgroups([])
                os.setgid(account.pw_gid)
                os.setuid(account.pw_uid)
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

        return subprocess.Popen(
            command, cwd=self._folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=become
        )

    def _account(self) -> pwd.struct_passwd | None:
        return pwd.getpwnam(self.account) if self.account is not None and os.geteuid() == 0 else None


class RedisStore(StoreServer):
    package = program = "redis-server"

    def url(self, name: str, port: int | None = None) -> str:
        return f"redis://127.0.0.1:{port or self._port}?prefix={name}"

    def prepare(self) -> None:
        pass

    def ask(self, *words: str) -> object:
        return redis_command(self.address, *words)

    def empty(self, name: str, queue: str) -> int:
        """Loses what is in a queue; how much that was."""
        stream = f"{{{name}}}:queue:{queue}"
        lost = self.ask("XLEN", stream)
        self.ask("DEL", stream)
        return int(str(lost))

    def remove(self, name: str, queue: str) -> int:
        """Loses the queue; how much was in it."""
        lost = self.empty(name, queue)
        self.ask("DEL", f"{{{name}}}:queue-options:{queue}")
        return lost

    def settings(self) -> dict[str, str]:
        settings = {"port": str(self._port), "bind": "127.0.0.1", "dir": str(self._folder), "save": ""}
        return settings | {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}

    def arguments(self) -> list[str]:
        return [word for name, value in self.settings().items() for word in (f"--{name}", value)]


class PostgresStore(StoreServer):
    package = "postgresql-15"
    program = "/usr/lib/postgresql/15/bin/postgres"
    account = "postgres"

    def url(self, name: str, port: int | None = None) -> str:
        return f"postgres://ganglion@127.0.0.1:{port or self._port}/postgres?schema={name.replace('-', '_')}"

    def prepare(self) -> None:
        initdb = str(Path(self.program).with_name("initdb"))
        options = ["--username=ganglion", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        assert self.launch([initdb, "--pgdata", str(self._folder / "data"), *options]).wait() == 0

    def arguments(self) -> list[str]:
        settings = {"port": str(self._port), "listen_addresses": "127.0.0.1", "unix_socket_directories": ""}
        settings |= {"shared_buffers": "32MB", "max_connections": "30", "recovery_init_sync_method": "syncfs"}
        return ["-D", str(self._folder / "data"), *(f"--{name}={value}" for name, value in settings.items())]


#: By the name that a test's option gives them.
STORES: dict[str, type[StoreServer]] = {"redis": RedisStore, "postgres": PostgresStore}
