"""The table, and what it says about Ganglion and the best durable peer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

HEAD = (
    f"{'peer':<28} {'durability':<34} {'clients':>7} {'fsyncs/s':>8} {'load':>5} {'runs/s':>8} {'p50 ms':>8} "
    f"{'p99 ms':>8} {'RSS MB':>7} {'CPU ms/run':>10} {'+ load':>7}"
)


def label(row: Mapping[str, Any]) -> str:
    return f"{row['peer']}, {row['variant']}"


def filling(row: Mapping[str, Any]) -> bool:
    """Whether too few runs ended for a steady state: the row is a bound more than a figure."""
    return "skipped" not in row and row["runs"] < 2 * row["clients"]


def line(row: Mapping[str, Any]) -> str:
    start = f"{label(row):<28} {row['durability']:<34} {row['clients']:>7} "
    if "skipped" in row:
        return f"{start}skipped: {row['skipped']}"
    return (
        f"{start}{row['fsyncs_per_s']:>8} {row['load_average']:>5.1f} {row['runs_per_s']:>8.0f} {_ms(row['p50_ms'])} "
        f"{_ms(row['p99_ms'])} {row['rss_mb']:>7.0f} {_cpu(row['cpu_ms_per_run'], 10)} "
        f"{_cpu(row['load_cpu_ms_per_run'], 7)}{' *' if filling(row) else ''}"
    )


def _ms(value: float | None) -> str:
    return f"{'-':>8}" if value is None else f"{value:>8.1f}" if value >= 10 else f"{value:>8.2f}"


def _cpu(value: float | None, width: int) -> str:
    return f"{'-':>{width}}" if value is None else f"{value:>{width}.2f}"


def ratios(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each number of clients: Ganglion against the durable peer that did the most runs a second."""
    found = []
    measured = [row for row in rows if "skipped" not in row and row["runs_per_s"]]
    for clients in sorted({row["clients"] for row in measured}):
        here = [row for row in measured if row["clients"] == clients]
        own = [row for row in here if row["peer"] == "ganglion"]
        others = [row for row in here if row["peer"] != "ganglion" and row["durable"]]
        if own and others:
            best = max(others, key=lambda row: float(row["runs_per_s"]))
            quickest = min(others, key=lambda row: float(row["p50_ms"]))
            found.append(
                {
                    "clients": clients,
                    "best_durable_peer": label(best),
                    "throughput": round(own[0]["runs_per_s"] / best["runs_per_s"], 1),
                    "p50": round(quickest["p50_ms"] / own[0]["p50_ms"], 1),
                    "quickest_durable_peer": label(quickest),
                    "p99": round(best["p99_ms"] / own[0]["p99_ms"], 1),
                    "memory": round(best["rss_mb"] / own[0]["rss_mb"], 1),
                    "cpu": round(best["cpu_ms_per_run"] / own[0]["cpu_ms_per_run"], 1),
                }
            )
    return found


def ratio_line(ratio: Mapping[str, Any]) -> str:
    return (
        f"{ratio['clients']} clients: {ratio['throughput']} times the runs/s of the best durable peer "
        f"({ratio['best_durable_peer']}), whose p99 is {ratio['p99']} times as long, its memory {ratio['memory']} and "
        f"its CPU a run {ratio['cpu']} times as much; the quickest ({ratio['quickest_durable_peer']}) has a p50 "
        f"{ratio['p50']} times as long"
    )
