#!/usr/bin/env python3
"""The audit in PostgreSQL beside a store in Redis, under load, while all three are killed: no row is missing, doubled
or wrong.

Clients start runs and repeat what isn't answered. Meanwhile the server, Redis and PostgreSQL are killed and come back.
In the end the journal of every run, as the API shows it, is what the audit has of it, entry by entry.

    audit_test.py [--ganglion PATH] [--seed N]

Needs Python's standard library only. The seed is printed; it fixes what is killed and when.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from serving import ROOT, Server, binary_from
from store_servers import PostgresStore, RedisStore, StoreServer

PARALLEL = 6
KILLS = 6
CONDITION_SECONDS = 40.0
SKIPPED = 77

PROJECT = """\
ganglion: 1
workflows:
  audited:
    steps:
      double: {transform: {n: "${{ input.n * 2 }}"}}
      each: {for_each: "${{ input.words }}", transform: "${{ item + string(steps.double.output.n) }}"}
      nap: {sleep: 150ms, needs: [each]}
      last: {transform: {words: "${{ steps.each.output }}"}, needs: [nap]}
    output: "${{ steps.last.output }}"
"""


class AuditedServer(Server):
    """With an audit where one is named."""

    audit: str | None = None

    def serve_command(self) -> list[str]:
        return [*super().serve_command(), *(["--audit", self.audit] if self.audit else [])]


def call(server: Server, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(server.url + path, data, {"Content-Type": "application/json", **(headers or {})})
    with urllib.request.urlopen(request, timeout=15) as answer:
        return json.load(answer)


def persist(ask: Callable[[], Any]) -> Any:
    """The answer, however often somebody has been killed before it came."""
    deadline = time.monotonic() + CONDITION_SECONDS
    while True:
        try:
            return ask()
        except (OSError, urllib.error.HTTPError) as error:
            assert not isinstance(error, urllib.error.HTTPError) or error.code == 503, error.read()
            assert time.monotonic() < deadline, f"no answer: {error}"
            time.sleep(0.02)


def start_run(server: Server, number: int, seed: int) -> str:
    body = {"workflow": "audited", "input": {"n": number, "words": ["ä", "b\u0000", "c" * (number % 7 * 900)]}}
    headers = {"Idempotency-Key": f"{seed}/{number}"}
    return str(persist(lambda: call(server, "/v1/runs", body, headers))["id"])


class Load:
    """Clients that start one run after another."""

    def __init__(self, server: Server, seed: int) -> None:
        self._server = server
        self._seed = seed
        self._lock = threading.Lock()
        self._next = 0
        self._stopping = threading.Event()
        self._failures: list[BaseException] = []
        self.runs: list[str] = []
        self._threads = [threading.Thread(target=self._be_client, daemon=True) for _ in range(PARALLEL)]
        for thread in self._threads:
            thread.start()

    def _be_client(self) -> None:
        try:
            while not self._stopping.is_set():
                with self._lock:
                    self._next += 1
                    number = self._next
                run = start_run(self._server, number, self._seed)
                with self._lock:
                    self.runs.append(run)
                time.sleep(0.05)
        except BaseException as failure:
            self._failures.append(failure)

    def finish(self) -> list[str]:
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        assert not self._failures, self._failures
        return self.runs


class Database:
    """What SQL says."""

    def __init__(self, server: PostgresStore) -> None:
        self._server = server
        self._psql = str(Path(server.program).with_name("psql"))

    def url(self) -> str:
        return f"postgres://ganglion@127.0.0.1:{self._server.address[1]}/postgres"

    def run(self, sql: str) -> str:
        done = subprocess.run(
            [self._psql, self.url(), "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-c", sql],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{sql}\n{done.stderr}"
        return done.stdout.strip()

    def journals(self) -> dict[str, list[dict[str, Any]]]:
        """Entry by entry, from the bytes that were written."""
        rows = self.run(
            "SELECT json_build_array(ganglion_audit.run_text(run), seq, (extract(epoch FROM at) * 1000)::bigint, type,"
            " step, item, attempt, encode(data, 'hex')) FROM ganglion_audit.journal ORDER BY run, seq"
        )
        journals: dict[str, list[dict[str, Any]]] = {}
        for line in rows.splitlines():
            run, seq, at, kind, step, item, attempt, data = json.loads(line)
            entry = {"seq": seq, "at": at, "type": kind, "step": step, "item": item, "attempt": attempt}
            journals.setdefault(run, []).append(entry | {"data": json.loads(bytes.fromhex(data))})
        return journals


def milliseconds(at: str) -> int:
    whole, fraction = at.removesuffix("Z").split(".")
    return int(time.mktime(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) - time.timezone) * 1000 + int(fraction)


def journal_of(server: Server, run: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        after = found[-1]["seq"] if found else 0
        page = persist(lambda after=after: call(server, f"/v1/runs/{run}/journal?after={after}&limit=200"))
        if not page["items"]:
            return found
        for event in page["items"]:
            entry = {name: event.get(name) for name in ("seq", "type", "step", "item", "attempt", "data")}
            found.append(entry | {"at": milliseconds(event["at"])})


def metric(server: Server, name: str) -> float:
    with urllib.request.urlopen(server.url + "/metrics", timeout=15) as answer:
        found = re.search(rf"^{name} (\S+)$", answer.read().decode(), re.MULTILINE)
    assert found, f"no {name} in /metrics"
    return float(found[1])


def await_condition(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + CONDITION_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.05)


def maltreat(server: Server, redis: StoreServer, postgres: StoreServer, dice: random.Random) -> None:
    """Each at least once, in some order, and the server while PostgreSQL is away."""
    victims = ["server", "redis", "postgres"]
    dice.shuffle(victims)
    for victim in [*victims, *(dice.choice(victims) for _ in range(KILLS - len(victims)))]:
        time.sleep(dice.uniform(0.2, 0.6))
        print(f"  {victim} is killed", flush=True)
        if victim == "server":
            server.kill()
            server.start()
        elif victim == "redis":
            redis.kill()
            redis.start()
        else:
            postgres.kill()
            time.sleep(dice.uniform(0.1, 0.5))
            server.kill()
            server.start()
            time.sleep(dice.uniform(0.1, 0.5))
            postgres.start()


def expect_equal(server: Server, database: Database, runs: list[str]) -> None:
    copied = database.journals()
    assert sorted(copied) == sorted(runs), f"{len(copied)} runs in the audit, {len(runs)} in the store"
    for run in runs:
        assert copied[run] == journal_of(server, run), f"the journal of run {run} is another one in the audit"
    records = json.loads(
        database.run(
            "SELECT json_object_agg(run, json_build_array(status, seq, ended_at IS NOT NULL))"
            " FROM ganglion_audit.audit_runs"
        )
    )
    for run in runs:
        assert records[run] == ["completed", len(copied[run]), True], f"run {run} is {records[run]} in the audit"


def guide_queries() -> list[str]:
    """What docs/operations/audit.md shows."""
    text = (ROOT / "docs/operations/audit.md").read_text()
    return re.findall(r"^```sql\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def audited(binary: Path, folder: Path, redis: RedisStore, postgres: PostgresStore, seed: int) -> None:
    database = Database(postgres)
    server = AuditedServer(binary, folder, PROJECT)
    server.store = redis.url("audited")

    # given some runs from before there was an audit
    with server:
        runs = [start_run(server, -number, seed) for number in range(1, 6)]
        runs.append(str(call(server, f"/v1/runs/{runs[0]}/fork", {"from_step": "nap"})["id"]))

    # when there is one, and everything is killed under load
    server.audit = database.url()
    server.start()
    try:
        audited_under_kills(server, redis, postgres, database, runs, seed)
    finally:
        if server.process is not None:
            server.process.kill()


def audited_under_kills(
    server: AuditedServer,
    redis: RedisStore,
    postgres: PostgresStore,
    database: Database,
    runs: list[str],
    seed: int,
) -> None:
    load = Load(server, seed)
    maltreat(server, redis, postgres, random.Random(seed))
    runs += load.finish()
    runs.append(str(persist(lambda: call(server, f"/v1/runs/{runs[9]}/fork", {"from_step": "last"}))["id"]))
    for run in runs:
        persist(lambda run=run: call(server, f"/v1/runs/{run}?wait=30s"))
    await_condition(lambda: metric(server, "ganglion_audit_backlog") == 0, "the audit to have everything")

    # then it has everything, now and after a graceful end
    expect_equal(server, database, runs)
    print(f"  {len(runs)} runs, {database.run('SELECT count(*) FROM ganglion_audit.audit')} rows", flush=True)
    runs.append(start_run(server, 0, seed))
    persist(lambda: call(server, f"/v1/runs/{runs[-1]}?wait=30s"))
    server.stop()
    assert len(database.journals()) == len(runs), "a server that ends copies what is left"
    server.check_log()
    for query in guide_queries():
        database.run(query)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ganglion", help="the binary (default: GANGLION_BINARY)")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    options = parser.parse_args()
    for kind in (RedisStore, PostgresStore):
        if not kind.is_installed():
            print(f"skipped: Debian package {kind.package} is not installed")
            return SKIPPED
    print(f"audit_test.py --seed {options.seed}", flush=True)
    redis, postgres = RedisStore(), PostgresStore()
    try:
        with tempfile.TemporaryDirectory(prefix="ganglion-audit-") as folder:
            audited(binary_from(options.ganglion), Path(folder), redis, postgres, options.seed)
    finally:
        redis.end()
        postgres.end()
    return 0


if __name__ == "__main__":
    sys.exit(main())
