"""The merge agent: one report of what all agents found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .findings import SEVERITIES, Finding, one_line
from .workdir import ChangedFile, WorkDir

#: Agents in the order of the report.
AGENTS = ("syntax", "static_analysis", "security", "test_gap", "documentation")
#: Findings in the run's output; findings.json has all.
MAX_OUTPUT_FINDINGS = 500

_SIGN = {"error": "🔴", "warning": "🟡", "info": "🔵"}


@dataclass(slots=True)
class AgentSummary:
    """What one agent did: `tasks` it got, how many `failed`, its work in milliseconds."""

    tasks: int = 0
    failed: int = 0
    findings: int = 0
    work_ms: int = 0
    slowest_ms: int = 0
    error: str = ""


@dataclass(slots=True)
class Located:
    """A finding with its place and its author."""

    path: str
    agent: str
    finding: Finding

    def to_json(self) -> dict[str, Any]:
        return {"path": self.path, "agent": self.agent, **self.finding.to_json()}


@dataclass(slots=True)
class Report:
    """Everything that the report says, before it is Markdown."""

    change: Mapping[str, Any]
    files: Sequence[ChangedFile]
    agents: dict[str, AgentSummary] = field(default_factory=dict)
    findings: list[Located] = field(default_factory=list)
    tools: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        counted = Counter(located.finding.severity for located in self.findings)
        return {severity: counted[severity] for severity in SEVERITIES}


def collect(work: WorkDir, results: Mapping[str, Any], errors: Mapping[str, Any]) -> Report:
    """Gathers the findings of all agents.

    `results[agent]` is the step's output: a list with one entry per task of a mapped step, where null stands for a
    task that failed for good, or the one result of a plain step. `errors[agent]` is the step's error, if any.
    """
    files = work.files()
    report = Report(work.manifest(), files)
    paths = {file.index: file.path for file in files} | {-1: ""}
    tools: set[str] = set()
    notes: Counter[str] = Counter()
    for agent in AGENTS:
        summary = report.agents[agent] = _summarise(results.get(agent), errors.get(agent))
        if summary.error or summary.failed:
            reason = f": {summary.error}" if summary.error else ""
            notes[f"{agent} failed for {summary.failed} of {summary.tasks} tasks{reason}"] += 1
        for index, path in paths.items():
            review = work.review(agent, index)
            tools.update(review.tools)
            notes.update(review.notes)
            summary.findings += len(review.findings)
            report.findings += [Located(path, agent, finding) for finding in review.findings]
    for file in files:
        if file.kind in ("too_large", "unavailable"):
            notes[f"{file.path} was not reviewed: its content is {file.kind.replace('_', ' ')}"] += 1
    if report.change["not_reviewed"]:
        notes[f"{report.change['not_reviewed']} more changed files were not reviewed"] += 1
    report.tools = sorted(tools)
    report.notes = [note if count == 1 else f"{note} ({count} times)" for note, count in sorted(notes.items())]
    report.findings.sort(key=lambda located: (located.path, located.finding.line, located.agent, located.finding.rule))
    return report


def _summarise(result: Any, error: Any) -> AgentSummary:
    summary = AgentSummary()
    if isinstance(error, dict):
        summary.error = one_line(f"{error.get('code', '')} {error.get('message', '')}")[:300]
    elif error:
        summary.error = one_line(str(error))[:300]
    entries = result if isinstance(result, list) else [result]
    for entry in entries:
        summary.tasks += 1
        if isinstance(entry, dict):
            milliseconds = int(entry.get("ms", 0))
            summary.work_ms += milliseconds
            summary.slowest_ms = max(summary.slowest_ms, milliseconds)
        else:
            summary.failed += 1
    return summary


def to_markdown(report: Report) -> str:
    """The report for people."""
    change = report.change
    title = _text(change["repository"])
    lines = [f"# Code review: {title}", "", _range(change), "", *_overview(report), ""]
    lines += _findings_by_file(report)
    lines += [
        "## Agents",
        "",
        "| agent | tasks | failed | findings | work | slowest task |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for agent, summary in report.agents.items():
        lines.append(
            f"| {agent} | {summary.tasks} | {summary.failed} | {summary.findings} "
            f"| {_duration(summary.work_ms)} | {_duration(summary.slowest_ms)} |"
        )
    lines += ["", f"Tools that ran: {', '.join(report.tools) or 'none'}.", ""]
    if report.notes:
        lines += ["## Notes", "", *(f"- {_text(note)}" for note in report.notes), ""]
    lines += _file_list(report)
    return "\n".join(lines).rstrip() + "\n"


def _range(change: Mapping[str, Any]) -> str:
    base = f"`{change['base'][:12]}`" if change["base"] else "the beginning"
    head = f"`{change['head'][:12]}`" if change["head"] else "nothing"
    return f"From {base} to {head}."


def _overview(report: Report) -> list[str]:
    added = sum(file.added for file in report.files)
    removed = sum(file.removed for file in report.files)
    counts = ", ".join(f"{_SIGN[severity]} {_count(count, severity)}" for severity, count in report.counts.items())
    return [f"**{_count(int(report.change['changed']), 'changed file')}**, +{added} −{removed} lines. {counts}."]


def _findings_by_file(report: Report) -> list[str]:
    if not report.findings:
        return ["No findings.", ""]
    lines = ["## Findings", ""]
    previous: str | None = None
    for located in report.findings:
        if located.path != previous:
            previous = located.path
            lines += ["", f"### {_code(located.path) if located.path else 'The change as a whole'}", ""]
        finding = located.finding
        place = f"line {finding.line}" if finding.line else "file"
        tool = f", {finding.tool}" if finding.tool else ""
        lines.append(
            f"- {_SIGN[finding.severity]} **{finding.severity}** {place}: {_text(finding.message)} "
            f"({_code(finding.rule)}, {located.agent}{tool})"
        )
    return [*lines[:1], *lines[2:], ""]


def _file_list(report: Report) -> list[str]:
    if not report.files:
        return []
    lines = ["## Changed files", "", "| file | status | kind | lines |", "|---|---|---|--:|"]
    for file in report.files:
        path = _code(file.path) if not file.old_path else f"{_code(file.old_path)} → {_code(file.path)}"
        kind = file.language or file.kind if file.kind in ("text", "deleted") else file.kind
        lines.append(f"| {_cell(path)} | {file.status} | {kind.replace('_', ' ')} | +{file.added} −{file.removed} |")
    return [*lines, ""]


def to_output(report: Report, report_path: str) -> dict[str, Any]:
    """The run's output: counts, agents, and the worst findings."""
    ranked = sorted(report.findings, key=lambda located: SEVERITIES.index(located.finding.severity))
    return {
        "report": report_path,
        "repository": report.change["repository"],
        "base": report.change["base"],
        "head": report.change["head"],
        "files": len(report.files),
        "counts": report.counts,
        "agents": {
            name: {"tasks": s.tasks, "failed": s.failed, "findings": s.findings, "work_ms": s.work_ms}
            for name, s in report.agents.items()
        },
        "tools": report.tools,
        "notes": report.notes[:100],
        "findings": [located.to_json() for located in ranked[:MAX_OUTPUT_FINDINGS]],
        "findings_truncated": len(ranked) > MAX_OUTPUT_FINDINGS,
    }


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 or noun == 'info' else 's'}"


def _duration(milliseconds: int) -> str:
    return f"{milliseconds} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"


def _text(text: str) -> str:
    """Plain text inside Markdown: nothing in it is markup, HTML or a link."""
    escaped = one_line(text)
    for character in "\\`*_[]<>|#":
        escaped = escaped.replace(character, f"\\{character}")
    return escaped


def _code(text: str) -> str:
    """Text as code; control characters show as escapes and no backtick can end it."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    fence = "`" * (max((len(run) for run in _backticks(shown)), default=0) + 1)
    pad = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def _backticks(text: str) -> list[str]:
    return [run for run in "".join(c if c == "`" else " " for c in text).split() if run]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
