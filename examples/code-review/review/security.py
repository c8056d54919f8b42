"""The security agent: secrets and dangerous calls, on added lines only.

A secret is shown by its first characters, never whole: the report is read by more people than the file.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from .findings import IGNORE_MARK, Finding, Review, bounded
from .workdir import ChangedFile, WorkDir

#: Characters of a line that are looked at; generated files have lines of megabytes.
MAX_LINE = 4000
#: Bits per character from which a string looks random.
MIN_ENTROPY = 3.5

_TOOL = "patterns"


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern that is reported wherever it occurs. `languages` empty: in every file."""

    name: str
    pattern: re.Pattern[str]
    severity: str
    message: str
    languages: frozenset[str] = frozenset()


def _rule(name: str, pattern: str, severity: str, message: str, languages: str = "") -> Rule:
    return Rule(name, re.compile(pattern), severity, message, frozenset(languages.split()))


_C = "c c++ c-header c++-header"
_JS = "javascript jsx typescript html"

SECRETS = (
    _rule("private-key", r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----", "error", "a private key"),
    _rule("aws-key", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b", "error", "an AWS access key id"),
    _rule("github-token", r"\b(?:gh[pousr]_\w{36,}|github_pat_\w{50,})", "error", "a GitHub token"),
    _rule("slack-token", r"\bxox[abprs]-[0-9A-Za-z-]{10,}", "error", "a Slack token"),
    _rule("google-key", r"\bAIza[0-9A-Za-z_-]{35}\b", "error", "a Google API key"),
    _rule("stripe-key", r"\b[rs]k_live_[0-9A-Za-z]{16,}", "error", "a Stripe live key"),
    _rule("model-key", r"\bsk-(?:ant-|proj-)?[0-9A-Za-z_-]{32,}", "error", "an API key of a model provider"),
    _rule("jwt", r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}", "warning", "a JSON web token"),
    _rule("url-password", r"\b[a-z][a-z0-9+.-]*://[^\s/:@{}$<>]+:[^\s/@{}$<>*]{3,}@[\w.-]+", "warning", "a URL with a password"),
)
CALLS = (
    _rule("eval", r"(?<![\w.])(?:eval|exec)\s*\(", "warning", "runs text as code", "python"),
    _rule("shell-injection", r"\bshell\s*=\s*True\b", "warning", "a shell interprets the command", "python"),
    _rule("os-system", r"\bos\.(?:system|popen)\s*\(", "warning", "a shell interprets the command", "python"),
    _rule("unsafe-load", r"\b(?:pickle|marshal|shelve|dill)\.loads?\s*\(", "warning", "loading runs code that the data chooses", "python"),
    _rule("yaml-load", r"\byaml\.load\s*\((?!.*(?:Safe|CSafe)Loader)", "warning", "use yaml.safe_load", "python"),
    _rule("tls-off", r"\bverify\s*=\s*False\b|_create_unverified_context", "warning", "certificates are not checked", "python"),
    _rule("temp-race", r"\btempfile\.mktemp\s*\(", "warning", "another process can take the name first", "python"),
    _rule("unbounded-copy", r"(?<![\w.:])(?:gets|strcpy|strcat|sprintf|vsprintf)\s*\(", "warning", "writes without a bound", _C),
    _rule("shell-command", r"(?<![\w.>])(?:system|popen)\s*\(", "warning", "a shell interprets the command", _C),
    _rule("temp-race", r"(?<![\w.:])(?:mktemp|tmpnam|tempnam)\s*\(", "warning", "another process can take the name first", _C),
    _rule("eval", r"(?<![\w.])eval\s*\(|\bnew\s+Function\s*\(", "warning", "runs text as code", _JS),
    _rule("html-injection", r"\.(?:inner|outer)HTML\s*=|dangerouslySetInnerHTML|\bdocument\.write\s*\(", "warning", "text becomes markup", _JS),
    _rule("shell-command", r"\bchild_process\b.*\bexec(?:Sync)?\b", "warning", "a shell interprets the command", _JS),
    _rule("tls-off", r"rejectUnauthorized\s*:\s*false", "warning", "certificates are not checked", _JS),
    _rule("pipe-to-shell", r"\b(?:curl|wget)\b[^|;]*\|\s*(?:sudo\s+)?(?:ba|z|da)?sh\b", "warning", "runs whatever the network delivers", "shell docker make yaml"),
    _rule("eval", r"(?:^|[;&|]\s*)eval\s", "warning", "runs text as code", "shell"),
    _rule("world-writable", r"\bchmod\s+(?:-\w+\s+)*(?:0?777|a\+w)\b", "warning", "everybody may write", "shell docker make"),
    _rule("tls-off", r"\bcurl\b.*\s(?:-k|--insecure)\b|\bwget\b.*--no-check-certificate", "warning", "certificates are not checked", "shell docker make yaml"),
    _rule("sql-injection", r"(?i)[\"'](?:select|insert|update|delete)\b[^\"']*[\"']\s*(?:\+|%\s*\(?\w|\.format\()", "warning", "a query is built from text", "python javascript typescript java php ruby"),
    _rule("pwn-request", r"\bpull_request_target\b", "info", "runs with secrets on code of strangers", "yaml"),
)

_ASSIGNMENT = re.compile(
    r"(?i)\b[\w.-]*(?:passw(?:or)?d|secret|token|api[_-]?key|access[_-]?key|credential)[\w-]*[\"']?\s*(?::=|=>|[:=])\s*"
    r"[\"']([^\"'\s]{8,200})[\"']"
)
_RANDOM = re.compile(r"[\"'=:\s]([A-Za-z0-9+/_-]{40,200}={0,2})(?=[\"'\s,;)]|$)")
_PLACEHOLDER = re.compile(
    r"(?i)example|sample|dummy|changeme|placeholder|your[_-]|xxxx|test|fake|redacted|insert|\$\{|\{\{|<[^>]+>|^\W*$"
)
_DIGEST = re.compile(r"(?i)sha(?:1|256|384|512)|md5|digest|checksum|integrity|hash|commit|rev\b")
_COMMENT = {"python": "#", "shell": "#", "yaml": "#", "make": "#", "docker": "#", "ruby": "#"}


def scan(work: WorkDir, file: ChangedFile) -> Review:
    """Secrets and dangerous calls on the added lines of one file."""
    if not file.readable or not file.ranges:
        return Review()
    lines = work.lines(file)
    findings: list[Finding] = []
    for first, last in file.ranges:
        for number in range(first, min(last, len(lines)) + 1):
            findings += scan_line(lines[number - 1][:MAX_LINE], number, file.language)
    return Review(bounded(findings), (_TOOL,))


def scan_line(line: str, number: int, language: str) -> Iterator[Finding]:
    """What is wrong with one line."""
    if IGNORE_MARK in line:
        return
    known = False
    for rule in SECRETS:
        if match := rule.pattern.search(line):
            known = True
            yield Finding(number, rule.severity, rule.name, f"{rule.message}: {masked(match[0])}", _TOOL)
    if not known:
        yield from _random_strings(line, number)
    if line.lstrip().startswith(_COMMENT.get(language, "//")):
        return
    for rule in CALLS:
        if language in rule.languages and (match := rule.pattern.search(line)):
            yield Finding(number, rule.severity, rule.name, f"`{match[0].strip()[:60]}`: {rule.message}", _TOOL)


def _random_strings(line: str, number: int) -> Iterator[Finding]:
    if (match := _ASSIGNMENT.search(line)) and not _PLACEHOLDER.search(match[1]) and entropy(match[1]) >= 3.0:
        yield Finding(number, "warning", "hardcoded-secret", f"a secret in the source: {masked(match[1])}", _TOOL)
    elif (match := _RANDOM.search(line)) and not _DIGEST.search(line) and _looks_random(match[1]):
        yield Finding(number, "info", "random-string", f"looks like a key: {masked(match[1])}", _TOOL)


def _looks_random(text: str) -> bool:
    """Letters of both cases and digits, evenly spread: keys are, identifiers and paths are not."""
    classes = (any(c.islower() for c in text), any(c.isupper() for c in text), any(c.isdigit() for c in text))
    return all(classes) and text.count("/") < 3 and entropy(text) >= MIN_ENTROPY + 0.7


def entropy(text: str) -> float:
    """Shannon's entropy in bits per character; 0 for an empty text."""
    return sum(-count / len(text) * math.log2(count / len(text)) for count in Counter(text).values())


def masked(secret: str) -> str:
    """The first four characters and the length."""
    return f"{secret[:4]}… ({len(secret)} characters)"
