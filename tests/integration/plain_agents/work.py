"""What the Python agents do: they know the messages of docs/guide/queues.md, and nothing else of Ganglion."""

import json
import os
from pathlib import Path
from typing import Any

TASK = "ganglion.task.v1"
RESULT = "ganglion.result.v1"


def result_of(body: bytes, agent: str) -> tuple[str, str]:
    """The task's token and what is to be published: its text with this agent's name, or the error that it asks for."""
    task: dict[str, Any] = json.loads(body)
    given = task["input"]
    result: dict[str, Any] = {"token": task["token"], "worker": agent}
    if marker := given.get("die_once"):
        die_once(Path(marker))
    if code := given.get("fail"):
        result["error"] = {"code": code, "message": "as the task wants it", "retryable": False}
    else:
        result["output"] = {"text": f"{given['text']} {agent}"}
    return task["token"], json.dumps(result)


def die_once(marker: Path) -> None:
    """At once and without a word, as if the machine had gone, unless somebody has done so before."""
    if marker.exists():
        return
    marker.touch()
    os._exit(1)
