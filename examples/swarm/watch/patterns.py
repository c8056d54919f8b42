"""The scanner: code that does what a dropped file should not do.

Every rule is a pattern over one line, with what it means and how bad it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

MAX_FINDINGS = 20
MAX_LINE = 2000

_RULES: tuple[tuple[str, str, str, str], ...] = (
    ("download-and-run", "high", "runs what it downloads", r"\b(curl|wget)\b[^|;&]*\|\s*(sudo\s+)?(ba|z|da)?sh\b"),
    (
        "reverse-shell",
        "high",
        "opens a shell to the outside",
        r"(/dev/tcp/[\w.]+/\d+|\bnc\b.*\s-e\s|\bsocket\b.*\bdup2\b)",
    ),
    (
        "encoded-code",
        "high",
        "runs code that it hides",
        r"\b(eval|exec)\s*\(\s*(base64_decode|atob|b64decode|gzinflate|bytes\.fromhex)\b",
    ),
    (
        "encoded-powershell",
        "high",
        "runs a command that it hides",
        r"(?i)powershell(\.exe)?\s.*-e(nc(odedcommand)?)?\s+[A-Za-z0-9+/=]{20,}",
    ),
    (
        "web-shell",
        "high",
        "runs what a visitor sends",
        r"(?i)\b(system|shell_exec|passthru|popen)\s*\(\s*\$_(get|post|request|cookie)\b",
    ),
    ("authorized-keys", "medium", "lets somebody log in", r">>?\s*~?[\w/.$]*\.ssh/authorized_keys"),
    ("cron", "medium", "comes back by itself", r"(\bcrontab\s+-|>>?\s*/etc/cron)"),
    (
        "shell-injection",
        "medium",
        "gives a shell what it did not check",
        r"\b(subprocess\.\w+\(.*shell\s*=\s*True|os\.system\()",
    ),
    ("remove-all", "medium", "removes everything", r"\brm\s+-(rf|fr)\s+(/|~|\$HOME)(\s|$)"),
    ("world-writable", "low", "lets everybody write", r"\bchmod\s+(-R\s+)?(0?777|a\+w)\b"),
)
RULES = tuple((name, severity, meaning, re.compile(pattern)) for name, severity, meaning, pattern in _RULES)


def scan(lines: Iterable[str]) -> list[dict[str, Any]]:
    """`[{rule, severity, line, message}]`, at most MAX_FINDINGS; the first rule that fits a line counts."""
    found: list[dict[str, Any]] = []
    for number, line in enumerate(lines, 1):
        for name, severity, meaning, pattern in RULES:
            if pattern.search(line[:MAX_LINE]):
                found.append({"rule": name, "severity": severity, "line": number, "message": meaning})
                break
        if len(found) == MAX_FINDINGS:
            break
    return found
