"""The secret finder: keys of known form, and words that are too random to be words.

The entropy of a word is how many bits each of its characters tells: about 4 for English or code, close to 6 for base 64
of random bytes, close to 4 for hexadecimal of them, which has only 16 characters. A secret is never shown whole.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

MAX_FINDINGS = 20
MAX_LINE = 4000

KNOWN = (
    ("private-key", "high", re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----")),
    ("cloud-key", "high", re.compile(r"\b(AKIA[0-9A-Z]{16})\b")),
    ("repository-token", "high", re.compile(r"\b(gh[pousr]_[A-Za-z0-9]{36})\b")),
    ("web-token", "medium", re.compile(r"\b(eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,})")),
)
#: A word is looked at if it is given to a name that sounds like a secret, or if it is long.
ASSIGNED = re.compile(
    r"(?i)\b[\w.-]*(?:secret|passw(?:or)?d|token|api_?key)[\w.-]*[\"']?\s*[:=]\s*[\"']?([^\s\"',;]{12,})"
)
LONG = re.compile(r"(?<![\w+/=-])([A-Za-z0-9+/_-]{32,}={0,2})(?![\w+/=-])")
HEX = re.compile(r"[0-9a-fA-F]+")
#: Bits a character from which a word counts as random.
RANDOM_BITS, RANDOM_HEX_BITS = 4.3, 3.3
#: For what stands where secrets stand, less is enough.
ASSIGNED_BITS = 3.2


def find(lines: Iterable[str]) -> list[dict[str, Any]]:
    """`[{rule, severity, line, message}]`, at most MAX_FINDINGS, at most one a line."""
    found = []
    for number, line in enumerate(lines, 1):
        finding = _find_in(line[:MAX_LINE])
        if finding is not None:
            rule, severity, message = finding
            found.append({"rule": rule, "severity": severity, "line": number, "message": message})
        if len(found) == MAX_FINDINGS:
            break
    return found


def entropy(word: str) -> float:
    """Shannon's, in bits a character; 0 for an empty word."""
    counts = Counter(word)
    return -sum(count / len(word) * math.log2(count / len(word)) for count in counts.values())


def masked(secret: str) -> str:
    return f"{secret[:4]}… ({len(secret)} characters)"


def _find_in(line: str) -> tuple[str, str, str] | None:
    for rule, severity, pattern in KNOWN:
        if match := pattern.search(line):
            return rule, severity, masked(match[1]) if match.groups() else "a private key"
    if (match := ASSIGNED.search(line)) and entropy(match[1]) >= ASSIGNED_BITS and not match[1].startswith(("$", "<")):
        return "secret", "medium", masked(match[1])
    for match in LONG.finditer(line):
        bits = entropy(match[1])
        if bits >= (RANDOM_HEX_BITS if HEX.fullmatch(match[1]) else RANDOM_BITS):
            return "random", "low", f"{masked(match[1])}, {bits:.1f} bits a character"
    return None
