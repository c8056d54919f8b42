"""Processes that the benchmark starts, what they use, and their end: exactly those, by their ids."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

STOP_SECONDS = 15
START_SECONDS = 60
_TICKS = os.sysconf("SC_CLK_TCK")


class NotStarted(Exception):
    """A server did not come up; says why."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def accepts(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def reason(log: Path) -> str:
    """The line of a log that most likely says what went wrong."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if "rror" in line.partition(" ")[0]]
    return (errors or lines or ["no output"])[-1][:300]


@contextmanager
def started(
    name: str,
    command: Sequence[str | os.PathLike[str]],
    folder: Path,
    *,
    ready: Callable[[], bool],
    env: Mapping[str, str] | None = None,
    user: str | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """A server in a process group of its own, from ready to ended. Its output goes to FOLDER/NAME.log."""
    log = folder / f"{name}.log"
    with open(log, "wb") as output:
        process = subprocess.Popen(
            [os.fspath(part) for part in command],
            cwd=folder,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            user=user,
            group=None,
        )
    try:
        until = time.monotonic() + START_SECONDS
        while not ready():
            if process.poll() is not None or time.monotonic() > until:
                raise NotStarted(f"{name} did not start: {reason(log)}")
            time.sleep(0.05)
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Asks, waits, then kills what is left of the process and its descendants."""
    family = tree([process.pid])
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for pid, began in family.items():
        if _began(pid) == began:  # not a later process that was given the same id
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the name: [0] is the state."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _began(pid: int) -> int:
    fields = _stat(pid)
    return int(fields[19]) if fields else -1


def tree(roots: Iterable[int]) -> dict[int, int]:
    """The processes and all their descendants, each with the tick at which it began."""
    children: dict[int, list[int]] = {}
    began: dict[int, int] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (fields := _stat(int(entry))):
            children.setdefault(int(fields[1]), []).append(int(entry))
            began[int(entry)] = int(fields[19])
    found: dict[int, int] = {}
    pending = list(roots)
    while pending:
        pid = pending.pop()
        if pid in began and pid not in found:
            found[pid] = began[pid]
            pending.extend(children.get(pid, []))
    return found


def cpu_seconds(roots: Iterable[int]) -> float:
    """User and system time of the processes and their descendants, those that have ended included."""
    stats = [fields for pid in tree(roots) if (fields := _stat(pid))]
    return sum(int(field) for fields in stats for field in fields[11:15]) / _TICKS


def memory_mb(roots: Iterable[int]) -> float:
    """Resident memory of the processes and their descendants; a page that several share counts once."""
    return sum(_proportional_kb(pid) for pid in tree(roots)) / 1024


def _proportional_kb(pid: int) -> int:
    for source, key in ((f"/proc/{pid}/smaps_rollup", "Pss:"), (f"/proc/{pid}/status", "VmRSS:")):
        with contextlib.suppress(OSError):
            for line in Path(source).read_text().splitlines():
                if line.startswith(key):
                    return int(line.split()[1])
    return 0
