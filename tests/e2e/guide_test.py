"""The users' guide: every complete project that stands in it is valid, and so is every project of the examples."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = re.compile(r"^```yaml\n(ganglion: 1\n.*?)^```$", re.M | re.S)
PAGES = sorted((ROOT / "docs" / "guide").glob("*.md"))
SNIPPETS = [
    (page.name, number, text) for page in PAGES for number, text in enumerate(PROJECT.findall(page.read_text()))
]


def validate(project: Path) -> subprocess.CompletedProcess[str]:
    command = [os.environ["GANGLION_BINARY"], "validate", "--graph", str(project)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(("page", "number", "text"), SNIPPETS, ids=[f"{page}-{n}" for page, n, _ in SNIPPETS])
def test_a_project_in_the_guide_is_valid(tmp_path: Path, page: str, number: int, text: str) -> None:
    project = tmp_path / "ganglion.yaml"
    project.write_text(text)
    checked = validate(project)
    assert checked.returncode == 0, f"{page}, project {number}:\n{checked.stderr}"


@pytest.mark.parametrize(
    "project", sorted((ROOT / "examples").glob("**/ganglion.yaml")), ids=lambda path: f"{path.parent.name}"
)
def test_a_project_of_the_examples_is_valid(project: Path) -> None:
    checked = validate(project)
    assert checked.returncode == 0, checked.stderr
