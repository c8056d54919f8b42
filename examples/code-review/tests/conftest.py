from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

from repositories import RepositoryBuilder

from review.languages import language_of
from review.workdir import ChangedFile, WorkDir


@pytest.fixture
def repository(tmp_path: Path) -> RepositoryBuilder:
    return RepositoryBuilder(tmp_path / "repository.git")


@pytest.fixture
def work(tmp_path: Path) -> WorkDir:
    root = tmp_path / "work"
    (root / "files").mkdir(parents=True)
    directory = WorkDir(root)
    directory.write_paths([])
    return directory


AddFile = Callable[..., ChangedFile]


@pytest.fixture
def add_file(work: WorkDir) -> AddFile:
    """Adds a changed text file to the work directory; every line counts as changed unless `ranges` says otherwise."""
    count = 0

    def add(
        path: str, content: str, ranges: list[tuple[int, int]] | None = None, status: str = "modified"
    ) -> ChangedFile:
        nonlocal count
        lines = content.count("\n") + 1
        file = ChangedFile(
            index=count,
            path=path,
            status=status,
            kind="deleted" if status == "deleted" else "text",
            language=language_of(path, content.encode()),
            size=len(content),
            added=lines,
            ranges=[(1, lines)] if ranges is None else ranges,
        )
        count += 1
        if file.readable:
            work.content_path(file).write_bytes(content.encode())
        return file

    return add
