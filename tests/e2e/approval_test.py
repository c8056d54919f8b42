"""The approval example end to end: every way through its workflows, and every way round them that is refused."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ganglion import Client, ProblemError

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "approval"
sys.path[:0] = [str(EXAMPLE), str(EXAMPLE.parent)]

from changes import SHOP
from launcher import Server, find_binary

TIMEOUT = 240
PATIENCE = 60.0


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    connection = sqlite3.connect(path)
    connection.executescript(SHOP.read_text("utf-8"))
    connection.close()
    return path


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with Server(find_binary(), EXAMPLE / "ganglion.yaml", tmp_path / "out") as server, Client(server.url) as client:
        yield client


def value(database: Path, query: str) -> Any:
    connection = sqlite3.connect(database)
    try:
        return connection.execute(query).fetchone()[0]
    finally:
        connection.close()


def asked(client: Client, run_id: str, step: str) -> Any:
    """The approval that a step asks for."""
    deadline = time.monotonic() + PATIENCE
    while not (found := [one for one in client.approvals(run=run_id) if one.step == step]):
        run = client.get(run_id)
        assert not run.ended, run
        assert time.monotonic() < deadline, run
        time.sleep(0.02)
    return found[0]


def request(database: Path, *statements: str) -> dict[str, Any]:
    return {"title": "a change", "database": str(database), "statements": list(statements)}


RAISE = "UPDATE products SET price_cents = price_cents + 100"


def test_nothing_happens_before_the_right_person_has_approved_exactly_what_is_shown(
    client: Client, database: Path
) -> None:
    # given a change that waits for a person
    before = value(database, "SELECT sum(price_cents) FROM products")
    run = client.start("change", request(database, RAISE))
    approval = asked(client, run.id, "sign_off")
    assert client.get(run.id).status == "waiting"
    assert approval.show["effects"] == [{"statement": RAISE, "rows": 40, "tables": ["products"]}]
    # when others try, or somebody approves something else
    refusals = []
    for attempt, by in ((approval, "intern"), (approval, None), (replace(approval, digest="0" * 64), "database-owner")):
        with pytest.raises(ProblemError) as refused:
            client.approve(attempt, by=by)
        refusals.append((refused.value.status, refused.value.code))
    # then they are refused and nothing has happened
    assert refusals == [(403, "not_permitted"), (403, "not_permitted"), (409, "digest_mismatch")]
    assert value(database, "SELECT sum(price_cents) FROM products") == before
    # and when the right one does, it is made, once
    client.approve(approval, by="database-owner", comment="fine")
    ended = client.wait(run.id, timeout=PATIENCE)
    assert ended.output == {"status": "applied", "rows": 40, "approved_by": "database-owner", "why": None}
    assert value(database, "SELECT sum(price_cents) FROM products") == before + 40 * 100
    with pytest.raises(ProblemError) as late:
        client.reject(approval, by="release-manager")
    assert late.value.status in (404, 409)


def test_a_no_ends_it_with_the_reason(client: Client, database: Path) -> None:
    run = client.start("change", request(database, "DELETE FROM orders"))
    client.reject(asked(client, run.id, "sign_off"), by="release-manager", comment="not on a Friday")
    ended = client.wait(run.id, timeout=PATIENCE)
    assert ended.status == "completed"
    assert (ended.output["status"], ended.output["why"]["code"]) == ("refused", "rejected")
    assert "not on a Friday" in ended.output["why"]["message"]
    assert value(database, "SELECT count(*) FROM orders") == 600


def test_a_small_change_asks_nobody(client: Client, database: Path) -> None:
    run = client.start("change", request(database, "UPDATE products SET active = 0 WHERE id = 1"), wait=60)
    assert run.output["status"] == "applied"
    assert run.steps["sign_off"].status == "skipped"


def test_what_changed_meanwhile_is_not_what_was_approved(client: Client, database: Path) -> None:
    run = client.start("change", request(database, "UPDATE products SET active = 1 WHERE active = 0"))
    approval = asked(client, run.id, "sign_off")
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE products SET active = 0 WHERE id = 7")
    connection.close()
    client.approve(approval, by="database-owner")
    ended = client.wait(run.id, timeout=PATIENCE)
    assert (ended.output["status"], ended.output["why"]["code"]) == ("not_applied", "differs_from_what_was_approved")
    assert value(database, "SELECT count(*) FROM products WHERE active = 0") == 5


def test_a_human_agents_answer_must_fit_its_schema_and_is_seen_by_the_next_person(
    client: Client, database: Path
) -> None:
    run = client.start("change", request(database, "UPDATE customers SET email = lower(email)"))
    task = asked(client, run.id, "privacy")
    assert (task.kind, task.agent, task.show["columns"]) == ("task", "privacy_officer", ["customers.email"])
    with pytest.raises(ProblemError) as refused:
        client.approve(task, by="privacy-officer", output={"basis": 7})
    assert refused.value.status == 422
    client.approve(task, by="privacy-officer", output={"basis": "consent"})
    approval = asked(client, run.id, "sign_off")
    assert approval.show["privacy"] == "consent"
    client.approve(approval, by="database-owner")
    assert client.wait(run.id, timeout=PATIENCE).output["status"] == "applied"


def test_a_change_that_does_not_work_reaches_nobody(client: Client, database: Path) -> None:
    run = client.start("change", request(database, "UPDATE no_table SET x = 1"), wait=60)
    assert (run.status, run.error["code"]) == ("failed", "does_not_work")
    assert list(client.approvals()) == []


def test_silence_is_escalated_and_a_no_is_not(client: Client, database: Path) -> None:
    # given two hotfixes at night
    silent = client.start("hotfix", request(database, "UPDATE products SET active = 0 WHERE id = 1"))
    refused = client.start("hotfix", request(database, "UPDATE products SET active = 0 WHERE id = 2"))
    # when one is refused by the person on call, and nobody looks at the other
    client.reject(asked(client, refused.id, "on_call"), by="on-call")
    escalation = asked(client, silent.id, "escalation")
    assert escalation.by == ("release-manager",)
    client.approve(escalation, by="release-manager")
    # then only the silent one was asked about again
    ended = client.wait(silent.id, timeout=PATIENCE)
    assert ended.output == {"status": "applied", "approved_by": "release-manager", "on_call": "timeout"}
    ended = client.wait(refused.id, timeout=PATIENCE)
    assert ended.output == {"status": "refused", "approved_by": None, "on_call": "rejected"}
    assert ended.steps["escalation"].status == "skipped"


@pytest.mark.parametrize(
    ("decide", "said", "orders"),
    [
        ("approve", "'status': 'applied'", 561),
        ("reject", "'status': 'refused'", 600),
        ("nobody", "'approved_by': 'release-manager'", 600),
    ],
)
def test_the_script_decides_with_the_command_line(tmp_path: Path, decide: str, said: str, orders: int) -> None:
    ended = subprocess.run(
        [sys.executable, str(EXAMPLE / "run"), "--out", str(tmp_path / "out"), "--decide", decide],
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
        stdin=subprocess.DEVNULL,
        env=dict(os.environ, NO_COLOR="1"),
    )
    assert ended.returncode == 0, ended.stderr + ended.stdout
    assert said in ended.stdout, ended.stdout + ended.stderr
    assert value(tmp_path / "out" / "shop.db", "SELECT count(*) FROM orders") == orders


def test_what_waits_is_still_there_after_a_restart(tmp_path: Path, database: Path) -> None:
    project, out, binary = EXAMPLE / "ganglion.yaml", tmp_path / "out", find_binary()
    with Server(binary, project, out) as server, Client(server.url) as client:
        run = client.start("change", request(database, RAISE))
        before = asked(client, run.id, "sign_off")
    with Server(binary, project, out) as server, Client(server.url) as client:
        after = asked(client, run.id, "sign_off")
        assert (after.id, after.digest, json.dumps(after.show)) == (before.id, before.digest, json.dumps(before.show))
        client.approve(before, by="database-owner")
        assert client.wait(run.id, timeout=PATIENCE).output["status"] == "applied"
