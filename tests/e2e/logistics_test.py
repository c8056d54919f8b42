"""The logistics example end to end: the real binary, real workers, and workers that die."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "logistics"
#: For one script; a sanitizer build on two busy processors needs most of it.
TIMEOUT = 240


def call(script: str, out: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(EXAMPLE / script), "--out", str(out), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)


def documents(folder: Path) -> dict[str, Any]:
    found = [json.loads(path.read_bytes()) for path in folder.glob("*.json")]
    assert len({document["shipment"] for document in found}) == len(found)
    return {document["shipment"]: document for document in found}


def test_every_order_has_its_outcome_and_every_dispatch_its_document(tmp_path: Path) -> None:
    out = tmp_path / "out with space"
    ended = call("run", out)
    assert ended.returncode == 0, ended.stderr + ended.stdout
    outcomes = {outcome["shipment"]: outcome for outcome in json.loads((out / "output.json").read_bytes())}
    assert {shipment: outcome["status"] for shipment, outcome in outcomes.items()} == {
        **{f"S-10{number:02}": "dispatched" for number in (1, 2, 3, 4, 5, 6, 9, 10)},
        "S-1007": "held",
        "S-1008": "out_of_stock",
        "S-1011": "held",
        "S-1012": "held",
    }
    corrections = {fix["field"]: fix["to"] for fix in outcomes["S-1001"]["corrections"]}
    assert corrections == {"country": "NL", "postcode": "1012 AB", "city": "Amsterdam"}
    assert outcomes["S-1007"]["problems"] == [{"field": "city", "message": "20123 is Milano, not Roma"}]
    assert outcomes["S-1008"]["missing"] == [{"sku": "FLT-HEP", "short": 4}]
    assert outcomes["S-1011"]["problems"][0]["field"] == "lines[0].quantity"
    found = documents(out / "dispatch")
    assert found.keys() == {shipment for shipment, outcome in outcomes.items() if outcome["status"] == "dispatched"}
    assert found["S-1005"]["to"] == ["P. Shaw", "4 Deansgate", "MANCHESTER", "M1 1AA", "GB"]
    batteries = found["S-1002"]["parcels"]
    assert not any(leg["mode"] == "air" for parcel in batteries for leg in parcel["route"]["legs"])


def test_a_load_hands_off_exactly_once_while_workers_are_killed(tmp_path: Path) -> None:
    ended = call("load", tmp_path / "out", "--shipments", "80", "--in-flight", "16", "--kill", "2")
    assert ended.returncode == 0, ended.stderr + ended.stdout
    assert "every hand-off happened exactly once" in ended.stdout
    assert re.search(r"^80 shipments in .*: \d+ shipments/s \(.*\d+ dispatched.*\)$", ended.stdout, re.M), ended.stdout
    assert re.search(r"^  p99 +\d+\.\d ms$", ended.stdout, re.M), ended.stdout
    assert "2 worker processes killed" in ended.stdout
    log = (tmp_path / "out" / "server.log").read_text("utf-8")
    assert "ERROR: " not in log, log[-4000:]
