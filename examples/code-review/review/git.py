"""Reads a git repository by plumbing commands, without running anything that the repository configures.

File names are bytes and are always separated by NUL, so spaces, newlines, leading dashes and bytes that are not
UTF-8 need no care. Diff drivers, text conversion, hooks and the file system monitor of the repository stay off.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

GIT_TIMEOUT = 300.0
#: Ranges of one file before they are joined into one.
MAX_RANGES = 1000

_HUNK = re.compile(rb"^@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")

_STATUS = {
    b"A": "added",
    b"M": "modified",
    b"D": "deleted",
    b"R": "renamed",
    b"C": "copied",
    b"T": "type_changed",
}


class GitError(Exception):
    """What git said when it could not do what was asked."""


@dataclass(slots=True)
class Change:
    """One entry of a diff between two trees. `old_path` differs from `path` for renames and copies only."""

    status: str
    path: bytes
    old_path: bytes
    mode: str
    blob: str
    added: int = 0
    removed: int = 0
    ranges: list[tuple[int, int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """One path of a tree. `size` is -1 if it is no blob or its content is not in this (partial) clone."""

    mode: str
    blob: str
    size: int
    path: bytes


class Repository:
    """A repository, with or without a work tree; nothing in it is changed."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """`GitError` if there is no repository."""
        self._path = os.fspath(path)
        self.directory = Path(os.fsdecode(self._git("rev-parse", "--absolute-git-dir").rstrip(b"\n")))
        self.empty_tree = self._git("hash-object", "-t", "tree", "--stdin").decode().strip()

    @property
    def name(self) -> str:
        """What people call it: the folder's name."""
        directory = self.directory.resolve()
        return directory.parent.name if directory.name == ".git" else directory.name

    def last_commits(self, count: int) -> tuple[str, str]:
        """Base and head of the last `count` commits of HEAD along first parents.

        The empty tree stands in for a base that does not exist: in an empty repository, or if there are no more than
        `count` commits. A shallow clone begins at its oldest commit unless that is the only one.
        """
        try:
            listed = self._git("rev-list", "--first-parent", f"--max-count={count + 1}", "HEAD").decode().split()
        except GitError:
            return self.empty_tree, self.empty_tree  # no commit yet
        if len(listed) > count or (len(listed) > 1 and self._shallow()):
            return listed[-1], listed[0]
        return self.empty_tree, listed[0]

    def range(self, text: str) -> tuple[str, str]:
        """Base and head of `A..B`, `A...B` (from their merge base) or `A` (up to HEAD)."""
        if "..." in text:
            left, right = (self._commit(name or "HEAD") for name in text.split("...", 1))
            return self._git("merge-base", left, right).decode().strip(), right
        base, dots, head = text.partition("..")
        return self._commit(base or "HEAD"), self._commit(head if dots and head else "HEAD")

    def changes(self, base: str, head: str) -> list[Change]:
        """What differs between two commits or trees, with the changed lines at the head."""
        options = ["-r", "-M", "--no-commit-id", "--no-ext-diff", "--no-textconv", "--ignore-submodules=none"]
        raw = self._git("diff-tree", *options, "--raw", "-z", "--no-abbrev", f"{base}^{{tree}}", f"{head}^{{tree}}")
        changes = list(_parse_raw(raw))
        if changes:
            patch = ["diff-tree", *options, "-p", "-U0", "--no-color", "--diff-algorithm=myers"]
            self._read_patch([*patch, f"{base}^{{tree}}", f"{head}^{{tree}}"], changes)
        return changes

    def tree(self, head: str) -> list[TreeEntry]:
        """Every path of a commit or tree."""
        entries = []
        for record in self._git("ls-tree", "-r", "-z", "-l", "--full-tree", f"{head}^{{tree}}").split(b"\0")[:-1]:
            meta, _, path = record.partition(b"\t")
            mode, _, blob, size = meta.decode().split()
            entries.append(TreeEntry(mode, blob, int(size) if size.isdigit() else -1, path))
        return entries

    def blobs(self, ids: Sequence[str]) -> Iterator[bytes | None]:
        """The contents, in order; None for one that is missing."""
        if not ids:
            return
        with self._start(["cat-file", "--batch"], stdin=subprocess.PIPE) as process:
            assert process.stdin is not None and process.stdout is not None
            try:
                for blob in ids:
                    process.stdin.write(blob.encode() + b"\n")
                    process.stdin.flush()
                    header = process.stdout.readline().split()
                    if len(header) != 3:
                        yield None
                        continue
                    content = process.stdout.read(int(header[2]))
                    process.stdout.read(1)
                    yield content
            finally:
                process.kill()

    def _commit(self, name: str) -> str:
        try:
            return (
                self._git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}").decode().strip()
            )
        except GitError:
            raise GitError(f"{name!r} is not a commit of {self._path}") from None

    def _shallow(self) -> bool:
        return self._git("rev-parse", "--is-shallow-repository").strip() == b"true"

    def _read_patch(self, command: list[str], changes: list[Change]) -> None:
        """Counts and ranges from the patch, which lists the files in the order of the raw diff.

        A changed type (file ↔ symlink) shows as two sections, all others as one. Hunk lines are skipped by count, so
        content that looks like a header does no harm; nothing of the content is kept.
        """
        sections = (change for change in changes for _ in range(2 if change.status == "type_changed" else 1))
        with self._start(command) as process:
            assert process.stdout is not None
            current: Change | None = None
            skip = 0
            for line in process.stdout:
                if skip and line[:1] in (b"+", b"-"):
                    skip -= 1
                elif line.startswith(b"diff --git "):
                    current = next(sections, None)
                elif current is not None and (hunk := _HUNK.match(line)):
                    removed = int(hunk[1]) if hunk[1] is not None else 1
                    added = int(hunk[3]) if hunk[3] is not None else 1
                    skip = removed + added
                    current.removed += removed
                    current.added += added
                    if added:
                        _add_range(current.ranges, int(hunk[2]), int(hunk[2]) + added - 1)
        if process.returncode != 0:
            raise GitError("git diff-tree failed")

    def _git(self, *arguments: str) -> bytes:
        try:
            run = subprocess.run(
                self._command(arguments),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                env=_environment(),
                timeout=GIT_TIMEOUT,
                check=False,
            )
        except FileNotFoundError:
            raise GitError("git is not installed") from None
        except subprocess.TimeoutExpired:
            raise GitError(f"git {arguments[0]} took longer than {GIT_TIMEOUT:g} s") from None
        if run.returncode != 0:
            raise GitError(run.stderr.decode("utf-8", "replace").strip() or f"git {arguments[0]} failed")
        return run.stdout

    def _start(self, arguments: Sequence[str], stdin: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._command(arguments),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
        )

    def _command(self, arguments: Sequence[str]) -> list[str]:
        return ["git", "-C", self._path, "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", *arguments]


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    # A partial clone must not fetch, and a prompt would wait for ever.
    return {
        **kept,
        "LC_ALL": "C.UTF-8",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
    }


def _parse_raw(raw: bytes) -> Iterator[Change]:
    fields = iter(raw.split(b"\0"))
    for meta in fields:
        if not meta:
            return
        _, mode, _, blob, status = meta.removeprefix(b":").split(b" ")
        old_path = next(fields)
        path = next(fields) if status[:1] in (b"R", b"C") else old_path
        yield Change(_STATUS.get(status[:1], "modified"), path, old_path, mode.decode(), blob.decode())


def _add_range(ranges: list[tuple[int, int]], first: int, last: int) -> None:
    if ranges and (first <= ranges[-1][1] + 1 or len(ranges) >= MAX_RANGES):
        ranges[-1] = (ranges[-1][0], max(last, ranges[-1][1]))
    else:
        ranges.append((first, last))
