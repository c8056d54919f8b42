"""Each checker finds the line of a real mistake, accepts correct code, and runs nothing of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from review import tools
from review.syntax import check_syntax
from review.tools import find_tool
from review.workdir import ChangedFile, WorkDir

AddFile = Callable[..., ChangedFile]

needs_cxx = pytest.mark.skipif(find_tool("clang++-19", "clang++", "g++") is None, reason="no C++ compiler")
needs_c = pytest.mark.skipif(find_tool("gcc", "clang-19", "clang") is None, reason="no C compiler")
needs_node = pytest.mark.skipif(find_tool("node", "nodejs") is None, reason="no node")

BROKEN = [
    pytest.param("a.py", "x = 1\ndef f(:\n", 2, id="python"),
    pytest.param("a.sh", "true\nif true; then\n  echo x\n", 4, id="shell"),
    pytest.param("a.json", '{\n  "a": 1,\n}\n', 3, id="json"),
    pytest.param("a.toml", "a = 1\nb = \n", 2, id="toml"),
    pytest.param("a.c", "int main(void) {\n  return 0\n}\n", 2, id="c", marks=needs_c),
    pytest.param("a.cc", "int f() {\n  return 0\n}\n", 2, id="c++", marks=needs_cxx),
    pytest.param("a.h", "#pragma once\nstruct A {\n  int = x;\n};\n", 3, id="header", marks=needs_c),
    pytest.param("a.js", "let x = 1;\nlet = = 2;\n", 2, id="javascript", marks=needs_node),
    pytest.param("a.mjs", "import a from 'a';\nlet = = 2;\n", 2, id="module", marks=needs_node),
]
CORRECT = [
    pytest.param("a.py", "def f(x: int) -> int:\n    return x\n", id="python"),
    pytest.param("a.sh", "#!/bin/sh\nfor x in 1 2; do echo $x; done\n", id="shell"),
    pytest.param("a.bash", "x=(1 2)\n[[ -n ${x[0]} ]]\n", id="bash"),
    pytest.param("b.bash", "shopt -s extglob\ncase $1 in @(a|b)) true ;; esac\n", id="extended patterns"),
    pytest.param("a.json", '\ufeff{"a": [1, 2]}\n', id="json"),
    pytest.param("a.toml", "[a]\nb = 1\n", id="toml"),
    pytest.param("a.c", "#include <stddef.h>\nsize_t x;\n", id="c", marks=needs_c),
    pytest.param("a.cc", "#include <vector>\nstd::vector<int> x;\n", id="c++", marks=needs_cxx),
    pytest.param("a.js", "export const x = 1;\n", id="module", marks=needs_node),
    pytest.param("a.cjs", "module.exports = require('x');\n", id="commonjs", marks=needs_node),
    pytest.param("empty.py", "", id="empty"),
]


@pytest.mark.parametrize(("path", "source", "line"), BROKEN)
def test_a_mistake_is_found_on_its_line(work: WorkDir, add_file: AddFile, path: str, source: str, line: int) -> None:
    findings = check_syntax(work, add_file(path, source)).findings
    assert findings
    assert findings[0].severity == "error"
    assert findings[0].line in (line, line + 1)  # compilers may blame the line after a missing token


@pytest.mark.parametrize(("path", "source"), CORRECT)
def test_correct_code_has_no_findings(work: WorkDir, add_file: AddFile, path: str, source: str) -> None:
    review = check_syntax(work, add_file(path, source))
    assert review.findings == ()
    assert review.notes == ()
    assert review.tools


def test_yaml_errors_have_a_line(work: WorkDir, add_file: AddFile) -> None:
    pytest.importorskip("yaml")
    (finding,) = check_syntax(work, add_file("a.yaml", "a: 1\nb: c: 2\n")).findings
    assert finding.line == 2


@needs_cxx
def test_a_header_of_the_repository_is_found_and_a_missing_one_is_a_note(work: WorkDir, add_file: AddFile) -> None:
    (work.tree / "src" / "base").mkdir(parents=True)
    (work.tree / "src" / "base" / "ours.h").write_text("#pragma once\nstruct Ours {};\n")
    found = check_syntax(work, add_file("src/a.cc", '#include "base/ours.h"\nOurs x;\n'))
    missing = check_syntax(work, add_file("src/b.cc", '#include <no_such_library.h>\nint x = "y";\n'))
    assert (found.findings, found.notes) == ((), ())
    assert missing.findings == ()
    assert "no_such_library.h" in missing.notes[0]


def test_reviewed_code_is_never_run(work: WorkDir, add_file: AddFile, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    check_syntax(work, add_file("a.py", f"open({str(trap)!r}, 'w')\n"))
    check_syntax(work, add_file("a.sh", f"touch {trap}\n$(touch {trap})\n"))
    check_syntax(work, add_file("a.js", f"require('fs').writeFileSync({str(trap)!r}, '')\n"))
    assert not trap.exists()


def test_a_tool_that_is_not_installed_is_a_note(
    work: WorkDir, add_file: AddFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    tools.find_tool.cache_clear()
    try:
        reviews = [
            check_syntax(work, add_file(path, "x\n")) for path in ("a.cc", "a.c", "a.js", "a.sh", "a.go", "a.xml")
        ]
    finally:
        tools.find_tool.cache_clear()
    assert all(review.findings == () and len(review.notes) == 1 for review in reviews)
