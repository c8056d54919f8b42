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


def check() -> None:
    if not (BIN / "ganglion").exists():
        raise install.Unavailable(f"{BIN / 'ganglion'} is not built: `make build`")


def load_command(url: str, row: Row) -> list[str]:
    """The load. Its workers answer from a process of their own, over the same API."""
    options = {
        "--server": url,
        "--clients": row.clients,
        "--workers": WORKERS,
        "--duration": f"{row.seconds:g}s",
        "--warmup": f"{row.warm_up:g}s",
    }
    return [str(BIN / "ganglion"), "bench", "--json", *(str(word) for option in options.items() for word in option)]


def translate(printed: dict[str, Any]) -> dict[str, Any]:
    """What the benchmark prints, as a row of this table."""
    (row,) = printed["rows"]
    return {
        "clients": row["clients"],
        "runs": row["runs"],
        "seconds": row["seconds"],
        "runs_per_s": row["runs_per_s"],
        "p50_ms": row["run_ms"]["p50"],
        "p99_ms": row["run_ms"]["p99"],
        "rss_mb": round(row["server"]["resident_mib"] * 1.048576, 1),
        "cpu_ms_per_run": round(row["server"]["cpu_ms_per_step"] * row["steps"] / row["runs"], 3),
        "load_cpu_ms_per_run": round(row["load_cores"] * 1000 / row["runs_per_s"], 3),
    }


@contextmanager
def start(row: Row) -> Iterator[Running]:
    log = row.folder / "ganglion.log"
    command = [BIN / "ganglion", "serve", "--listen", "127.0.0.1:0", "--store", "sqlite:bench.db"]

    def url() -> str:
        found = re.search(r"http://127\.0\.0\.1:\d+", log.read_text())
        return found[0] if found else ""

    with started("ganglion", command, row.folder, ready=lambda: url() != "") as server:
        version = install.run([BIN / "ganglion", "--version"], row.folder).split()[-1]
        yield Running(version, [server.pid], load_command(url(), row), translate=translate)


PEER = Peer(
    name="ganglion",
    variants=[Variant("SQLite", "fsync before every effect", durable=True)],
    install=check,
    start=start,
)
