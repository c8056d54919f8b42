"""The support example end to end: who is asked, and what happens when an agent has no time."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ganglion import Client, Run

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "support"
sys.path.insert(0, str(EXAMPLE.parent))

from launcher import Server, find_binary

TIMEOUT = 240


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """While it is there, searches wait."""
    path = tmp_path / "index.lock"
    monkeypatch.setenv("HELPDESK_INDEX_LOCK", str(path))
    return path


@pytest.fixture
def client(tmp_path: Path, lock: Path) -> Iterator[Client]:
    with Server(find_binary(), EXAMPLE / "ganglion.yaml", tmp_path / "out") as server, Client(server.url) as client:
        yield client


def ask(client: Client, text: str) -> Run:
    run = client.start("ticket", {"text": text}, wait=60)
    assert run.status == "completed", run
    return run


def route(client: Client, run: Run) -> dict[str, Any]:
    (data,) = [event.data for event in client.journal(run.id) if event.type == "task_routed"]
    return dict(data)


def test_a_rule_decides_without_asking_anybody(client: Client) -> None:
    run = ask(client, "Translate to German: Where is my parcel?")
    routed = route(client, run)
    assert (routed["to"], routed["by"]) == ("translation", "rule")
    assert run.steps["reply"].attempts == 1
    assert run.output["reply"]["text"] == "Wo ist mein Paket?"


@pytest.mark.parametrize(
    ("text", "agent"),
    [
        ("I need the next line in English\nDas Paket ist nicht angekommen.", "translation"),
        ("the main points of this long letter please\nOne. Two. Three.", "summary"),
        ("How long does delivery take?", "question_answering"),
    ],
)
def test_where_no_rule_matches_the_classifier_decides(client: Client, text: str, agent: str) -> None:
    run = ask(client, text)
    routed = route(client, run)
    assert (routed["to"], routed["by"]) == (agent, "classifier")
    assert run.steps["reply"].agent == agent
    assert run.output["answered"]


def test_an_agent_that_takes_too_long_falls_back_to_a_simpler_one_and_then_to_the_cache(
    client: Client, lock: Path
) -> None:
    # given a question that was answered once
    question = "Are guarantees for tools longer than for the rest?"
    first = ask(client, question)
    assert first.output["reply"]["source"] == "warranty"
    # when searches don't end any more
    lock.touch()
    # then a simpler agent answers what it can
    simple = ask(client, "I forgot my password")
    assert simple.steps["reply"].agent == "keyword_answers"
    assert simple.output["reply"]["source"] == "password"
    failed = [event.data["error"]["code"] for event in client.journal(simple.id) if event.type == "task_failed"]
    assert failed == ["timeout"]
    # and the cache what it knows
    again = ask(client, question)
    assert again.output["reply"] == first.output["reply"]
    # and what nobody knows is a ticket without an answer, not a failed run
    unknown = ask(client, "Why do you not deliver on the moon?")
    assert (unknown.output["answered"], unknown.output["reply"]) == (False, None)


def test_the_script_tells_the_whole_story(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, str(EXAMPLE / "run"), "--out", str(tmp_path / "out")],
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    for line in (
        "desk → translation, by rule:",
        "desk → question_answering, by classifier:",
        "= Wo ist mein Paket? Danke.",
        "failed: timeout",
        "keyword_answers is asked",
        "the last answer to the same question",
        "there is none",
        "= no answer",
    ):
        assert line in ended.stdout, ended.stdout
