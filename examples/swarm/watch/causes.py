"""What caused what, drawn from `GET /v1/events`: a tree for a terminal, a diagram for a document (Mermaid)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Happening:
    """An event, the agent that published it (None: somebody outside), and the seq of the event behind it."""

    seq: int
    topic: str
    about: str
    agent: str | None
    cause: int | None
    hops: int


def about(data: Any) -> str:
    """What an event is about, in a few words."""
    if not isinstance(data, Mapping):
        return ""
    name = str(data.get("path", "")).rpartition("/")[2]
    rules = data.get("rules") or sorted({finding["rule"] for finding in data.get("findings", [])})
    return " ".join(part for part in (name, f"({', '.join(rules)})" if rules else "") if part)


def tree(happenings: Sequence[Happening]) -> Iterator[str]:
    """Lines; what has no cause in the list is a root. In the order of the log."""
    effects: dict[int | None, list[Happening]] = defaultdict(list)
    known = {happening.seq for happening in happenings}
    for happening in sorted(happenings, key=lambda happening: happening.seq):
        effects[happening.cause if happening.cause in known else None].append(happening)

    def draw(happening: Happening, lead: str, branch: str) -> Iterator[str]:
        by = f"  by {happening.agent}" if happening.agent else ""
        yield f"{lead}{branch}{happening.seq} {happening.topic} {happening.about}{by}".rstrip()
        below = effects[happening.seq]
        inner = lead + {"": "", "├─ ": "│  ", "└─ ": "   "}[branch]
        for effect in below:
            yield from draw(effect, inner, "└─ " if effect is below[-1] else "├─ ")

    for root in effects[None]:
        yield from draw(root, "", "")


def mermaid(happenings: Sequence[Happening]) -> Iterator[str]:
    """Lines of a flow chart: an event a node, an arrow for each cause with the agent that reacted."""
    yield "flowchart LR"
    known = {happening.seq for happening in happenings}
    for happening in sorted(happenings, key=lambda happening: happening.seq):
        label = _quoted(f"{happening.topic}<br>{happening.about}" if happening.about else happening.topic)
        yield f'  e{happening.seq}["{label}"]'
        if happening.cause in known:
            by = f'|"{_quoted(happening.agent)}"|' if happening.agent else ""
            yield f"  e{happening.cause} -->{by} e{happening.seq}"


def _quoted(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("\n", " ")


def happening(event: Any, agent_of: Callable[[str], str | None]) -> Happening:
    """From an event of the API. `agent_of`: the agent that a run was started for, by the run's id."""
    cause = event.cause or {}
    run_id = cause.get("run_id")
    return Happening(
        seq=event.seq,
        topic=event.type,
        about=about(event.data),
        agent=agent_of(run_id) if run_id else None,
        cause=cause.get("event"),
        hops=event.hops,
    )
