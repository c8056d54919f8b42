"""A redis-server of a test: on its own port, in its own folder, killed and restarted at will. Standard library only."""

from __future__ import annotations

import ctypes
import random
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

PROGRAM = "redis-server"
START_SECONDS = 30.0
#: Below the ports that the system gives out, so that nobody takes ours while the server is away.
PORTS = range(12_000, 20_000)

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def is_installed() -> bool:
    return shutil.which(PROGRAM) is not None


class RedisStore:
    """Durable: what it has acknowledged is there after a kill."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0
        while self._process is None:
            self._port = random.choice(PORTS)
            self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Returns when it takes connections; or when it has ended, because another program has the port."""
        settings = {"port": str(self._port), "bind": "127.0.0.1", "dir": str(self._folder), "save": ""}
        settings |= {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}
        process = subprocess.Popen(
            [PROGRAM, *(word for name, value in settings.items() for word in (f"--{name}", value))],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=lambda: _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL),
        )
        deadline = time.monotonic() + START_SECONDS
        while process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._port)) == 0:
                    self._process = process
                    return
            assert time.monotonic() < deadline, f"{PROGRAM} does not listen"
            time.sleep(0.005)

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None

    def end(self) -> None:
        if self._process is not None:
            self.kill()
