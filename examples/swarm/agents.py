"""The swarm, as Ganglion sees it. Nobody calls these agents: each reacts to events and may publish some of its own.

Their input is the event. Ganglion starts this program; see `workers` in ganglion.yaml.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ganglion import Client, Task, Worker

from watch import files, patterns, secrets, triage

worker = Worker()
server = Client()

#: What the responder says when it has moved a file.
MOVED = os.environ.get("WATCH_MOVED_TOPIC", "quarantine.done")


def lines(data: dict[str, Any]) -> list[str]:
    """Of the file that an event is about. Its content is a blob: it doesn't matter where the file is by now."""
    return files.lines(server.get_blob(data["content"]))


def alert(task: Task, data: dict[str, Any], findings: list[dict[str, Any]]) -> dict[str, Any]:
    """Raises an alert if there is anything. It is published with the result: once, if and when the result counts."""
    if findings:
        task.publish("security.alert", {"path": data["path"], "content": data["content"], "findings": findings})
    return {"findings": len(findings)}


@worker.agent("scanner")
def scan(task: Task, data: dict[str, Any]) -> dict[str, Any]:
    """Dangerous code."""
    return alert(task, data, patterns.scan(lines(data)))


@worker.agent("secret_finder")
def find_secrets(task: Task, data: dict[str, Any]) -> dict[str, Any]:
    """Keys, passwords, and what looks like them."""
    return alert(task, data, secrets.find(lines(data)))


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
    moved = triage.quarantine(path, folder, data["incident"])
    event = {"path": str(folder / data["incident"]), "content": data["content"], "incident": data["incident"]}
    task.publish(MOVED, event)
    return {"moved": moved}


if __name__ == "__main__":
    worker.run()
