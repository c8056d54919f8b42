"""The code-review example end to end: the real binary, real workers, repositories of every shape.

GANGLION_BINARY names the binary. Each test has its own repository and output folder, so they may run in parallel.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "code-review"
sys.path.insert(0, str(EXAMPLE / "tests"))

from repositories import Entry, RepositoryBuilder, submodule, symlink

#: For one review; a sanitizer build on two busy processors needs most of it.
TIMEOUT = 240

Review = tuple[dict[str, Any], str]


@pytest.fixture
def repository(tmp_path: Path) -> RepositoryBuilder:
    return RepositoryBuilder(tmp_path / "repository.git")


@pytest.fixture
def review(tmp_path: Path, repository: RepositoryBuilder) -> Callable[..., Review]:
    """Reviews the repository; the run's output and the report."""

    def run(*arguments: str, repo: Path | None = None) -> Review:
        out = tmp_path / "out with space"
        command = [
            sys.executable,
            str(EXAMPLE / "run"),
            "--repo",
            str(repo or repository.path),
            "--out",
            str(out),
        ]
        ended = subprocess.run(
            [*command, *arguments],
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr + ended.stdout
        assert str(out / "review.md") in ended.stdout
        return json.loads((out / "output.json").read_bytes()), (out / "review.md").read_text("utf-8")

    return run


def found(output: Mapping[str, Any]) -> set[tuple[str, str, int]]:
    return {(finding["path"], finding["rule"], finding["line"]) for finding in output["findings"]}


def test_an_empty_repository_has_an_empty_report(review: Callable[..., Review]) -> None:
    output, report = review()
    assert output["files"] == 0
    assert "No findings." in report


def test_a_change_of_no_files_has_an_empty_report(repository: RepositoryBuilder, review: Callable[..., Review]) -> None:
    repository.commit({"a": "1\n"})
    repository.commit({"a": "1\n"})
    output, report = review("HEAD~1..HEAD")
    assert output["files"] == 0
    assert "**0 changed files**" in report


def test_one_file_with_a_mistake_is_found_on_its_line(
    repository: RepositoryBuilder, review: Callable[..., Review]
) -> None:
    repository.commit({"a.py": "x = 1\n"})
    repository.commit({"a.py": "x = 1\ndef f(:\n"})
    output, report = review("HEAD~1")
    assert ("a.py", "syntax", 2) in found(output)
    assert output["counts"]["error"] == 1
    assert "`a.py`" in report


def test_every_agent_has_its_say_and_odd_files_do_no_harm(
    repository: RepositoryBuilder, review: Callable[..., Review]
) -> None:
    # given a change with every kind of file and name
    body = "a = 1\nb = 2\nc = 3\n"
    repository.commit({"gone.py": body, "old name.py": body * 5, "base": "1\n"})
    repository.commit(
        {
            "base": "1\n",
            "new name.py": body * 5 + "d = 4\n",
            "with space.py": "eval(input())\nfirst = 'one'\nsecond = 'two'\nprint(first, second)\n",
            "new\nline.sh": "#!/bin/bash\nif true; then\n",
            "-rf.json": "{,}\n",
            "ünïcode ☃.md": "[link](missing.md)\n",
            b"caf\xe9.toml": "a = \n",
            "key.txt": "AKIA" + "ABCDEFGHIJKLMNOP\n",
            "image.png": b"\x89PNG\0\0",
            "link": symlink("/etc/passwd"),
            "module": submodule(),
            "tool": Entry(b"#!/usr/bin/env python3\ndef f(:\n", "100755"),
        }
    )
    # when it is reviewed
    output, report = review("HEAD~1..HEAD")
    # then each mistake is found at its place, and nothing failed
    assert found(output) >= {
        ("with space.py", "eval", 1),
        ("with space.py", "no-test", 1),
        ("new\nline.sh", "syntax", 3),
        ("-rf.json", "syntax", 1),
        ("ünïcode ☃.md", "broken-link", 1),
        ("caf\\xe9.toml", "syntax", 1),
        ("key.txt", "aws-key", 1),
        ("tool", "syntax", 2),
    }
    assert all(agent["failed"] == 0 for agent in output["agents"].values())
    assert output["files"] == 12
    assert "| `old name.py` → `new name.py` | renamed |" in report
    assert "| `image.png` | added | binary |" in report
    assert "AKIA" + "ABCDEFGHIJKLMNOP" not in report


def test_three_hundred_files_are_all_reviewed(repository: RepositoryBuilder, review: Callable[..., Review]) -> None:
    broken = {17, 133, 299}
    repository.commit({f"data/{n:03}.json": "{,}\n" if n in broken else "{}\n" for n in range(300)})
    output, _ = review()
    assert output["files"] == 300
    assert output["agents"]["syntax"]["tasks"] == 300
    assert found(output) == {(f"data/{n:03}.json", "syntax", 1) for n in broken}


def test_a_worker_that_is_killed_costs_no_finding(repository: RepositoryBuilder, tmp_path: Path) -> None:
    # given a review in full swing
    broken = {f"data/{n:03}.json" for n in range(0, 300, 50)}
    names = [f"data/{n:03}.json" for n in range(300)]
    repository.commit({name: "{,}\n" if name in broken else "{}\n" for name in names})
    out = tmp_path / "out"
    command = [sys.executable, str(EXAMPLE / "run"), "--repo", str(repository.path), "--out", str(out)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        seen = ""
        worker = None
        # when the worker is killed
        for line in process.stderr:
            seen += line
            worker = worker or re.search(r"worker=\S*-(\d+)-[0-9a-f]+ ", seen)
            if worker and re.search(r"syntax\[\d+\]  completed", line):
                os.kill(int(worker[1]), signal.SIGKILL)
                break
        seen += process.stderr.read()
        assert process.wait(TIMEOUT) == 0, seen
    # then another one goes on, and the report is whole
    assert "worker_lost" in seen or "attempt 2" in seen, seen
    output = json.loads((out / "output.json").read_bytes())
    assert found(output) == {(name, "syntax", 1) for name in broken}
    assert all(agent["failed"] == 0 for agent in output["agents"].values())


def test_a_shallow_clone_is_reviewed(
    repository: RepositoryBuilder, review: Callable[..., Review], tmp_path: Path
) -> None:
    for number in range(4):
        repository.commit({"a.json": f"[{number},]\n"})
    output, _ = review(repo=repository.shallow_clone(tmp_path / "clone.git", 1))
    assert found(output) == {("a.json", "syntax", 1)}


def test_a_range_that_does_not_exist_is_said_so(repository: RepositoryBuilder, tmp_path: Path) -> None:
    repository.commit({"a": "1\n"})
    command = [
        sys.executable,
        str(EXAMPLE / "run"),
        "--repo",
        str(repository.path),
        "--out",
        str(tmp_path / "out"),
    ]
    ended = subprocess.run(
        [*command, "nothing..HEAD"],
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert ended.returncode == 1
    assert "'nothing' is not a commit" in ended.stderr


def test_the_hello_example_greets_in_order() -> None:
    binary = os.path.abspath(os.environ["GANGLION_BINARY"])
    ended = subprocess.run(
        [
            binary,
            "run",
            "hello",
            "--store",
            "memory:",
            "--input",
            '{"names": ["Ada", "Grace"]}',
        ],
        cwd=ROOT / "examples" / "hello",
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout) == ["Hello Ada", "Hello Grace"]
