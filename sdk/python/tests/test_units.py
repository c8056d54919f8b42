"""What needs no server: parameters, event streams, results in waiting, addresses."""

from __future__ import annotations

import inspect
import json
import re
from typing import Any

import pytest

from ganglion import AsyncClient, Client, Fail, ProblemError, Retry, ServerUnavailable, Task, Worker, ref
from ganglion._agent import Agent, Outcome, failure_of
from ganglion._api.runs import follow
from ganglion._api.table import Calls
from ganglion._backoff import Backoff
from ganglion._http import Endpoint, Response, parse_head, problem_of
from ganglion._idle import seconds_of
from ganglion._outbox import MAX_BATCH, MAX_BATCH_BYTES, Outbox
from ganglion._sse import EventStreamParser, ServerSentEvent


def task(value: Any) -> Task:
    return Task({"token": "t", "agent": "a", "input": value})


def call(function: Any, value: Any) -> bytes:
    """The fields of the result, but for the time, which is checked here."""
    fields, number = re.subn(rb',"work_ms":\d+', b"", Agent("a", function).run(task(value)).fields)
    assert number == 1
    return fields


def test_fields_fill_parameters_and_a_task_parameter_gets_the_task() -> None:
    def by_annotation(t: Task, x: int, y: int = 2) -> Any:
        return [t.token, x, y]

    assert call(by_annotation, {"x": 1, "unused": 0}) == b'"output":["t",1,2]'
    assert call(lambda task: task.input, [1]) == b'"output":[1]'
    assert call(lambda **rest: rest, {"x": 1}) == b'"output":{"x":1}'
    assert call(lambda: None, "any input") == b'"output":null'


def test_a_parameter_named_task_with_another_annotation_is_a_field() -> None:
    def by_field(task: str) -> str:
        return task

    assert call(by_field, {"task": "wash"}) == b'"output":"wash"'


@pytest.mark.parametrize("value", [None, [], "x", {"y": 1}], ids=["null", "list", "string", "other"])
def test_an_input_that_does_not_fit_is_not_retried(value: Any) -> None:
    fields = call(lambda x: x, value)
    assert b'"code":"invalid_input"' in fields
    assert b'"retryable":false' in fields


def test_parameters_that_no_field_can_fill_are_refused_at_once() -> None:
    def positional(x: int, /) -> None: ...

    def variable(*x: int) -> None: ...

    for function in (positional, variable):
        with pytest.raises(TypeError, match="cannot be passed by name"):
            Worker().agent("a")(function)


def test_an_agent_name_is_used_once() -> None:
    worker = Worker()
    worker.agent("a")(lambda: None)
    with pytest.raises(ValueError, match="twice"):
        worker.agent("a", concurrency=2)(lambda: None)


@pytest.mark.parametrize("concurrency", [0, -1, 10_001])
def test_concurrency_has_bounds(concurrency: int) -> None:
    with pytest.raises(ValueError, match="concurrency"):
        Worker(concurrency=concurrency)


def test_exceptions_say_whether_another_attempt_makes_sense() -> None:
    assert b'"retryable":false' in failure_of(Fail("code", "m"), task(None)).fields
    assert b'"retryable":true' in failure_of(Retry("m"), task(None)).fields
    assert b'"code":"exception"' in failure_of(KeyError("k"), task(None)).fields
    assert b'"code":"a?"' in failure_of(Fail("a\udc80", "\udc80"), task(None)).fields
    assert b'"code":"failed"' in failure_of(Fail("", ""), task(None)).fields


def test_usage_adds_up_and_refuses_nonsense() -> None:
    def uses(task: Task) -> None:
        task.usage(usd=0.25)
        task.usage(usd=0.5)

    assert call(uses, None) == b'"output":null,"usage":{"usd":0.75}'
    for amount in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="usage"):
            task(None).usage(tokens=amount)


def test_events_and_state_go_with_a_success_only_and_usage_with_both() -> None:
    def works(task: Task, fail: bool) -> str:
        task.usage(tokens=3)
        task.publish("order.paid", {"n": 1})
        task.publish("order.paid", None, version=2)
        task.set_state("case.status", "open")
        task.set_state("case.status", "paid")
        task.set_state("scratch.x", None)
        if fail:
            raise Retry("not yet")
        return "done"

    assert json.loads(b"{" + call(works, {"fail": False}) + b"}") == {
        "output": "done",
        "usage": {"tokens": 3},
        "events": [{"topic": "order.paid", "data": {"n": 1}}, {"topic": "order.paid", "data": None, "version": 2}],
        "state": {"case.status": "paid", "scratch.x": None},
    }
    failed = json.loads(b"{" + call(works, {"fail": True}) + b"}")
    assert failed == {"error": {"code": "retry", "message": "not yet", "retryable": True}, "usage": {"tokens": 3}}


def test_what_is_published_must_be_json() -> None:
    assert b"published or wrote" in call(lambda task: task.publish("t", {1, 2}), None)
    assert b'"code":"invalid_output"' in call(lambda task: task.set_state("k", float("nan")), None)


def test_a_task_says_iteration_and_version_of_the_state() -> None:
    full = Task({"token": "t", "agent": "a", "iteration": 2, "session_id": "s", "state_version": 7})
    assert (full.iteration, full.session_id, full.state_version) == (2, "s", 7)
    assert (task(None).iteration, task(None).state_version) == (None, None)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("1m30s", 90), ("500ms", 0.5), ("2h", 7200), ("1d", 86400), ("", None), (None, None)],
)
def test_durations_are_read(text: str | None, seconds: float | None) -> None:
    assert seconds_of(text) == seconds


def test_a_reference_is_made_of_content_or_digest() -> None:
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert ref(b"") == ref(empty) == ref(f"sha256:{empty}") == {"$ref": f"sha256:{empty}"}
    for nonsense in ("sha256:", "md5:abc", empty.upper()):
        with pytest.raises(ValueError, match="digest"):
            ref(nonsense)


def test_both_clients_have_every_call_with_its_documentation() -> None:
    calls = [name for name in vars(Calls) if not name.startswith("_")]
    assert len(calls) > 30
    with Client("http://127.0.0.1:9") as client:
        other = AsyncClient("http://127.0.0.1:9")
        for name in calls:
            assert getattr(Client, name).__doc__ and inspect.signature(getattr(Client, name)).parameters is not None
            assert callable(getattr(client, name)) and callable(getattr(other, name))


def test_event_streams_may_be_cut_anywhere() -> None:
    stream = b': hello\r\nid: 7\r\ndata: {"a":\ndata: 1}\n\nevent: end\ndata:x\n\n\n'
    expected = [ServerSentEvent("message", '{"a":\n1}', "7"), ServerSentEvent("end", "x", "7")]
    for size in range(1, len(stream) + 1):
        parser = EventStreamParser()
        pieces = [stream[start : start + size] for start in range(0, len(stream), size)]
        assert [event for piece in pieces for event in parser.feed(piece)] == expected


def test_following_drops_repetitions_and_gives_up_only_without_progress() -> None:
    following = follow("r", after=2)
    following.opened()
    seen = [e.seq for e in following.feed(b'data: {"seq":2}\n\ndata: {"seq":3}\n\ndata: {"seq":3}\n\n')]
    assert seen == [3]
    for _ in range(11):
        assert not following.gives_up(ServerUnavailable())
        following.pause()
    assert following.gives_up(ServerUnavailable())
    assert follow("r").gives_up(ProblemError(404, "not_found", ""))


def test_results_stay_until_they_are_settled_and_batches_are_bounded() -> None:
    outbox = Outbox()
    for n in range(MAX_BATCH + 1):
        outbox.put(f"{n}", "a", b'"t"', Outcome(True, b"1"))
    first = outbox.batch()
    assert len(first) == MAX_BATCH
    assert outbox.batch() == first
    outbox.settle(first)
    assert [result.token for result in outbox.batch()] == [f"{MAX_BATCH}"]


def test_a_batch_is_bounded_in_bytes_but_never_empty() -> None:
    outbox = Outbox()
    for n in range(3):
        outbox.put(f"{n}", "a", b'"t"', Outcome(True, b"x" * (MAX_BATCH_BYTES + 1)))
    assert len(outbox.batch()) == 1


def test_the_first_result_of_a_token_wins() -> None:
    outbox = Outbox()
    outbox.put("t", "a", b'"t"', Outcome(True, b"1"))
    outbox.put("t", "a", b'"t"', Outcome(True, b"2"))
    assert outbox.batch()[0].body == b'{"token":"t","output":1}'


def test_pauses_grow_to_a_limit_and_honour_the_server() -> None:
    backoff = Backoff()
    pauses = [backoff.next() for _ in range(20)]
    assert 0.05 <= pauses[0] <= 0.1
    assert all(2.5 <= pause <= 5.0 for pause in pauses[-5:])
    assert backoff.next(at_least=30) == 30
    assert backoff.next(at_least=10_000) == 60


def test_addresses_come_from_arguments_then_environment_then_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GANGLION_SERVER", raising=False)
    assert Endpoint.resolve().authority == "127.0.0.1:7420"
    monkeypatch.setenv("GANGLION_SERVER", "https://example.org/prefix/")
    endpoint = Endpoint.resolve()
    assert (endpoint.authority, endpoint.tls, endpoint.prefix) == ("example.org:443", True, "/prefix")
    assert Endpoint.resolve("localhost:1").authority == "localhost:1"
    assert Endpoint.resolve("http://[::1]:5").authority == "[::1]:5"
    for url in ("ftp://x", "http://"):
        with pytest.raises(ValueError, match="URL"):
            Endpoint.resolve(url)


def test_a_token_is_sent_but_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANGLION_TOKEN", "s3cret")
    endpoint = Endpoint.resolve()
    assert endpoint.headers()["Authorization"] == "Bearer s3cret"
    assert "s3cret" not in repr(endpoint)
    with pytest.raises(ValueError, match="token"):
        Endpoint.resolve(token="two\r\nlines")


def test_any_error_page_is_a_problem() -> None:
    problem = problem_of(Response(422, {}, b'{"code":"invalid","errors":[{"path":"/a","message":"no"}]}'))
    assert (problem.code, problem.errors[0].path) == ("invalid", "/a")
    page = problem_of(Response(503, {"retry-after": "2"}, b"<html>"))
    assert (page.code, page.retry_after, page.temporary) == ("http_503", 2.0, True)
    with pytest.raises(ProblemError):
        Response(200, {}, b"{").json()


@pytest.mark.parametrize("head", [b"SMTP\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\nbad\r\n\r\n"])
def test_an_answer_that_is_not_http_is_an_error(head: bytes) -> None:
    with pytest.raises(ValueError):
        parse_head(head)
