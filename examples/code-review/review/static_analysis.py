"""The static-analysis agent: cppcheck, shellcheck and ruff where installed, and a few checks of its own for Python.

Only findings on changed lines are reported; old ones are somebody else's change.
"""

from __future__ import annotations

import ast
import json
import warnings
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

from .findings import Finding, Review, bounded, on_lines
from .languages import C_FAMILY
from .tools import ToolRun, find_tool, run_tool
from .workdir import ChangedFile, WorkDir

TIMEOUT = 60.0

_CPPCHECK_SEVERITY = {"error": "error", "warning": "warning"}
# What a single file out of its project can't tell.
_CPPCHECK_IGNORED = frozenset(
    {
        "missingInclude",
        "missingIncludeSystem",
        "unmatchedSuppression",
        "syntaxError",
        "unknownMacro",
        "noValidConfiguration",
    }
    | {"normalCheckLevelMaxBranches", "toomanyconfigs", "preprocessorErrorDirective", "internalAstError"}
)
_SHELLCHECK_SEVERITY = {"error": "error", "warning": "warning", "info": "info"}
_SHELLCHECK_IGNORED = frozenset({1090, 1091})  # a sourced file that is not here


def analyse(work: WorkDir, file: ChangedFile) -> Review:
    """What static analysis says about the changed lines of one file."""
    analyser = _ANALYSERS.get(file.language)
    if analyser is None or not file.readable or not file.ranges:
        return Review()
    review = analyser(work, file)
    return Review(bounded(on_lines(review.findings, file.ranges)), review.tools, review.notes)


def can_analyse(language: str) -> bool:
    return language in _ANALYSERS


def _cppcheck(work: WorkDir, file: ChangedFile) -> Review:
    cppcheck = find_tool("cppcheck")
    if cppcheck is None:
        return Review(notes=("cppcheck is not installed",))
    c = file.language == "c"
    command = [cppcheck, "--quiet", "--enable=warning,performance,portability", "--inline-suppr", "--max-configs=4"]
    command += [
        "--template={line}\t{severity}\t{id}\t{message}",
        "--template-location=",
        f"--language={'c' if c else 'c++'}",
    ]
    command += ["--std=c11" if c else "--std=c++20", str(work.content_path(file))]
    run = run_tool(command, timeout=TIMEOUT)
    if run.timed_out:
        return Review((), ("cppcheck",), (f"cppcheck took too long for {file.path}",))
    findings = []
    for line in run.stderr.splitlines():
        fields = line.split("\t")
        if len(fields) == 4 and fields[0].isdigit() and fields[2] not in _CPPCHECK_IGNORED and int(fields[0]) > 0:
            severity = _CPPCHECK_SEVERITY.get(fields[1], "info")
            findings.append(Finding(int(fields[0]), severity, fields[2], fields[3], "cppcheck"))
    return Review(tuple(findings), ("cppcheck",))


def _shellcheck(work: WorkDir, file: ChangedFile) -> Review:
    shellcheck = find_tool("shellcheck")
    if shellcheck is None:
        return Review(notes=("shellcheck is not installed",))
    source = work.content_path(file).read_bytes()
    command = [shellcheck, "--norc", "--format=json1", "--severity=info"]
    if not source.startswith(b"#!"):
        command.append("--shell=bash")
    run = run_tool([*command, "-"], stdin=source or b"\n", timeout=TIMEOUT)
    answer = _json_of(run)
    comments = answer.get("comments", []) if isinstance(answer, dict) else []
    findings = [
        Finding(
            int(comment["line"]),
            _SHELLCHECK_SEVERITY.get(comment["level"], "info"),
            f"SC{comment['code']}",
            comment["message"],
            "shellcheck",
        )
        for comment in comments
        if comment["code"] not in _SHELLCHECK_IGNORED
    ]
    notes = (f"shellcheck took too long for {file.path}",) if run.timed_out else ()
    return Review(tuple(findings), ("shellcheck",), notes)


def _python(work: WorkDir, file: ChangedFile) -> Review:
    source = work.content_path(file).read_bytes()
    tools = ["ast"]
    findings: list[Finding] = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            findings += _python_findings(ast.parse(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        pass  # the syntax agent reports it
    notes: tuple[str, ...] = ()
    if ruff := find_tool("ruff"):
        tools.append("ruff")
        command = [ruff, "check", "--isolated", "--no-cache", "--select=F,E9,B", "--output-format=json", "-"]
        listed = _json_of(run_tool(command, stdin=source or b"\n", timeout=TIMEOUT))
        findings += [
            Finding(int(entry["location"]["row"]), "warning", str(entry["code"]), str(entry["message"]), "ruff")
            for entry in (listed if isinstance(listed, list) else [])
        ]
    else:
        notes = ("ruff is not installed",)
    return Review(tuple(findings), tuple(tools), notes)


def _python_findings(tree: ast.AST) -> Iterator[Finding]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            if node.type is None:
                yield _warn(node, "bare-except", "`except:` also catches KeyboardInterrupt and SystemExit")
            elif (
                _is_silent(node) and isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException")
            ):
                yield _warn(node, "swallowed-exception", f"every {node.type.id} is dropped without a trace")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            for default in [*node.args.defaults, *node.args.kw_defaults]:
                if isinstance(default, ast.List | ast.Dict | ast.Set):
                    yield _warn(default, "mutable-default", "a mutable default is shared by all calls")
        elif isinstance(node, ast.Compare):
            for operator, value in zip(node.ops, node.comparators, strict=True):
                if isinstance(operator, ast.Is | ast.IsNot) and _is_literal(value):
                    yield _warn(node, "is-literal", "`is` compares identity; use `==` for values")
                if isinstance(operator, ast.Eq | ast.NotEq) and isinstance(value, ast.Constant) and value.value is None:
                    yield _warn(node, "none-comparison", "compare with None by `is`")
        elif isinstance(node, ast.Assert) and isinstance(node.test, ast.Tuple) and node.test.elts:
            yield _warn(node, "assert-tuple", "an assertion on a tuple is always true")
        for name in ("body", "orelse", "finalbody"):
            yield from _unreachable(getattr(node, name, None))


def _unreachable(body: object) -> Iterator[Finding]:
    if isinstance(body, list):
        for statement, following in pairwise(body):
            if isinstance(statement, ast.Return | ast.Raise | ast.Break | ast.Continue):
                yield _warn(following, "unreachable", "this statement can never run")


def _is_silent(handler: ast.ExceptHandler) -> bool:
    return len(handler.body) == 1 and isinstance(handler.body[0], ast.Pass)


def _is_literal(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Constant)
        and isinstance(node.value, str | int | bytes)
        and not isinstance(node.value, bool)
    )


def _warn(node: ast.AST, rule: str, message: str) -> Finding:
    return Finding(getattr(node, "lineno", 0), "warning", rule, message, "ast")


def _json_of(run: ToolRun) -> Any:
    try:
        return json.loads(run.stdout)
    except ValueError:
        return None


_ANALYSERS: dict[str, Callable[[WorkDir, ChangedFile], Review]] = {
    **{language: _cppcheck for language in C_FAMILY},
    "shell": _shellcheck,
    "python": _python,
}
