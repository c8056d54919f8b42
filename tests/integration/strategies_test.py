#!/usr/bin/env python3
"""`ganglion bench --strategy` over a real Redis: every run counts, and none is lost when a coordinator is killed."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from serving import binary_from
from store_servers import RedisStore

SKIPPED = 77
CLIENTS = 6
IN_FLIGHT = 30
SHORT = ["--clients", str(CLIENTS), "--duration", "500ms", "--warmup", "100ms", "--in-flight", str(IN_FLIGHT)]
#: Of a workload: what a run takes.
TASKS = 3


def check(row: dict[str, Any], coordinators: int) -> None:
    assert row["coordinators"] == coordinators
    assert row["failed"] == row["unfinished"] == 0 < row["runs"] <= row["completed"], row
    assert abs(row["steps"] - row["runs"] * TASKS) <= CLIENTS * TASKS, row
    assert len(row["server"]["peaks_mib"]) == coordinators and min(row["server"]["peaks_mib"]) > 5, row
    if coordinators == 1:
        assert "recovery" not in row
        return
    found = row["recovery"]
    assert found["acknowledged"] >= found["in_flight"] >= IN_FLIGHT, found
    assert found["lost"] == found["failed"] == 0, found
    assert found["noticed_ms"] > 0 and found["going_on_ms"] > 0, found


def main() -> int:
    if not RedisStore.is_installed():
        print(f"skipped: no {RedisStore.package}")
        return SKIPPED
    binary = binary_from(None)
    redis = RedisStore()
    try:
        with tempfile.TemporaryDirectory(prefix="ganglion-strategies-") as name:
            store = redis.url("none").partition("?")[0]
            where = ["--store", store, "--folder", name, "--strategy", "hierarchical,swarm", "--coordinators", "1,2"]
            command = [str(binary), "bench", *where, *SHORT, "--json"]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            found = json.loads(done.stdout)
            assert not list(Path(name).iterdir()), "a folder is left behind"
    finally:
        redis.end()
    assert found["strategy"] == "hierarchical,swarm" and found["bus"] == found["store"] == "redis"
    rows = found["rows"]
    expected = [(strategy, coordinators) for strategy in ("hierarchical", "swarm") for coordinators in (1, 2)]
    assert [(row["strategy"], row["coordinators"]) for row in rows] == expected
    for row in rows:
        check(row, row["coordinators"])
        print(row["strategy"], row["coordinators"], row["workload"], row.get("recovery", ""))
    return 0


if __name__ == "__main__":
    sys.exit(main())
