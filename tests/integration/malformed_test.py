#!/usr/bin/env python3
"""Malformed HTTP, JSON and YAML against the real server, over raw sockets.

Each case must get one answer: a problem+json with the right status and a code. Then the server must answer a good
request.
Standard library only; GANGLION_BINARY or --ganglion names the binary.
"""

from __future__ import annotations

import argparse
import json
import re
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from malformed_cases import CASES, PROJECT, SLOW, Case
from serving import Server, binary_from

ANSWER_SECONDS = 30.0
MAX_ANSWER = 1 << 20


class Answer:
    """What came back on one connection, up to its end or to the end of the first answer."""

    def __init__(self, received: bytes) -> None:
        head, self._separator, rest = received.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        found = re.fullmatch(r"HTTP/1\.1 (\d{3}) .*", lines[0])
        self.status = int(found[1]) if found else 0
        self.headers: Mapping[str, str] = {
            name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])
        }
        length = int(self.headers.get("content-length", "0"))
        self.body, self.rest = rest[:length], rest[length:]

    @property
    def whole(self) -> bool:
        return bool(self._separator) and len(self.body) == int(self.headers.get("content-length", "0"))


def exchange(port: int, raw: bytes, *, until_closed: bool) -> bytes:
    """Sends `raw` and receives; a server may answer and close before it has read everything."""
    with socket.create_connection(("127.0.0.1", port), timeout=ANSWER_SECONDS) as connection:
        sender = threading.Thread(target=_send, args=(connection, raw), daemon=True)
        sender.start()
        received = b""
        while len(received) < MAX_ANSWER:
            try:
                part = connection.recv(65536)
            except ConnectionResetError:
                break
            if not part:
                break
            received += part
            if not until_closed and Answer(received).whole:
                break
        connection.close()
        sender.join()
        return received


def _send(connection: socket.socket, raw: bytes) -> None:
    try:
        connection.sendall(raw)
    except OSError:
        return  # it was answered and closed before it was read; the answer is what counts


def complaints_about(case: Case, received: bytes) -> list[str]:
    """Everything that is wrong with an answer."""
    answer = Answer(received)
    if not answer.whole:
        return [f"no whole answer: {received[:200]!r}"]
    found = []
    if answer.status != case.status:
        found.append(f"status {answer.status}, not {case.status}")
    if answer.headers.get("content-type") != "application/problem+json":
        found.append(f"content type {answer.headers.get('content-type')!r}")
    if answer.rest:
        found.append(f"more than one answer: {answer.rest[:100]!r}")
    try:
        problem: Any = json.loads(answer.body)
    except ValueError:
        return [*found, f"not JSON: {answer.body[:200]!r}"]
    for member in ("type", "title", "detail", "code"):
        if not isinstance(problem.get(member), str) or not problem[member]:
            found.append(f"no {member}")
    if problem.get("status") != answer.status:
        found.append(f"the body says {problem.get('status')}")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", str(problem.get("code"))):
        found.append(f"code {problem.get('code')!r} is not machine-readable")
    if case.code and problem.get("code") != case.code:
        found.append(f"code {problem.get('code')!r}, not {case.code!r}")
    if case.says and case.says not in json.dumps(problem):
        found.append(f"does not say {case.says!r}: {problem}")
    if answer.status == 422 and not problem.get("errors"):
        found.append("422 without errors")
    return found


def check_alive(server: Server) -> list[str]:
    if server.process is None or server.process.poll() is not None:
        return ["the server has ended"]
    request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    answer = Answer(exchange(server.port, request, until_closed=True))
    return [] if answer.status == 200 else [f"the server answers a good request with {answer.status}"]


def run_case(server: Server, case: Case) -> list[str]:
    try:
        received = exchange(server.port, case.raw, until_closed=case.closes)
    except OSError as error:
        return [f"no answer: {error}"]
    return complaints_about(case, received) + check_alive(server)


def run_slow_case(server: Server, case: Case, found: dict[str, list[str]]) -> None:
    """Part of a request, then nothing: the server must end it by itself."""
    began = time.monotonic()
    try:
        received = exchange(server.port, case.raw, until_closed=True)
    except OSError as error:
        found[case.name] = [f"no answer: {error}"]
        return
    found[case.name] = complaints_about(case, received)
    if time.monotonic() - began < 5:
        found[case.name].append("was not given the time that a slow client may take")


def run_all(server: Server) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    slow = [threading.Thread(target=run_slow_case, args=(server, case, found)) for case in SLOW]
    for thread in slow:
        thread.start()
    for case in CASES:
        found[case.name] = run_case(server, case)
        if server.process is None or server.process.poll() is not None:
            print(server.log_tail(), file=sys.stderr)
            break
    for thread in slow:
        thread.join()
    return found


def check_the_check() -> None:
    """The complaints must come where an answer is wrong."""
    case = Case("", b"", 400, code="malformed_request")
    body = b'{"type":"t","title":"t","status":400,"detail":"d","code":"malformed_request"}'
    head = b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/problem+json\r\nContent-Length: %d\r\n\r\n" % len(
        body
    )
    assert complaints_about(case, head + body) == []
    wrong = (
        b"",
        head,
        head + body + head + body,
        head.replace(b"400", b"200") + body,
        head.replace(b"problem+", b"") + body,
    )
    for received in (
        *wrong,
        head + body.replace(b'"t"', b'""'),
        head + body.replace(b"malformed_request", b"other_code_______"),
    ):
        assert complaints_about(case, received), received


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ganglion", help="the binary (default: $GANGLION_BINARY)")
    options = parser.parse_args()
    check_the_check()
    names = [case.name for case in (*CASES, *SLOW)]
    assert len(set(names)) == len(names) >= 60
    with (
        tempfile.TemporaryDirectory(prefix="ganglion-malformed-") as folder,
        Server(binary_from(options.ganglion), Path(folder), PROJECT) as server,
    ):
        found = run_all(server)
    failed = {name: complaints for name, complaints in found.items() if complaints}
    missing = [name for name in names if name not in found]
    for name, complaints in failed.items():
        print(f"FAILED {name}: {'; '.join(complaints)}")
    for name in missing:
        print(f"NOT RUN {name}")
    print(f"{len(found) - len(failed)} of {len(names)} malformed requests were answered clearly")
    return 1 if failed or missing else 0


if __name__ == "__main__":
    sys.exit(main())
