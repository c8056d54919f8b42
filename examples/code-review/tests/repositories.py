"""Builds small git repositories for tests, straight from blobs and trees: no work tree, no user settings, any name."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_WHO = {
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.org",
    "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z",
    "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
}

COMMIT_OF_NOTHING = "1" * 40


@dataclass(frozen=True)
class Entry:
    """One path of a tree: a file, unless `mode` says symlink (120000), executable (100755) or submodule (160000)."""

    content: bytes
    mode: str = "100644"


def symlink(target: str) -> Entry:
    return Entry(target.encode(), "120000")


def submodule(commit: str = COMMIT_OF_NOTHING) -> Entry:
    return Entry(commit.encode(), "160000")


class RepositoryBuilder:
    """A bare repository whose branch `main` grows by `commit`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(path)], check=True, env=self._environment())
        self.head: str | None = None
        self._blobs: dict[bytes, bytes] = {}

    def commit(self, tree: Mapping[str | bytes, str | bytes | Entry]) -> str:
        """A commit whose tree is exactly `tree`, by path."""
        listing = b""
        for path, value in tree.items():
            entry = value if isinstance(value, Entry) else Entry(value if isinstance(value, bytes) else value.encode())
            blob = entry.content if entry.mode == "160000" else self._blob(entry.content)
            name = path if isinstance(path, bytes) else path.encode()
            listing += entry.mode.encode() + b" " + blob + b"\t" + name + b"\0"
        index = {"GIT_INDEX_FILE": str(self.path / "test-index")}
        (self.path / "test-index").unlink(missing_ok=True)
        self._git("update-index", "-z", "--index-info", stdin=listing, **index)
        tree_id = self._git("write-tree", **index).decode().strip()
        parents = ["-p", self.head] if self.head else []
        self.head = self._git("commit-tree", tree_id, *parents, "-m", "change").decode().strip()
        self._git("update-ref", "refs/heads/main", self.head)
        return self.head

    def _blob(self, content: bytes) -> bytes:
        if content not in self._blobs:
            self._blobs[content] = self._git("hash-object", "-w", "--stdin", stdin=content).strip()
        return self._blobs[content]

    def shallow_clone(self, path: Path, depth: int) -> Path:
        source = f"file://{self.path}"
        command = ["git", "clone", "-q", "--bare", f"--depth={depth}", source, str(path)]
        subprocess.run(command, check=True, env=self._environment())
        return path

    def _git(self, *arguments: str, stdin: bytes = b"", **extra: str) -> bytes:
        command = ["git", "--git-dir", str(self.path), *arguments]
        environment = self._environment() | extra
        return subprocess.run(command, input=stdin, stdout=subprocess.PIPE, check=True, env=environment).stdout

    @staticmethod
    def _environment() -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **_WHO}
