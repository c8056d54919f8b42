"""Triage and response: whether an alert is an incident, and what is done about one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

_RANKS = {"low": 0, "medium": 1, "high": 2}
#: So many findings of medium severity in one file are an incident together.
MANY_MEDIUM = 3


def worst(findings: list[dict[str, Any]]) -> str:
    """The highest severity among at least one finding."""
    return max((str(finding["severity"]) for finding in findings), key=lambda severity: _RANKS[severity])


def is_incident(findings: list[dict[str, Any]]) -> bool:
    medium = sum(finding["severity"] == "medium" for finding in findings)
    return worst(findings) == "high" or medium >= MANY_MEDIUM


def incident(alert: dict[str, Any]) -> dict[str, Any]:
    """What is published: the same file with the same content is the same incident, whoever raised the alert."""
    digest = alert["content"]["$ref"].removeprefix("sha256:")
    return {
        "incident": f"I-{digest[:12]}",
        "path": alert["path"],
        "content": alert["content"],
        "severity": worst(alert["findings"]),
        "rules": sorted({finding["rule"] for finding in alert["findings"]}),
    }


def quarantine(path: Path, folder: Path, name: str) -> bool:
    """Moves the file where nobody runs it; False if it is there already. Doing it again changes nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        os.replace(path, folder / name)
    except FileNotFoundError:
        return False
    os.chmod(folder / name, 0o400)
    return True
