"""TCP connections that the kernel ends in the middle of whatever is on them, by `ss --kill`. Standard library only."""

from __future__ import annotations

import contextlib
import functools
import shutil
import socket
import subprocess


@functools.cache
def can_cut() -> bool:
    """Whether this kernel does so, for us: it takes root, and CONFIG_INET_DIAG_DESTROY."""
    if shutil.which("ss") is None:
        return False
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])
        with socket.create_connection(("127.0.0.1", port)) as client:
            cut_to(port)
            client.settimeout(0.1)
            with contextlib.suppress(TimeoutError):
                try:
                    client.recv(1)
                except ConnectionError:
                    return True
    return False


def cut_to(port: int) -> int:
    """Every connection to this port of the loopback; how many there were."""
    which = ["state", "connected", "dst", "127.0.0.1", "dport", "=", f":{port}"]
    done = subprocess.run(["ss", "--kill", "--no-header", "--tcp", *which], stdout=subprocess.PIPE, text=True)
    return len(done.stdout.splitlines())
