"""The work directory: how large content travels between agents by reference.

Tasks and results carry numbers and short strings only; what they stand for lies here. Laid out as

    manifest.json          the change: repository, range, counts, every changed file (`ChangedFile`)
    files/00012.py         content of file 12 at the range's head, under a name that no tool can misread
    tree/…                 C and C++ headers of the head revision under their own paths, for #include
    paths.json             every path of the head revision
    findings/syntax/00012.json   what an agent found

Each file is written once, under a temporary name, and then renamed: an attempt that is repeated replaces a whole
result by an equal one.
"""

from __future__ import annotations

import json
import os
import threading
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .findings import Finding, Review


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """One changed file.

    `path` is for people and for comparing; bytes that are not UTF-8 show as `\\xNN`. `status`: added, modified,
    deleted, renamed, copied or type_changed. `kind`: text, binary, symlink, submodule, too_large, unavailable or
    deleted; only a `text` file has content. `ranges`: the changed lines at the head, inclusive.
    """

    index: int
    path: str
    status: str
    kind: str
    language: str = ""
    old_path: str = ""
    size: int = 0
    added: int = 0
    removed: int = 0
    ranges: list[tuple[int, int]] = field(default_factory=list)

    @property
    def readable(self) -> bool:
        return self.kind == "text"

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> ChangedFile:
        fields = dict(value)
        fields["ranges"] = [(int(first), int(last)) for first, last in fields.get("ranges", [])]
        return cls(**fields)


class WorkDir:
    """Reads and writes the layout above. Processes may share one directory."""

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = Path(root)

    @property
    def tree(self) -> Path:
        return self.root / "tree"

    def content_path(self, file: ChangedFile) -> Path:
        suffix = os.path.splitext(file.path)[1]
        safe = suffix if suffix[1:].isascii() and suffix[1:].isalnum() and len(suffix) < 16 else ""
        return self.root / "files" / f"{file.index:05d}{safe}"

    def lines(self, file: ChangedFile) -> list[str]:
        """The lines of a text file, without line ends; bytes that are not UTF-8 become replacement characters."""
        return self.content_path(file).read_bytes().decode("utf-8", "replace").split("\n")

    def write_manifest(self, change: dict[str, Any], files: list[ChangedFile]) -> None:
        self._write("manifest.json", {**change, "files": [asdict(file) for file in files]})

    def manifest(self) -> dict[str, Any]:
        """The change without its files."""
        value = self._read("manifest.json")
        return {name: entry for name, entry in value.items() if name != "files"}

    def files(self) -> list[ChangedFile]:
        return [ChangedFile.from_json(value) for value in self._read("manifest.json")["files"]]

    def write_file_entries(self, files: list[ChangedFile]) -> None:
        """One small file per changed file, so that a mapped task reads only its own."""
        for file in files:
            self._write(f"entries/{file.index:05d}.json", asdict(file))

    def file(self, index: int) -> ChangedFile:
        return ChangedFile.from_json(self._read(f"entries/{int(index):05d}.json"))

    def write_paths(self, paths: list[str]) -> None:
        self._write("paths.json", paths)

    def paths(self) -> list[str]:
        value: list[str] = self._read("paths.json")
        return value

    def write_review(self, agent: str, index: int, review: Review) -> None:
        value = {
            "findings": [finding.to_json() for finding in review.findings],
            "tools": list(review.tools),
            "notes": list(review.notes),
        }
        self._write(f"findings/{agent}/{index:05d}.json", value)

    def review(self, agent: str, index: int) -> Review:
        """An empty review if the agent has none for this file."""
        try:
            value = self._read(f"findings/{agent}/{index:05d}.json")
        except FileNotFoundError:
            return Review()
        findings = tuple(Finding.from_json(entry) for entry in value["findings"])
        return Review(findings, tuple(value["tools"]), tuple(value["notes"]))

    def _read(self, name: str) -> Any:
        return json.loads((self.root / name).read_bytes())

    def _write(self, name: str, value: Any) -> None:
        write_atomically(self.root / name, json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))


def write_atomically(path: Path, content: bytes) -> None:
    """Either the old content or the whole new one, whoever looks and whenever the process dies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    temporary.write_bytes(content)
    os.replace(temporary, path)
