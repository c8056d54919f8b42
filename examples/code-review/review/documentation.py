"""The documentation agent: public things without a word about them, and links that lead nowhere."""

from __future__ import annotations

import ast
import posixpath
import re
import warnings
from collections.abc import Iterator, Sequence
from urllib.parse import unquote

from .findings import Finding, Review, bounded, on_lines
from .languages import is_documentation, is_test
from .workdir import ChangedFile, WorkDir

_TOOL = "docs"
#: Changed public files from which a change without any documentation is worth a word.
MIN_PUBLIC_FILES = 3

_LINK = re.compile(r"!?\[[^\]\n]*\]\(\s*<?([^)>\s]+)>?(?:\s+[\"'][^\"'\n]*[\"'])?\s*\)")
_REFERENCE = re.compile(r"^\s{0,3}\[[^\]\n]+\]:\s*<?(\S+?)>?(?:\s|$)")
_FENCE = re.compile(r"^\s{0,3}(```|~~~)")
_HEADING = re.compile(r"^\s{0,3}#{1,6}\s+(.*?)\s*#*\s*$")
_ANCHOR = re.compile(r"<a\s+(?:id|name)=[\"']([^\"']+)[\"']|\{#([\w-]+)\}")
_CXX_TYPE = re.compile(
    r"^(?:template\s*<.*>\s*)?(?:class|struct|enum(?:\s+class)?)\s+(?:\[\[.*?\]\]\s*)?([A-Z]\w*)[^;]*$"
)
_EXPORT = re.compile(r"^export\s+(?:default\s+)?(?:async\s+)?(?:function|class|interface)\s+(\w+)")


def review_documentation(work: WorkDir, files: Sequence[ChangedFile], paths: Sequence[str]) -> dict[int, Review]:
    """By file index; -1 stands for the change as a whole."""
    tree = set(paths)
    tree.update(folder for path in paths for folder in _folders(path))
    reviews: dict[int, Review] = {}
    for file in files:
        if file.readable and file.ranges and not is_test(file.path):
            findings = bounded(on_lines(_findings(work, file, tree), file.ranges))
            if findings:
                reviews[file.index] = Review(findings, (_TOOL,))
    public = [file for file in files if _is_public(file)]
    documented = any(is_documentation(file.path, file.language) for file in files)
    if len(public) >= MIN_PUBLIC_FILES and not documented:
        message = f"{len(public)} files with public interfaces changed and no documentation did"
        reviews[-1] = Review((Finding(0, "info", "docs-unchanged", message, _TOOL),), (_TOOL,))
    return reviews


def _is_public(file: ChangedFile) -> bool:
    return (
        file.language in ("c-header", "c++-header", "python", "typescript")
        and file.added > 0
        and not is_test(file.path)
        and not posixpath.basename(file.path).startswith("_")
    )


def _findings(work: WorkDir, file: ChangedFile, tree: set[str]) -> Iterator[Finding]:
    lines = work.lines(file)
    if file.language == "markdown":
        yield from broken_links(lines, file.path, tree)
    elif file.language == "python":
        yield from _python_without_docstring("\n".join(lines))
    elif file.language in ("c-header", "c++-header"):
        yield from _without_comment(lines, _CXX_TYPE, "//", "*/")
    elif file.language in ("javascript", "typescript"):
        yield from _without_comment(lines, _EXPORT, "//", "*/")


def broken_links(lines: Sequence[str], path: str, tree: set[str]) -> Iterator[Finding]:
    """Relative links of a Markdown file whose target is not in `tree`, and anchors that the file does not have."""
    anchors = {anchor for line in lines for anchor in _anchors(line)}
    fenced = False
    for number, line in enumerate(lines, 1):
        if _FENCE.match(line):
            fenced = not fenced
        if fenced:
            continue
        text = re.sub(r"`[^`]*`", "", line)
        for target in [*_LINK.findall(text), *_REFERENCE.findall(text)]:
            if re.match(r"[a-zA-Z][\w+.-]*:|//", target):
                continue
            file, _, anchor = unquote(target).partition("#")
            if file.startswith("/"):
                resolved = posixpath.normpath(file.lstrip("/"))
            else:
                resolved = posixpath.normpath(posixpath.join(posixpath.dirname(path), file.split("?")[0]))
            if file and not resolved.startswith("..") and resolved not in tree and resolved != ".":
                yield Finding(number, "warning", "broken-link", f"no such file: {file}", _TOOL)
            elif not file and anchor and anchor.lower() not in anchors:
                yield Finding(number, "warning", "broken-anchor", f"no such heading: #{anchor}", _TOOL)


def _anchors(line: str) -> Iterator[str]:
    if heading := _HEADING.match(line):
        plain = re.sub(r"[`*_]|\[([^\]]*)\]\([^)]*\)", r"\1", heading[1]).lower()
        yield re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        yield re.sub(r"[^\w\- ]", "", heading[1].lower()).replace(" ", "-")
    for first, second in _ANCHOR.findall(line):
        yield (first or second).lower()


def _python_without_docstring(source: str) -> Iterator[Finding]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return  # the syntax agent reports it
    for node in module.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or node.name.startswith("_"):
            continue
        if ast.get_docstring(node) is None and (node.end_lineno or 0) - node.lineno >= 5:
            kind = "class" if isinstance(node, ast.ClassDef) else "function"
            yield Finding(node.lineno, "info", "no-docstring", f"public {kind} {node.name} has no docstring", _TOOL)


def _without_comment(lines: Sequence[str], pattern: re.Pattern[str], *comment: str) -> Iterator[Finding]:
    """Declarations at the left margin without a comment on the line before or at their end."""
    for number, line in enumerate(lines, 1):
        match = pattern.match(line)
        if match is None or "//" in line:
            continue
        before = lines[number - 2].strip() if number > 1 else ""
        if not before.startswith(comment[0]) and not before.endswith(comment[-1]) and not before.startswith("template"):
            yield Finding(number, "info", "no-comment", f"public {match[1]} has no comment", _TOOL)


def _folders(path: str) -> Iterator[str]:
    while path := posixpath.dirname(path):
        yield path
