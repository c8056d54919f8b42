"""What changed, for repositories of every shape."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from repositories import Entry, RepositoryBuilder, submodule, symlink

from review.git import Change, GitError, Repository
from review.prepare import prepare
from review.workdir import ChangedFile, WorkDir


def changes_of(builder: RepositoryBuilder, count: int = 1) -> list[Change]:
    repository = Repository(builder.path)
    return repository.changes(*repository.last_commits(count))


def prepared(builder: RepositoryBuilder, root: Path) -> tuple[WorkDir, list[ChangedFile]]:
    repository = Repository(builder.path)
    root.mkdir()
    prepare(repository, *repository.last_commits(1), root)
    work = WorkDir(root)
    return work, work.files()


def test_a_repository_without_commits_has_no_changes(repository: RepositoryBuilder) -> None:
    assert changes_of(repository) == []


def test_the_only_commit_is_compared_with_the_empty_tree(repository: RepositoryBuilder) -> None:
    repository.commit({"a.py": "x = 1\ny = 2\n"})
    (change,) = changes_of(repository, 5)
    assert (change.status, change.path, change.ranges) == ("added", b"a.py", [(1, 2)])


def test_a_commit_that_changes_nothing_has_no_changes(repository: RepositoryBuilder) -> None:
    repository.commit({"a": "1\n"})
    repository.commit({"a": "1\n"})
    assert changes_of(repository) == []


def test_ranges_name_the_changed_lines_at_the_head(repository: RepositoryBuilder) -> None:
    before = [f"line {n}" for n in range(1, 21)]
    after = [*before[:4], "new", *before[4:10], "changed", *before[11:]]
    repository.commit({"a": "\n".join(before)})
    repository.commit({"a": "\n".join(after)})
    (change,) = changes_of(repository)
    assert change.ranges == [(5, 5), (12, 12)]
    assert (change.added, change.removed) == (2, 1)


@pytest.mark.parametrize(
    "name",
    ["with space.py", "new\nline.py", "-rf.py", "--output=x.py", "ünïcode ☃.py", "tab\t.py", 'quote".py', "a|b`c.py"],
)
def test_any_file_name_survives(repository: RepositoryBuilder, tmp_path: Path, name: str) -> None:
    repository.commit({name: "x = 1\n"})
    work, (file,) = prepared(repository, tmp_path / "work")
    assert file.path == name
    assert work.lines(file) == ["x = 1", ""]


def test_a_name_that_is_not_utf8_shows_its_bytes(repository: RepositoryBuilder, tmp_path: Path) -> None:
    repository.commit({b"caf\xe9.py": "x = 1\n"})
    work, (file,) = prepared(repository, tmp_path / "work")
    assert file.path == "caf\\xe9.py"
    assert work.lines(file)[0] == "x = 1"


def test_a_rename_names_both_paths_and_only_the_edited_lines(repository: RepositoryBuilder) -> None:
    body = "".join(f"line {n}\n" for n in range(30))
    repository.commit({"old.txt": body})
    repository.commit({"new.txt": body.replace("line 7\n", "line seven\n")})
    (change,) = changes_of(repository)
    assert (change.status, change.old_path, change.path) == ("renamed", b"old.txt", b"new.txt")
    assert change.ranges == [(8, 8)]


def test_a_deleted_file_has_no_lines(repository: RepositoryBuilder, tmp_path: Path) -> None:
    repository.commit({"a": "1\n", "b": "2\n"})
    repository.commit({"a": "1\n"})
    _, (file,) = prepared(repository, tmp_path / "work")
    assert (file.status, file.kind, file.ranges, file.removed) == ("deleted", "deleted", [], 1)


def test_kinds_that_are_no_text_are_flagged_and_not_laid_out(repository: RepositoryBuilder, tmp_path: Path) -> None:
    repository.commit({"keep": "1\n"})
    repository.commit(
        {
            "keep": "1\n",
            "image.png": b"\x89PNG\0\0",
            "link": symlink("/etc/passwd"),
            "module": submodule(),
            "large.txt": b"x" * (2 * 1024 * 1024 + 1),
            "tool": Entry(b"#!/bin/sh\ntrue\n", "100755"),
        }
    )
    work, files = prepared(repository, tmp_path / "work")
    kinds = {file.path: file.kind for file in files}
    assert kinds == {
        "image.png": "binary",
        "link": "symlink",
        "module": "submodule",
        "large.txt": "too_large",
        "tool": "text",
    }
    assert {file.path for file in files if file.language == "shell"} == {"tool"}
    assert [path.name for path in (work.root / "files").iterdir()] == ["00004"]


def test_a_file_that_becomes_a_link_does_not_shift_the_lines_of_the_next(repository: RepositoryBuilder) -> None:
    repository.commit({"a": "1\n2\n3\n", "b": "x\ny\n"})
    repository.commit({"a": symlink("b"), "b": "x\nz\n"})
    changes = {change.path: change for change in changes_of(repository)}
    assert changes[b"a"].status == "type_changed"
    assert changes[b"b"].ranges == [(2, 2)]


def test_content_that_looks_like_a_patch_is_content(repository: RepositoryBuilder) -> None:
    trap = "diff --git a/x b/x\n@@ -0,0 +1,99 @@\n--- a/x\n+++ b/x\n"
    repository.commit({"a": "1\n", "b": "1\n"})
    repository.commit({"a": trap, "b": "2\n"})
    changes = {change.path: change.ranges for change in changes_of(repository)}
    assert changes == {b"a": [(1, 4)], b"b": [(1, 1)]}


def test_a_shallow_clone_starts_at_its_oldest_commit(repository: RepositoryBuilder, tmp_path: Path) -> None:
    for number in range(5):
        repository.commit({"a": f"{number}\n", "unchanged": "1\n"})
    clone = Repository(repository.shallow_clone(tmp_path / "clone.git", 2))
    (change,) = clone.changes(*clone.last_commits(4))
    assert change.path == b"a"


def test_a_shallow_clone_of_one_commit_is_compared_with_the_empty_tree(
    repository: RepositoryBuilder, tmp_path: Path
) -> None:
    repository.commit({"a": "1\n"})
    repository.commit({"a": "2\n", "b": "1\n"})
    clone = Repository(repository.shallow_clone(tmp_path / "clone.git", 1))
    assert [change.path for change in clone.changes(*clone.last_commits(3))] == [b"a", b"b"]


def test_ranges_can_be_written_in_three_ways(repository: RepositoryBuilder) -> None:
    first, second = repository.commit({"a": "1\n"}), repository.commit({"a": "2\n"})
    view = Repository(repository.path)
    assert view.range(f"{first}..{second}") == (first, second)
    assert view.range(f"{first}...main") == (first, second)
    assert view.range("HEAD~1") == (first, second)


@pytest.mark.parametrize("text", ["nothing..HEAD", "--output=x", "HEAD..--help"])
def test_a_range_that_names_no_commit_is_an_error(repository: RepositoryBuilder, text: str) -> None:
    repository.commit({"a": "1\n"})
    with pytest.raises(GitError, match="is not a commit"):
        Repository(repository.path).range(text)


def test_a_folder_that_is_no_repository_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(GitError):
        Repository(tmp_path)


def test_programs_that_the_repository_configures_do_not_run(repository: RepositoryBuilder, tmp_path: Path) -> None:
    # given a repository whose settings name programs to run on a diff
    trap = tmp_path / "trap"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {trap}\n")
    program.chmod(0o755)
    for name in ("diff.external", "diff.evil.textconv", "diff.evil.command", "core.fsmonitor", "core.pager"):
        subprocess.run(["git", "--git-dir", repository.path, "config", name, str(program)], check=True)
    os.makedirs(repository.path / "info", exist_ok=True)
    (repository.path / "info" / "attributes").write_text("* diff=evil\n")
    # when it is read
    repository.commit({"a": "1\n"})
    repository.commit({"a": "2\n"})
    (change,) = changes_of(repository)
    # then the change is there and nothing ran
    assert change.ranges == [(1, 1)]
    assert not trap.exists()
