"""Findings: what an agent has to say about a place in the change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

#: From the worst to the least.
SEVERITIES = ("error", "warning", "info")

#: Findings that one agent may report for one file; a file that is worse says so in a last finding.
MAX_PER_FILE = 50
MAX_MESSAGE = 300

#: A line with this mark is not reported (in any kind of comment).
IGNORE_MARK = "code-review: ignore"


@dataclass(frozen=True, slots=True)
class Finding:
    """`line` counts from 1; 0 means the file as a whole. `rule` names the kind, `tool` who found it."""

    line: int
    severity: str
    rule: str
    message: str
    tool: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Finding:
        return cls(**value)


@dataclass(frozen=True, slots=True)
class Review:
    """What an agent found in one file. `tools` that ran; `notes` say what could not be looked at, and why."""

    findings: tuple[Finding, ...] = ()
    tools: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def bounded(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Sorted, without duplicates, messages cut, at most `MAX_PER_FILE` and one that tells how many more there are."""
    unique = dict.fromkeys(
        Finding(f.line, f.severity, f.rule, one_line(f.message)[:MAX_MESSAGE], f.tool) for f in findings
    )
    ranked = sorted(unique, key=lambda f: (SEVERITIES.index(f.severity), f.line, f.rule))
    kept = sorted(ranked[:MAX_PER_FILE], key=lambda f: (f.line, SEVERITIES.index(f.severity), f.rule))
    if len(ranked) > MAX_PER_FILE:
        kept.append(Finding(0, "info", "more", f"{len(ranked) - MAX_PER_FILE} more findings are not shown"))
    return tuple(kept)


def on_lines(findings: Iterable[Finding], ranges: Sequence[tuple[int, int]]) -> list[Finding]:
    """Only findings on the given lines (inclusive ranges), and those on the file as a whole."""
    return [f for f in findings if f.line == 0 or any(first <= f.line <= last for first, last in ranges)]


def one_line(text: str) -> str:
    """Printable, on one line: control characters are shown as escapes, runs of blanks as one."""
    blanks = " ".join(text.split())
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in blanks)
