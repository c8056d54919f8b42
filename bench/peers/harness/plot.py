"""Draws the rows: for each peer its runs a second, and the latency of a run, both on logarithmic scales."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

from harness.table import label

WIDTH, LEFT, GAP = 980, 215, 30
TOP, BAR, PEER_GAP = 52, 9, 9
COLOURS = ("#9ecae1", "#4292c6", "#084594")  # few clients to many
PALE = ("#d9d9d9", "#bdbdbd", "#969696")  # where steps are not durable
TEXT = '<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="#333"{more}>{text}</text>'


def text(x: float, y: float, what: str, anchor: str = "start", more: str = "") -> str:
    return TEXT.format(x=x, y=y, text=escape(what), anchor=anchor, more=more)


class Scale:
    """Powers of ten side by side."""

    def __init__(self, left: float, width: float, values: list[float]) -> None:
        self.low = math.floor(math.log10(min(values)))
        self.high = math.ceil(math.log10(max(values)))
        self.left, self.width = left, width

    def x(self, value: float) -> float:
        return self.left + self.width * (math.log10(value) - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        return [10.0**power for power in range(self.low, self.high + 1)]


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def panel(
    peers: list[list[dict[str, Any]]],
    scale: Scale,
    title: str,
    height: float,
    bar: Callable[[Mapping[str, Any]], tuple[float, float]],
) -> list[str]:
    """One bar a row, from and to what `bar` says."""
    out = [text(scale.left, 20, title, more=' font-weight="bold"')]
    for tick in scale.ticks():
        out.append(f'<path d="M{scale.x(tick):.1f},{TOP - 8} V{height:.1f}" stroke="#ddd"/>')
        out.append(text(scale.x(tick), TOP - 12, number(tick), "middle"))
    y = float(TOP)
    for rows in peers:
        for index, row in enumerate(rows):
            if "skipped" not in row:
                start, end = bar(row)
                colour = (COLOURS if row["durable"] else PALE)[min(index, len(COLOURS) - 1)]
                width = max(scale.x(end) - scale.x(start), 2.0)
                out.append(
                    f'<rect x="{scale.x(start):.1f}" y="{y:.1f}" width="{width:.1f}" height="{BAR - 1}" fill="{colour}"/>'
                )
                out.append(text(scale.x(start) + width + 3, y + BAR - 1.5, number(end), more=' font-size="9"'))
            y += BAR
        y += PEER_GAP
    return out


def draw(rows: list[dict[str, Any]]) -> str:
    names = list(dict.fromkeys(label(row) for row in rows if "skipped" not in row))
    peers = [[row for row in rows if label(row) == name] for name in names]
    measured = [row for row in rows if "skipped" not in row]
    height = TOP + sum(BAR * len(rows) + PEER_GAP for rows in peers)
    width = (WIDTH - LEFT - 2 * GAP - 20) / 2
    speed = Scale(LEFT, width, [row["runs_per_s"] for row in measured])
    latency = Scale(LEFT + width + 2 * GAP, width, [row[name] for row in measured for name in ("p50_ms", "p99_ms")])
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height + 24}" font-family="sans-serif" font-size="11">',
        '<rect width="100%" height="100%" fill="#fff"/>',
        *panel(peers, speed, "runs a second", height, lambda row: (speed.ticks()[0], row["runs_per_s"])),
        *panel(peers, latency, "ms a run, p50 to p99", height, lambda row: (row["p50_ms"], row["p99_ms"])),
    ]
    y = float(TOP)
    for name, of_peer in zip(names, peers, strict=True):
        out.append(text(LEFT - 8, y + BAR * len(of_peer) / 2 + 4, name, "end"))
        y += BAR * len(of_peer) + PEER_GAP
    clients = ", ".join(str(row["clients"]) for row in peers[0])
    out.append(text(LEFT, height + 14, f"from top to bottom: {clients} clients; grey: steps that are not durable when they count"))
    out.append("</svg>")
    return "\n".join(out) + "\n"
