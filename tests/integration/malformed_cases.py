"""The table of malformed_test.py: what is sent, and which answer is right."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

PROJECT = """\
ganglion: 1
agents:
  first: {kind: worker}
workflows:
  strict:
    input: {type: object, required: [name], properties: {name: {type: string}}}
    steps: {work: {agent: first, input: "${{ input }}"}}
    output: "${{ steps.work.output }}"
"""

RUN_ID = "0" * 26  # of no run
MIB = 1024 * 1024


@dataclass(frozen=True)
class Case:
    """`closes`: the connection can't go on after this, and must be closed with the one answer."""

    name: str
    raw: bytes
    status: int
    code: str = ""
    says: str = ""
    closes: bool = False


def framing(name: str, raw: bytes, status: int = 400, code: str = "malformed_request") -> Case:
    """A message whose end or meaning is in doubt. What follows it must not be taken for a second request."""
    return Case(name, raw, status, code, closes=True)


def with_headers(*headers: bytes, body: bytes = b"", line: bytes = b"POST /v1/runs HTTP/1.1") -> bytes:
    return b"\r\n".join([line, b"Host: localhost", b"Content-Type: application/json", *headers, b"", body])


def request(method: str, target: str, body: bytes = b"", *, type: str = "application/json", **headers: str) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost"]
    if type:
        lines.append(f"Content-Type: {type}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    lines += [f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


def post(name: str, target: str, body: bytes | Any, status: int, code: str = "", says: str = "") -> Case:
    encoded = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Case(name, request("POST", target, encoded), status, code, says)


def run_body(name: str, body: bytes | Any, status: int = 400, code: str = "", says: str = "") -> Case:
    return post(f"run: {name}", "/v1/runs", body, status, code, says)


def project(name: str, yaml: bytes | str, status: int = 422, code: str = "invalid", says: str = "") -> Case:
    encoded = yaml if isinstance(yaml, bytes) else yaml.encode()
    return Case(f"project: {name}", request("PUT", "/v1/project", encoded, type="text/yaml"), status, code, says)


#: A request that would be answered 200 if it were believed to be one.
SMUGGLED = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked"
GET = b"GET /healthz HTTP/1.1\r\n"

_FRAMING = [
    framing("random bytes", bytes(range(255, 127, -1)) * 8 + b"\r\n\r\n"),
    framing("NUL bytes", b"\0" * 64 + b"\r\n\r\n"),
    framing("a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x55" * 32 + b"\r\n\r\n"),
    framing("HTTP/0.9", b"GET /\r\n\r\n"),
    framing("no target", b"GET HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    framing("two spaces before the target", b"GET  /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    framing("a space in the target", b"GET /health z HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    framing("a byte above 127 in the target", b"GET /\xc3\xbc HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    framing("a lower-case protocol", b"GET /healthz http/1.1\r\nHost: localhost\r\n\r\n"),
    framing("HTTP/2 without TLS", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "version_not_supported"),
    framing("HTTP/1.9", b"GET /healthz HTTP/1.9\r\nHost: localhost\r\n\r\n", 505, "version_not_supported"),
    framing("a method with a control character", b"G\x01T /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    framing("no Host", GET + b"\r\n"),
    framing("two Hosts", GET + b"Host: localhost\r\nHost: localhost\r\n\r\n"),
    framing("a header without a colon", GET + b"Host: localhost\r\nnonsense\r\n\r\n"),
    framing("a header without a name", GET + b"Host: localhost\r\n: value\r\n\r\n"),
    framing("a space before a header's colon", GET + b"Host: localhost\r\nContent-Length : 0\r\n\r\n"),
    framing("a folded header", GET + b"Host: localhost\r\nX-A: b\r\n c\r\n\r\n"),
    framing("a NUL in a header", GET + b"Host: localhost\r\nX-A: b\0c\r\n\r\n"),
    framing("a bare CR in a header", GET + b"Host: localhost\r\nX-A: b\rX-B: c\r\n\r\n"),
    framing("lines that end with LF", b"GET /healthz HTTP/1.1\nHost: localhost\n\n"),
    framing("two equal lengths", with_headers(b"Content-Length: 2", b"Content-Length: 2", body=b"{}")),
    framing("two lengths", with_headers(b"Content-Length: 2", b"Content-Length: 50", body=b"{}" + SMUGGLED)),
    framing("a list of lengths", with_headers(b"Content-Length: 2, 2", body=b"{}")),
    framing("a negative length", with_headers(b"Content-Length: -2", body=b"{}" + SMUGGLED)),
    framing("a length with a sign", with_headers(b"Content-Length: +2", body=b"{}" + SMUGGLED)),
    framing("a hexadecimal length", with_headers(b"Content-Length: 0x2", body=b"{}" + SMUGGLED)),
    framing("an empty length", with_headers(b"Content-Length:", body=SMUGGLED)),
    framing("a length with a fraction", with_headers(b"Content-Length: 2.0", body=b"{}" + SMUGGLED)),
    framing("a length beyond 64 bits", with_headers(b"Content-Length: " + b"9" * 30), 413, "too_large"),
    framing("a length beyond the limit", with_headers(b"Content-Length: 8388609"), 413, "too_large"),
    framing("length and chunks", with_headers(b"Content-Length: 5", CHUNKED, body=b"0\r\n\r\n" + SMUGGLED)),
    framing("chunks and length", with_headers(CHUNKED, b"Content-Length: 50", body=b"0\r\n\r\n" + SMUGGLED)),
    framing("an unknown coding", with_headers(b"Transfer-Encoding: gzip", body=SMUGGLED)),
    framing("two codings", with_headers(b"Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n" + SMUGGLED)),
    framing("chunked twice", with_headers(b"Transfer-Encoding: chunked, chunked", body=b"0\r\n\r\n")),
    framing("two Transfer-Encodings", with_headers(CHUNKED, CHUNKED, body=b"0\r\n\r\n" + SMUGGLED)),
    framing("almost chunked", with_headers(b"Transfer-Encoding: xchunked", body=b"0\r\n\r\n" + SMUGGLED)),
    framing("chunked with a vertical tab", with_headers(b"Transfer-Encoding: \x0bchunked", body=b"0\r\n\r\n")),
    framing("chunks in HTTP/1.0", with_headers(CHUNKED, line=b"POST /v1/runs HTTP/1.0", body=b"0\r\n\r\n" + SMUGGLED)),
    framing("a chunk size that is no number", with_headers(CHUNKED, body=b"xyz\r\n{}\r\n0\r\n\r\n" + SMUGGLED)),
    framing("a negative chunk size", with_headers(CHUNKED, body=b"-2\r\n{}\r\n0\r\n\r\n" + SMUGGLED)),
    framing("a chunk size with 0x", with_headers(CHUNKED, body=b"0x2\r\n{}\r\n0\r\n\r\n" + SMUGGLED)),
    framing("a chunk size beyond 64 bits", with_headers(CHUNKED, body=b"F" * 17 + b"\r\n{}\r\n0\r\n\r\n")),
    framing("a chunk longer than its size", with_headers(CHUNKED, body=b"2\r\n{}{}\r\n0\r\n\r\n" + SMUGGLED)),
    framing("a chunk line that ends with LF", with_headers(CHUNKED, body=b"2\n{}\n0\n\n" + SMUGGLED)),
    framing("an endless chunk extension", with_headers(CHUNKED, body=b"2;" + b"a" * 40_000)),
    framing("trailers without end", with_headers(CHUNKED, body=b"0\r\n" + b"X-A: b\r\n" * 5_000)),
    framing(
        "chunks beyond the limit",
        with_headers(CHUNKED, body=b"100000\r\n" + b" " * MIB + (b"\r\n100000\r\n" + b" " * MIB) * 8),
        413,
        "too_large",
    ),
    framing(
        "a target of 9 KiB", b"GET /" + b"a" * 9216 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414, "target_too_long"
    ),
    framing("a request line without end", b"GET /" + b"a" * 20_000, 414, "target_too_long"),
    framing(
        "headers of 65 KiB", GET + b"Host: localhost\r\nX-A: " + b"a" * 66_560 + b"\r\n\r\n", 431, "headers_too_large"
    ),
    framing("300 headers", GET + b"Host: localhost\r\n" + b"X-A: b\r\n" * 300 + b"\r\n", 431, "headers_too_large"),
    framing(
        "an unknown expectation",
        with_headers(b"Expect: a-miracle", b"Content-Length: 2", body=b"{}"),
        417,
        "expectation_failed",
    ),
]

_REQUESTS = [
    Case("an unknown path", request("GET", "/v1/nothing", type=""), 404, "not_found"),
    Case("a path out of the root", request("GET", "/v1/../../etc/passwd", type=""), 404),
    Case("a malformed escape", request("GET", "/v1/runs/%zz", type=""), 400),
    Case("another method", request("DELETE", "/v1/runs", type=""), 405),
    Case("an unknown method", request("BREW", "/v1/runs", type=""), 405),
    Case("a foreign Host", request("GET", "/v1/runs", type="").replace(b"localhost", b"evil.example"), 403),
    Case("a foreign Origin", request("POST", "/v1/runs", b"{}", Origin="http://evil.example"), 403),
    Case("an opaque Origin", request("POST", "/v1/runs", b"{}", Origin="null"), 403),
    Case("no content type", request("POST", "/v1/runs", b"{}", type=""), 415),
    Case("a form", request("POST", "/v1/runs", b"workflow=strict", type="application/x-www-form-urlencoded"), 415),
    Case("plain text", request("POST", "/v1/runs", b"{}", type="text/plain"), 415),
    Case("a malformed content type", request("POST", "/v1/runs", b"{}", type=";;;"), 415),
    Case("a run id that is none", request("GET", "/v1/runs/nonsense", type=""), 404, "not_found"),
    Case("a run that is not there", request("GET", f"/v1/runs/{RUN_ID}", type=""), 404, "not_found"),
    Case("a NUL in a run id", request("GET", "/v1/runs/%00", type=""), 400),
    Case("the journal of no run", request("GET", "/v1/runs/nonsense/journal", type=""), 404, "not_found"),
    Case("a journal from -1", request("GET", f"/v1/runs/{RUN_ID}/journal?after=-1", type=""), 400),
    Case("a journal from beyond 64 bits", request("GET", f"/v1/runs/{RUN_ID}/journal?after={'9' * 30}", type=""), 400),
    Case("a limit of 0", request("GET", "/v1/runs?limit=0", type=""), 400),
    Case("a limit of 201", request("GET", "/v1/runs?limit=201", type=""), 400),
    Case("a limit that is no number", request("GET", "/v1/runs?limit=ten", type=""), 400),
    Case("an unknown status", request("GET", "/v1/runs?status=happy", type=""), 400),
    Case("a cursor that is none", request("GET", "/v1/runs?cursor=nonsense", type=""), 400),
    Case("a wait that is no duration", request("POST", "/v1/runs?wait=soon", b"{}"), 400),
    Case("a wait of a year", request("POST", "/v1/runs?wait=365d", b"{}"), 400),
    Case(
        "an endless idempotency key",
        request("POST", "/v1/runs", b'{"workflow":"strict","input":{"name":"a"}}', Idempotency_Key="k" * 300),
        400,
    ),
]

GOOD = '{"workflow":"strict","input":{"name":"a"}'

_JSON = [
    run_body("no body", b""),
    run_body("cut off", GOOD.encode()),
    run_body("two values", (GOOD + "}{}").encode()),
    run_body("a trailing comma", (GOOD + ",}").encode()),
    run_body("a comment", (GOOD + "/**/}").encode()),
    run_body("single quotes", b"{'workflow':'strict'}"),
    run_body("NaN", (GOOD + ',"priority":NaN}').encode()),
    run_body("a leading zero", (GOOD + ',"priority":01}').encode()),
    run_body("a raw control character", b'{"workflow":"str\x01ict"}'),
    run_body("bad UTF-8", b'{"workflow":"\xff\xfe"}'),
    run_body("overlong UTF-8", b'{"workflow":"\xc0\xaf"}'),
    run_body("UTF-16", GOOD.encode("utf-16")),
    run_body("a byte order mark", b"\xef\xbb\xbf" + GOOD.encode() + b"}"),
    run_body("half a surrogate pair", b'{"workflow":"\\ud800"}'),
    run_body("a name twice", b'{"workflow":"strict","workflow":"other"}'),
    run_body("a name twice, once escaped", b'{"workflow":"strict","workflo\\u0077":"other"}'),
    run_body("65 levels", b'{"workflow":"strict","input":' + b"[" * 65 + b"]" * 65 + b"}"),
    run_body("a million levels", b"[" * 1_000_000),
    run_body("a million levels of objects", b'{"a":' * 1_000_000),
    run_body("two million values", b"[" + b"1," * 2_000_000 + b"1]"),
    run_body("NUL bytes", b"\0" * 1000),
    run_body("an array", [], 422, "invalid"),
    run_body("a string", "strict", 422, "invalid"),
    run_body("null", None, 422, "invalid"),
    run_body("no workflow", {}, 422, "invalid", "/workflow"),
    run_body("a workflow that is a number", {"workflow": 7}, 422, "invalid", "/workflow"),
    run_body("an empty workflow", {"workflow": ""}, 422, "invalid", "/workflow"),
    run_body("an unknown workflow", {"workflow": "stritc", "input": {}}, 404, says="strict"),
    run_body("an unknown member", {"workflow": "strict", "inptu": {}}, 422, "invalid", "/inptu"),
    run_body("a priority that is a string", {"workflow": "strict", "priority": "high"}, 422, "invalid", "/priority"),
    run_body("a priority beyond 64 bits", {"workflow": "strict", "priority": 10**30}, 422, "invalid", "/priority"),
    run_body("a fractional priority", {"workflow": "strict", "priority": 1.5}, 422, "invalid", "/priority"),
    run_body("labels that are a list", {"workflow": "strict", "labels": ["a"]}, 422, "invalid", "/labels"),
    run_body("a label that is a number", {"workflow": "strict", "labels": {"a": 1}}, 422, "invalid", "/labels"),
    run_body("a session with a line feed", {"workflow": "strict", "session_id": "a\nb"}, 422, "invalid", "/session_id"),
    run_body("an input of a wrong type", {"workflow": "strict", "input": {"name": 7}}, 422, "invalid", "/input/name"),
    run_body("an input that lacks a field", {"workflow": "strict", "input": {}}, 422, "invalid", "/input"),
    run_body("an input of 2 MiB", {"workflow": "strict", "input": {"name": "a" * 2 * MIB}}, 413, "too_large"),
]

_TASKS = [
    post("poll: no agents", "/v1/tasks/poll", {"worker": "w"}, 422, "invalid", "/agents"),
    post("poll: an empty list", "/v1/tasks/poll", {"agents": [], "worker": "w"}, 422, "invalid", "/agents"),
    post("poll: agents as text", "/v1/tasks/poll", {"agents": "first", "worker": "w"}, 422, "invalid", "/agents"),
    post(
        "poll: an agent that is a number", "/v1/tasks/poll", {"agents": [1], "worker": "w"}, 422, "invalid", "/agents"
    ),
    post("poll: no worker", "/v1/tasks/poll", {"agents": ["first"]}, 422, "invalid", "/worker"),
    post(
        "poll: a maximum of 0", "/v1/tasks/poll", {"agents": ["first"], "worker": "w", "max": 0}, 422, "invalid", "/max"
    ),
    post(
        "poll: a maximum of 257",
        "/v1/tasks/poll",
        {"agents": ["first"], "worker": "w", "max": 257},
        422,
        "invalid",
        "/max",
    ),
    post(
        "poll: a wait of a day",
        "/v1/tasks/poll",
        {"agents": ["first"], "worker": "w", "wait": "1d"},
        422,
        "invalid",
        "/wait",
    ),
    post("complete: no results", "/v1/tasks/complete", {}, 422, "invalid", "/results"),
    post("complete: results that are an object", "/v1/tasks/complete", {"results": {}}, 422, "invalid", "/results"),
    post("complete: a result that is null", "/v1/tasks/complete", {"results": [None]}, 422, "invalid", "/results/0"),
    post("complete: no token", "/v1/tasks/complete", {"results": [{"output": 1}]}, 422, "invalid", "/results/0/token"),
    post("complete: a result that is a list", "/v1/tasks/complete", {"results": [[]]}, 422, "invalid", "/results/0"),
    post(
        "complete: a token that is a number",
        "/v1/tasks/complete",
        {"results": [{"token": 7, "output": 1}]},
        422,
        "invalid",
        "/results/0/token",
    ),
    post(
        "complete: 257 results",
        "/v1/tasks/complete",
        {"results": [{"token": "t", "output": 1}] * 257},
        422,
        "invalid",
        "/results",
    ),
    post("exchange: no worker", "/v1/tasks/exchange", {"results": [], "agents": ["first"]}, 422, "invalid", "/worker"),
    post("heartbeat: no token", "/v1/tasks/heartbeat", {}, 422, "invalid", "/token"),
    post(
        "heartbeat: progress as text",
        "/v1/tasks/heartbeat",
        {"token": "t", "progress": "half"},
        422,
        "invalid",
        "/progress",
    ),
]

#: Ten levels of ten references each: 10¹⁰ nodes if it were believed.
BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 11)
)
MINIMAL = "ganglion: 1\nagents: {a: {kind: worker}}\nworkflows: {w: {steps: {s: {agent: a}}}}\n"

_YAML = [
    project("empty", ""),
    project("a list", "[1, 2]"),
    project("text", "hello"),
    project("no version", MINIMAL.replace("ganglion: 1", "ganglion: 2")),
    project("an unclosed brace", "ganglion: 1\nagents: {a: {kind: worker}\n"),
    project("a tab", "ganglion: 1\nagents:\n\ta: {kind: worker}\n"),
    project("a key twice", MINIMAL + "agents: {}\n"),
    project("an unknown key", MINIMAL + "agnets: {}\n", says="agents"),
    project("an unknown agent", MINIMAL.replace("agent: a", "agent: b"), says="steps.s.agent: no agent"),
    project(
        "a cycle of steps", MINIMAL.replace("{s: {agent: a}}", "{s: {agent: a, needs: [t]}, t: {agent: a, needs: [s]}}")
    ),
    project("a malformed expression", MINIMAL.replace("agent: a}", 'agent: a, input: "${{ 1 + }}"}')),
    project("an alias to itself", "ganglion: 1\nagents: &a {b: *a}\n"),
    project("an unknown alias", "ganglion: 1\nagents: *nothing\n"),
    project("a bomb", BOMB + MINIMAL),
    project("a million levels", "a: " + "[" * 1_000_000),
    project("a hundred thousand levels of maps", "{a: " * 100_000),
    project("bad UTF-8", b"ganglion: 1\nagents: {\xff\xfe: {kind: worker}}\n"),
    project("NUL bytes", b"\0" * 1000),
    project("a tag that makes objects", "ganglion: !!python/object/apply:os.system [ls]\n"),
    project("two documents", MINIMAL + "---\n" + MINIMAL),
    project("beyond the limit", "# " + "x" * (7 * MIB), 413, "too_large"),
    Case("project: as JSON", request("PUT", "/v1/project", b"{}", type="application/json"), 415),
]

CASES = [*_FRAMING, *_REQUESTS, *_JSON, *_TASKS, *_YAML]

#: Cases that the server must end by its clock: they run beside the others.
SLOW = [
    framing("half a request line, then silence", b"GET /heal", 408, ""),
    framing("half the headers, then silence", GET + b"Host: localhost\r\nX-A: b", 408, ""),
]
