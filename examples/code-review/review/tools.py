"""Runs external checkers: no shell, no inherited secrets, bounded in time and output, and gone when it returns."""

from __future__ import annotations

import contextlib
import functools
import os
import selectors
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass

#: Bytes of output that are kept; the rest is read and thrown away.
MAX_OUTPUT = 256 * 1024
DEFAULT_TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class ToolRun:
    """How a tool ended. `timed_out` means that it was killed; then `status` says nothing."""

    status: int
    stdout: str
    stderr: str
    timed_out: bool = False


@functools.cache
def find_tool(*names: str) -> str | None:
    """The absolute path of the first of `names` that is installed."""
    return next((path for name in names if (path := shutil.which(name))), None)


def run_tool(
    command: Sequence[str], *, stdin: bytes = b"", cwd: str | os.PathLike[str] = "/", timeout: float = DEFAULT_TIMEOUT
) -> ToolRun:
    """Runs `command[0]`, an absolute path. `OSError` if it can't be started.

    The environment holds only a path, a locale and a home that does not exist, so no settings of the user and no
    secrets of the worker reach the tool. Its whole process group is killed when time is up or the caller goes away.
    """
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"}
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=cwd,
        env=environment,
        start_new_session=True,
    )
    try:
        stdout, stderr, timed_out = _exchange(process, stdin, time.monotonic() + timeout)
        if not timed_out:
            process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        timed_out = True
    finally:
        # What the tool has left behind in its group goes with it.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
    return ToolRun(process.returncode, stdout, stderr, timed_out)


def _exchange(process: subprocess.Popen[bytes], stdin: bytes, deadline: float) -> tuple[str, str, bool]:
    assert process.stdout is not None and process.stderr is not None
    kept = {process.stdout: bytearray(), process.stderr: bytearray()}
    sent = 0
    timed_out = False
    with selectors.DefaultSelector() as selector:
        for pipe in kept:
            selector.register(pipe, selectors.EVENT_READ)
        if process.stdin is not None:
            os.set_blocking(process.stdin.fileno(), False)
            selector.register(process.stdin, selectors.EVENT_WRITE)
        while selector.get_map() and not timed_out:
            ready = selector.select(max(0.0, deadline - time.monotonic()))
            timed_out = time.monotonic() >= deadline
            for key, _ in ready:
                if key.fileobj is process.stdin:
                    try:
                        sent += os.write(key.fd, stdin[sent : sent + 65536])
                    except BrokenPipeError:
                        sent = len(stdin)
                    if sent >= len(stdin):
                        selector.unregister(process.stdin)
                        process.stdin.close()
                elif piece := os.read(key.fd, 65536):
                    buffer = kept[key.fileobj]  # type: ignore[index]
                    buffer += piece[: MAX_OUTPUT - len(buffer)]
                else:
                    selector.unregister(key.fileobj)
    out, err = (bytes(kept[pipe]).decode("utf-8", "replace") for pipe in (process.stdout, process.stderr))
    return out, err, timed_out
