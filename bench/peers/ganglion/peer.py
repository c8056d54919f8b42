"""Ganglion itself: `ganglion serve` on a fresh SQLite store, loaded by its own benchmark in another process."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from harness import install
from harness.peer import Peer, Row, Running, Variant
from harness.processes import started

BIN = install.ROOT / "build/release/bin"
WORKERS = 4
PROJECT = """\
ganglion: 1
defaults: {timeout: 60s}
agents:
  first: {kind: worker}
  second: {kind: worker}
  third: {kind: worker}
workflows:
  pipeline:
    steps:
      first: {agent: first, input: "${{ input }}"}
      second: {agent: second, input: "${{ steps.first.output }}"}
      last: {agent: third, input: "${{ steps.second.output }}"}
    output: "${{ steps.last.output }}"
"""


def check() -> None:
    for program in ("ganglion", "ganglion_pipeline_bench"):
        if not (BIN / program).exists():
            raise install.Unavailable(f"{BIN / program} is not built: `make build`")


def load_command(port: int, pid: int, row: Row) -> list[str]:
    """The load. Its workers answer from the load's process, over the same API."""
    options = {
        "--port": port,
        "--pid": pid,
        "--clients": row.clients,
        "--workers": WORKERS,
        "--seconds": round(row.seconds),
        "--warm-up": round(row.warm_up),
    }
    return [str(BIN / "ganglion_pipeline_bench"), *(str(word) for option in options.items() for word in option)]


def translate(printed: dict[str, Any]) -> dict[str, Any]:
    """What the benchmark prints, as a row of this table."""
    cpu_ms = printed["server"]["cpu_s_per_1000_steps"] * printed["steps"]
    return {
        "clients": printed["clients"],
        "runs": printed["runs"],
        "seconds": printed["seconds"],
        "runs_per_s": printed["runs_per_s"],
        "p50_ms": printed["run_ms"]["p50"],
        "p99_ms": printed["run_ms"]["p99"],
        "rss_mb": round(printed["server"]["resident_mib"], 1),
        "cpu_ms_per_run": round(cpu_ms / printed["runs"], 3),
        "load_cpu_ms_per_run": round(printed["load_cores"] * 1000 / printed["runs_per_s"], 3),
    }


@contextmanager
def start(row: Row) -> Iterator[Running]:
    (row.folder / "ganglion.yaml").write_text(PROJECT)
    log = row.folder / "ganglion.log"
    command = [
        BIN / "ganglion",
        "serve",
        "-f",
        "ganglion.yaml",
        "--listen",
        "127.0.0.1:0",
        "--store",
        "sqlite:bench.db",
    ]

    def port() -> int:
        found = re.search(r"http://127\.0\.0\.1:(\d+)", log.read_text())
        return int(found[1]) if found else 0

    with started("ganglion", command, row.folder, ready=lambda: port() > 0) as server:
        version = install.run([BIN / "ganglion", "--version"], row.folder).split()[-1]
        yield Running(version, [server.pid], load_command(port(), server.pid, row), translate=translate)


PEER = Peer(
    name="ganglion",
    variants=[Variant("SQLite", "fsync before every effect", durable=True)],
    install=check,
    start=start,
)
