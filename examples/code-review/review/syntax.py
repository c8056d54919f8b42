"""The syntax agent: hands each file to a real compiler, interpreter or parser that only reads it.

A tool that is not installed, or a header that is not there, is a note, never a finding. All errors of a changed file
are reported, wherever they are: a change often breaks a line that it did not touch.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Callable
from pathlib import Path

from .findings import Finding, Review, bounded
from .tools import ToolRun, find_tool, run_tool
from .workdir import ChangedFile, WorkDir

TIMEOUT = 60.0

_GCC_ERROR = re.compile(r"^<stdin>:(\d+):(?:\d+:)? (?:fatal )?error: (.*)$", re.MULTILINE)
_MISSING_HEADER = re.compile(r"fatal error: '?([^':\n]+)'?(?: file not found|: No such file or directory)")
_BASH_ERROR = re.compile(r"line (\d+): (.*)$", re.MULTILINE)
_NODE_LINE = re.compile(r"^\S*?:(\d+)$", re.MULTILINE)
_NODE_ERROR = re.compile(r"^(\w*Error: .*)$", re.MULTILINE)
_ES_MODULE = re.compile(r"^\s*(?:import\s[\w*{\"']|import[{\"']|export\s)", re.MULTILINE)

# Compiles in memory, in an interpreter of its own: nothing is run, nothing is written, and source that breaks the
# compiler itself breaks only that process.
_PYTHON_CHECK = """
import sys
try:
    compile(sys.stdin.buffer.read(), "file", "exec", dont_inherit=True)
except (SyntaxError, ValueError) as error:
    print(getattr(error, "lineno", None) or 0, getattr(error, "msg", None) or error, sep="\\t")
"""


def check_syntax(work: WorkDir, file: ChangedFile) -> Review:
    """What the language's own tool says about one file."""
    checker = _CHECKERS.get(file.language)
    if checker is None or not file.readable:
        return Review()
    return checker(work, file)


def can_check(language: str) -> bool:
    return language in _CHECKERS


def _review(tool: str, findings: list[Finding], notes: tuple[str, ...] = ()) -> Review:
    return Review(bounded(findings), (tool,), notes)


def _timed_out(tool: str, file: ChangedFile) -> Review:
    return Review((), (tool,), (f"{tool} took too long for {file.path}",))


def _error(line: int, message: str, tool: str) -> Finding:
    return Finding(line, "error", "syntax", message, tool)


def _c_family(work: WorkDir, file: ChangedFile) -> Review:
    plus = file.language.startswith("c++") or (file.language == "c-header" and _has_cxx(work))
    compiler = find_tool("clang++-19", "clang++", "g++") if plus else find_tool("gcc", "clang-19", "clang")
    if compiler is None:
        return Review(notes=("no C++ compiler is installed" if plus else "no C compiler is installed",))
    own, *above = [work.tree / folder for folder in Path(file.path).parents]
    includes = [f"-iquote{own}", *(f"-I{folder}" for folder in (work.tree / "src", work.tree / "include", own, *above))]
    # A header is compiled as a source file: as one it would be the "main file" of its own pragmas.
    command = [compiler, "-fsyntax-only", "-w", "-x", "c++" if plus else "c"]
    command += ["-std=c++23" if "clang" in compiler and plus else "-std=gnu++2b" if plus else "-std=gnu17"]
    command += ["-fno-diagnostics-color" if "clang" in compiler else "-fdiagnostics-color=never", *includes, "-"]
    run = run_tool(command, stdin=work.content_path(file).read_bytes() or b"\n", timeout=TIMEOUT)
    tool = os.path.basename(compiler)
    if run.timed_out:
        return _timed_out(tool, file)
    if missing := _MISSING_HEADER.search(run.stderr):
        return _review(tool, [], (f"{file.path} was not compiled: no header {missing[1].strip()}",))
    errors = [_error(int(line), message, tool) for line, message in _GCC_ERROR.findall(run.stderr)]
    notes = () if errors or run.status == 0 else (f"{tool} could not compile {file.path}",)
    return _review(tool, errors, notes)


def _has_cxx(work: WorkDir) -> bool:
    return any(path.endswith((".cc", ".cpp", ".cxx", ".hpp", ".hh")) for path in work.paths())


def _python(work: WorkDir, file: ChangedFile) -> Review:
    command = [sys.executable, "-I", "-S", "-W", "ignore", "-c", _PYTHON_CHECK]
    run = run_tool(command, stdin=work.content_path(file).read_bytes() or b"\n", timeout=TIMEOUT)
    if run.timed_out:
        return _timed_out("python", file)
    if run.status != 0:
        return Review((), ("python",), (f"python could not compile {file.path}",))
    line, tab, message = run.stdout.strip().partition("\t")
    return _review("python", [_error(int(line), message, "python")] if tab else [])


def _javascript(work: WorkDir, file: ChangedFile) -> Review:
    node = find_tool("node", "nodejs")
    if node is None:
        return Review(notes=("node is not installed",))
    source = work.content_path(file).read_text("utf-8", "replace")
    module = file.path.endswith(".mjs") or (not file.path.endswith(".cjs") and bool(_ES_MODULE.search(source)))
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / ("file.mjs" if module else "file.cjs")
        shutil.copyfile(work.content_path(file), copy)
        run = run_tool([node, "--check", str(copy)], cwd=folder, timeout=TIMEOUT)
    if run.timed_out:
        return _timed_out("node", file)
    error = _NODE_ERROR.search(run.stderr)
    if run.status == 0 or error is None:
        return _review("node", [], () if run.status == 0 else (f"node could not check {file.path}",))
    line = _NODE_LINE.search(run.stderr)
    return _review("node", [_error(int(line[1]) if line else 0, error[1], "node")])


def _shell(work: WorkDir, file: ChangedFile) -> Review:
    source = work.content_path(file).read_bytes()
    first = source.split(b"\n", 1)[0]
    name = "bash" if b"bash" in first or not first.startswith(b"#!") or file.path.endswith(".bash") else "sh"
    if b"ksh" in first or b"zsh" in first:
        return Review(notes=(f"{file.path} is for another shell than sh or bash",))
    shell = find_tool(name)
    if shell is None:
        return Review(notes=(f"{name} is not installed",))
    # BASH_ENV is not in the tool's environment, so `-n` reads the script and nothing else. A script that uses extended
    # patterns turns them on when it runs, which `-n` never does.
    options = ["-O", "extglob", "-n"] if name == "bash" else ["-n"]
    run = run_tool([shell, *options], stdin=source or b"\n", timeout=TIMEOUT)
    if run.timed_out:
        return _timed_out(name, file)
    errors = [_error(int(line), message, name) for line, message in _BASH_ERROR.findall(run.stderr)[:1]]
    if run.status != 0 and not errors:
        errors = [_error(_first_number(run), run.stderr.strip() or "syntax error", name)]
    return _review(name, errors)


def _first_number(run: ToolRun) -> int:
    match = re.search(r"\b(\d+):", run.stderr)
    return int(match[1]) if match else 0


def _json(work: WorkDir, file: ChangedFile) -> Review:
    try:
        json.loads(work.content_path(file).read_bytes().decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        if os.path.basename(file.path).startswith(("tsconfig", ".eslintrc")) or "/.vscode/" in f"/{file.path}":
            return Review(notes=(f"{file.path} is JSON with comments",))
        return _review("json", [_error(error.lineno, error.msg, "json")])
    except (UnicodeDecodeError, RecursionError) as error:
        return _review("json", [_error(0, str(error), "json")])
    return _review("json", [])


def _toml(work: WorkDir, file: ChangedFile) -> Review:
    try:
        tomllib.loads(work.content_path(file).read_bytes().decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        match = re.search(r"at line (\d+)", str(error))
        return _review("toml", [_error(int(match[1]) if match else 0, str(error), "toml")])
    return _review("toml", [])


def _yaml(work: WorkDir, file: ChangedFile) -> Review:
    try:
        import yaml  # type: ignore[import-untyped, unused-ignore]
    except ImportError:
        return Review(notes=("PyYAML is not installed",))
    try:
        # Events only: no document is built, so aliases can't grow.
        for _ in yaml.parse(work.content_path(file).read_bytes(), Loader=yaml.SafeLoader):
            pass
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        return _review(
            "yaml", [_error(mark.line + 1 if mark else 0, getattr(error, "problem", "") or str(error), "yaml")]
        )
    except RecursionError:
        return _review("yaml", [_error(0, "nested too deeply", "yaml")])
    return _review("yaml", [])


def _xml(work: WorkDir, file: ChangedFile) -> Review:
    xmllint = find_tool("xmllint")
    if xmllint is None:
        return Review(notes=("xmllint is not installed",))
    run = run_tool([xmllint, "--noout", "--nonet", "-"], stdin=work.content_path(file).read_bytes() or b"\n")
    found = re.findall(r"^-:(\d+): (.*error.*)$", run.stderr, re.MULTILINE)
    return _review("xmllint", [_error(int(line), message, "xmllint") for line, message in found])


def _gofmt(work: WorkDir, file: ChangedFile) -> Review:
    gofmt = find_tool("gofmt")
    if gofmt is None:
        return Review(notes=("gofmt is not installed",))
    run = run_tool([gofmt, "-e", "-l"], stdin=work.content_path(file).read_bytes() or b"\n")
    found = re.findall(r"^<standard input>:(\d+):\d+: (.*)$", run.stderr, re.MULTILINE)
    return _review("gofmt", [_error(int(line), message, "gofmt") for line, message in found])


_CHECKERS: dict[str, Callable[[WorkDir, ChangedFile], Review]] = {
    "c": _c_family,
    "c-header": _c_family,
    "c++": _c_family,
    "c++-header": _c_family,
    "python": _python,
    "javascript": _javascript,
    "shell": _shell,
    "json": _json,
    "toml": _toml,
    "yaml": _yaml,
    "xml": _xml,
    "go": _gofmt,
}
