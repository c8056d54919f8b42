"""Turns a git range into a work directory that the agents can review."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .git import Change, Repository, TreeEntry
from .languages import C_FAMILY, language_of
from .workdir import ChangedFile, WorkDir

#: Files that are reviewed; the report says how many more there were.
MAX_FILES = 2000
#: Bytes of a file that is reviewed.
MAX_FILE_BYTES = 2 * 1024 * 1024
#: Headers that are laid out for #include, and their bytes in total.
MAX_HEADERS = 5000
MAX_HEADER_BYTES = 64 * 1024 * 1024

_HEADER_SUFFIXES = (b".h", b".hh", b".hpp", b".hxx", b".inc", b".ipp", b".def")
_SUBMODULE = "160000"
_SYMLINK = "120000"


def shown(path: bytes) -> str:
    """A path as text; bytes that are not UTF-8 become `\\xNN`."""
    return path.decode("utf-8", "backslashreplace")


def prepare(repository: Repository, base: str, head: str, root: Path) -> dict[str, Any]:
    """Fills `root`, an empty directory, and returns the run's input. `GitError` if git fails."""
    work = WorkDir(root)
    changes = repository.changes(base, head)
    tree = repository.tree(head)
    reviewed = changes[:MAX_FILES]
    files = _write_contents(repository, work, reviewed, {entry.path: entry for entry in tree})
    if any(file.language in C_FAMILY for file in files):
        _write_headers(repository, work.tree, tree)
    work.write_paths([shown(entry.path) for entry in tree])
    work.write_file_entries(files)
    change = {
        "repository": repository.name,
        "base": "" if base == repository.empty_tree else base,
        "head": "" if head == repository.empty_tree else head,
        "changed": len(changes),
        "not_reviewed": len(changes) - len(reviewed),
    }
    work.write_manifest(change, files)
    return {"work": str(root), **change}


def _write_contents(
    repository: Repository, work: WorkDir, changes: list[Change], tree: dict[bytes, TreeEntry]
) -> list[ChangedFile]:
    (work.root / "files").mkdir(parents=True)
    kinds = [_kind_before_reading(change, tree) for change in changes]
    contents = repository.blobs([c.blob for c, kind in zip(changes, kinds, strict=True) if kind == "text"])
    files = []
    for index, (change, kind) in enumerate(zip(changes, kinds, strict=True)):
        content = next(contents) if kind == "text" else b""
        if content is None:
            kind, content = "unavailable", b""
        elif b"\0" in content[:8000]:
            kind = "binary"
        path = shown(change.path)
        file = ChangedFile(
            index=index,
            path=path,
            status=change.status,
            kind=kind,
            language=language_of(path, content) if kind in ("text", "deleted") else "",
            old_path=shown(change.old_path) if change.old_path != change.path else "",
            size=len(content),
            added=change.added,
            removed=change.removed,
            ranges=change.ranges,
        )
        if file.readable:
            work.content_path(file).write_bytes(content)
        files.append(file)
    return files


def _kind_before_reading(change: Change, tree: dict[bytes, TreeEntry]) -> str:
    if change.status == "deleted":
        return "deleted"
    if change.mode == _SUBMODULE:
        return "submodule"
    if change.mode == _SYMLINK:
        return "symlink"
    entry = tree.get(change.path)
    if entry is None or entry.size < 0:
        return "unavailable"
    return "too_large" if entry.size > MAX_FILE_BYTES else "text"


def _write_headers(repository: Repository, root: Path, tree: Iterable[TreeEntry]) -> None:
    """Regular files only, never links, so that no path leads out of `root`; git itself forbids `..` in a tree."""
    chosen: list[TreeEntry] = []
    size = 0
    for entry in tree:
        if entry.mode.startswith("100") and entry.size >= 0 and entry.path.lower().endswith(_HEADER_SUFFIXES):
            size += entry.size
            if len(chosen) == MAX_HEADERS or size > MAX_HEADER_BYTES:
                break
            if b".." not in entry.path.split(b"/") and not entry.path.startswith(b"/"):
                chosen.append(entry)
    for entry, content in zip(chosen, repository.blobs([entry.blob for entry in chosen]), strict=True):
        if content is not None:
            target = root / os.fsdecode(entry.path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
