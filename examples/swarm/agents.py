"""The swarm, as Ganglion sees it. Nobody calls these agents: each reacts to events and may publish some of its own.

Their input is the event. Ganglion starts this program; see `workers` in ganglion.yaml.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ganglion import Task, Worker

from watch import files, patterns, secrets, triage

worker = Worker()

#: What the responder says when it has moved a file.
MOVED = os.environ.get("WATCH_MOVED_TOPIC", "quarantine.done")


def alert(task: Task, data: dict[str, Any], findings: list[dict[str, Any]], digest: str) -> None:
    """Published with the result of the task: once, if and when the result counts."""
    task.publish("security.alert", {"path": data["path"], "digest": digest, "findings": findings})


@worker.agent("scanner")
def scan(task: Task, data: dict[str, Any]) -> dict[str, Any]:
    """Dangerous code."""
    content = files.read(Path(data["path"]))
    findings = patterns.scan(content.lines) if content else []
    if content and findings:
        alert(task, data, findings, content.digest)
    return {"findings": len(findings)}


@worker.agent("secret_finder")
def find_secrets(task: Task, data: dict[str, Any]) -> dict[str, Any]:
    """Keys, passwords, and what looks like them."""
    content = files.read(Path(data["path"]))
    findings = secrets.find(content.lines) if content else []
    if content and findings:
        alert(task, data, findings, content.digest)
    return {"findings": len(findings)}


@worker.agent("triage")
def judge(task: Task, data: dict[str, Any]) -> dict[str, Any]:
    """Which alerts are incidents."""
    serious = triage.is_incident(data["findings"])
    if serious:
        task.publish("incident.opened", triage.incident(data))
    return {"incident": serious}


@worker.agent("responder")
def respond(task: Task, data: dict[str, Any]) -> dict[str, Any]:
    """Moves the file of an incident away and says so."""
    path = Path(data["path"])
    folder = path.parent if path.parent.name == "quarantine" else path.parent / "quarantine"
    name = data["incident"]
    moved = triage.quarantine(path, folder, name)
    task.publish(MOVED, {"path": str(folder / name), "incident": name})
    return {"moved": moved}


if __name__ == "__main__":
    worker.run()
