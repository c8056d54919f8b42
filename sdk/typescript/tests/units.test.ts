// The parts that need no server.

import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";

import { failure, failureOf, success } from "../src/agent.js";
import { Backoff } from "../src/backoff.js";
import { parseDuration } from "../src/durations.js";
import { Endpoint } from "../src/endpoint.js";
import { Fail, isBlobRef, Retry, Worker } from "../src/index.js";
import { encodeJson } from "../src/json.js";
import { Outbox } from "../src/outbox.js";
import { EventStreamParser } from "../src/sse.js";
import { Effects, Task } from "../src/task.js";

function taskWith(effects: Effects, wire: object = {}): Task {
  return new Task({ token: "t", agent: "a", ...wire }, effects, new AbortController().signal);
}

test("an event stream may be cut anywhere, also within a character", () => {
  const stream = Buffer.from(": comment\r\n\r\nid: 7\r\nevent: x\ndata: ä🦉\ndata:two\n\ndata\n\nid: 8\n\n");
  for (let size = 1; size < 9; ++size) {
    const parser = new EventStreamParser();
    const events = [];
    for (let at = 0; at < stream.length; at += size) events.push(...parser.feed(stream.subarray(at, at + size)));
    assert.deepEqual(events, [
      { event: "x", data: "ä🦉\ntwo", id: "7" },
      { event: "message", data: "", id: "7" },
    ]);
  }
});

test("an event without an end is refused", () => {
  const parser = new EventStreamParser();
  const piece = Buffer.alloc(1024 * 1024, "x");
  assert.throws(() => {
    for (let i = 0; i < 20; ++i) parser.feed(piece);
  }, RangeError);
});

test("what JSON cannot say is refused, not changed", () => {
  for (const bad of [NaN, [Infinity], { f() {} }, Symbol("s"), 10n, "\ud800", { "\udfff": 1 }]) {
    assert.throws(() => encodeJson(bad), TypeError, inspect(bad));
  }
  const cycle: Record<string, unknown> = {};
  cycle["self"] = cycle;
  assert.throws(() => encodeJson(cycle), TypeError);
  assert.equal(
    encodeJson({ a: undefined, b: [undefined], c: new Date(0) }),
    '{"b":[null],"c":"1970-01-01T00:00:00.000Z"}',
  );
  assert.equal(encodeJson(undefined), "null");
  assert.equal(encodeJson("🦉 \\ud800"), '"🦉 \\\\ud800"');
});

test("a result carries output, events, state, usage and time", () => {
  const effects = new Effects();
  const task = taskWith(effects);
  const data = { n: 1 };
  task.publish("file.seen", data, { version: 2 });
  data.n = 2;
  task.setState("case.status", "open");
  task.setState("case.status", null);
  task.usage({ input_tokens: 1, usd: 0.5 });
  task.usage({ input_tokens: 2 });
  const outcome = success([1], "a", effects, 12.4);
  assert.equal(outcome.ok, true);
  assert.deepEqual(JSON.parse(`{${outcome.fields}}`), {
    output: [1],
    events: [{ topic: "file.seen", data: { n: 1 }, version: 2 }],
    state: { "case.status": null },
    usage: { input_tokens: 3, usd: 0.5 },
    work_ms: 12,
  });
});

test("a failure carries usage, and no events and no state", () => {
  const effects = new Effects();
  const task = taskWith(effects);
  task.publish("file.seen", 1);
  task.setState("case.status", "open");
  task.usage({ usd: 1 });
  assert.deepEqual(JSON.parse(`{${failureOf(new Retry("later", { code: "busy" }), effects, 3).fields}}`), {
    error: { code: "busy", message: "later", retryable: true },
    usage: { usd: 1 },
    work_ms: 3,
  });
});

test("how an attempt ends decides on retryable", () => {
  const errorOf = (thrown: unknown): unknown => JSON.parse(`{${failureOf(thrown, new Effects(), 0).fields}}`).error;
  assert.deepEqual(errorOf(new Fail("gone", "no")), { code: "gone", message: "no", retryable: false });
  assert.deepEqual(errorOf(new RangeError("far")), { code: "exception", message: "RangeError: far", retryable: true });
  assert.deepEqual(errorOf("text"), { code: "exception", message: "text", retryable: true });
  assert.deepEqual(errorOf(undefined), { code: "exception", message: "undefined", retryable: true });
  const bad = success({ f: () => 1 }, "a", new Effects(), 0);
  assert.equal(JSON.parse(`{${bad.fields}}`).error.code, "invalid_output");
});

test("messages are cut between characters and have no lone surrogates", () => {
  const { error } = JSON.parse(`{${failure("c".repeat(100), `\ud800${"🦉".repeat(5000)}`, true).fields}}`);
  assert.equal(error.code.length, 64);
  assert.equal(Array.from(error.message as string).length, 4000);
  assert.match(error.message, /^\ufffd(🦉)+$/u);
});

test("usage and progress that are no amounts are refused and change nothing", () => {
  const effects = new Effects();
  const task = taskWith(effects);
  for (const bad of [-1, NaN, Infinity]) assert.throws(() => task.usage({ good: 1, bad }), RangeError);
  assert.deepEqual(effects.usage, {});
  assert.throws(() => task.progress(NaN), RangeError);
  task.progress(7);
  assert.equal(effects.progress?.fraction, 1);
});

test("the outbox keeps what has no verdict, once, in order and in batches", () => {
  const outbox = new Outbox();
  for (let i = 0; i < 300; ++i) outbox.put(`t${i}`, "a", { ok: true, fields: '"output":1' });
  outbox.put("t0", "a", { ok: true, fields: '"output":2' });
  const first = outbox.batch();
  assert.equal(first.length, 256);
  assert.equal(first[0]?.body, '{"token":"t0","output":1}');
  assert.deepEqual(outbox.batch(), first);
  outbox.sendOneByOne();
  assert.equal(outbox.batch().length, 1);
  outbox.settle(first);
  assert.equal(outbox.batch().length, 44);
  assert.equal(outbox.has("t255"), false);
});

test("a batch ends before it is too long, unless one result alone is", () => {
  const outbox = new Outbox();
  const long = { ok: true, fields: `"output":"${"x".repeat(3 * 1024 * 1024)}"` };
  outbox.put("a", "a", long);
  outbox.put("b", "a", long);
  assert.equal(outbox.batch().length, 1);
});

test("pauses grow to five seconds, and to what the server asks for", () => {
  const backoff = new Backoff();
  const pauses = Array.from({ length: 12 }, () => backoff.next());
  assert.ok((pauses[0] ?? 0) >= 50 && (pauses[0] ?? 0) <= 100);
  assert.ok((pauses[11] ?? 0) >= 2_500 && (pauses[11] ?? 0) <= 5_000);
  assert.equal(backoff.next(30_000), 30_000);
  assert.equal(backoff.next(3_600_000), 60_000);
  backoff.reset();
  assert.ok(backoff.next() <= 100);
});

test("durations of the API", () => {
  assert.deepEqual(["200ms", "30s", "15m", "24h", "7d", "x", "5", null].map(parseDuration), [
    200,
    30_000,
    900_000,
    86_400_000,
    604_800_000,
    undefined,
    undefined,
    undefined,
  ]);
});

test("a server's address", () => {
  const address = (text: string): unknown[] => {
    const { host, port, tls, prefix, authority } = new Endpoint(text);
    return [host, port, tls, prefix, authority];
  };
  assert.deepEqual(address("http://[::1]:7420/"), ["::1", 7420, false, "", "[::1]:7420"]);
  assert.deepEqual(address("https://example.com/ganglion/"), [
    "example.com",
    443,
    true,
    "/ganglion",
    "example.com:443",
  ]);
  assert.deepEqual(address("localhost:80"), ["localhost", 80, false, "", "localhost:80"]);
  for (const bad of ["ftp://x", "http://", "http://a b"]) assert.throws(() => new Endpoint(bad), TypeError, bad);
  assert.throws(() => new Endpoint("http://x", "to\nken"), TypeError);
});

test("a token is never printed", () => {
  const endpoint = new Endpoint("http://x", "secret-token");
  assert.equal(endpoint.headers()["Authorization"], "Bearer secret-token");
  assert.ok(!inspect(endpoint, { depth: 9, showHidden: true }).includes("secret-token"));
  assert.ok(!JSON.stringify(endpoint).includes("secret-token"));
});

test("agents are defined once, and at most 64 share a concurrency", () => {
  const worker = new Worker({ server: "http://127.0.0.1:1" });
  worker.agent("a", () => 1);
  assert.throws(() => worker.agent("a", () => 1, { concurrency: 2 }), TypeError);
  for (let i = 1; i < 64; ++i) worker.agent(`a${i}`, () => 1);
  assert.throws(() => worker.agent("b", () => 1), TypeError);
  worker.agent("b", () => 1, { concurrency: 1 });
  for (const bad of [0, 1.5, 10_001, NaN])
    assert.throws(() => worker.agent("c", () => 1, { concurrency: bad }), RangeError);
});

test("a worker without agents is an error", async () => {
  await assert.rejects(new Worker({ server: "http://127.0.0.1:1" }).work(), TypeError);
});

test("references to blobs", () => {
  assert.ok(isBlobRef({ $ref: `sha256:${"0a".repeat(32)}` }));
  for (const no of [null, {}, { $ref: "sha256:0" }, { $ref: 1 }, "sha256:"]) assert.ok(!isBlobRef(no));
});
