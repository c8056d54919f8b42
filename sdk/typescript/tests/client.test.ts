// The client against the real server: what is TypeScript's own. What all SDKs have in common: sdk/behaviours.

import assert from "node:assert/strict";
import { test } from "node:test";

import { hasEnded, ProblemError, RunNotFinished, type TopicEvent } from "../src/index.js";
import { clientOf, gate, kPatienceMs, Server } from "./harness.js";

test("waiting ends with the signal's reason when it is aborted", async (t) => {
  const client = clientOf(t, await Server.start(t));
  const run = await client.start("one", {});
  assert.equal(hasEnded(run), false);
  const stop = new AbortController();
  const waiting = client.wait(run.id, { signal: stop.signal });
  stop.abort(new RangeError("enough"));
  await assert.rejects(waiting, RangeError);
  await assert.rejects(client.wait(run.id, { timeoutMs: 50 }), RunNotFinished);
  await assert.rejects(client.wait(run.id, { timeoutMs: 0 }), RunNotFinished);
});

test("following ends without an error when it is aborted", async (t) => {
  const client = clientOf(t, await Server.start(t));
  const run = await client.start("one", {});
  const stop = new AbortController();
  const seqs: number[] = [];
  for await (const event of client.follow(run.id, { signal: stop.signal })) {
    seqs.push(event.seq);
    stop.abort();
  }
  assert.deepEqual(seqs, [1]);
});

test("a problem is printed with every field that is wrong", async (t) => {
  const client = clientOf(t, await Server.start(t));
  await assert.rejects(client.start("one", {}, { priority: 5000, labels: { x: "y" } }), (error) => {
    assert.ok(error instanceof ProblemError);
    assert.match(error.message, /^422 invalid: .*\n {2}\/priority: /s);
    assert.equal(error.temporary, false);
    return true;
  });
});

test("an id with odd letters is no other path", async (t) => {
  const client = clientOf(t, await Server.start(t));
  await assert.rejects(client.get("../project"), (error) => error instanceof ProblemError && error.status === 404);
});

test("a lost race in update is run again", async (t) => {
  const client = clientOf(t, await Server.start(t));
  const session = client.session("S");
  const count = (): Promise<unknown> => session.update<number>("case.count", (old = 0) => old + 1);
  await Promise.all([count(), count(), count(), count(), count()]);
  assert.equal((await session.get("case.count"))?.value, 5);
});

test("listening from now on begins with what is published next", async (t) => {
  const client = clientOf(t, await Server.start(t));
  await client.events.publish("file.seen", "before");
  const stop = new AbortController();
  const tail = client.events.tail<string>({ topic: "file.*", signal: stop.signal });
  const first = gate<TopicEvent<string>>();
  const done = (async () => {
    for await (const event of tail) {
      first.open(event);
      stop.abort();
    }
  })();
  // Until the listener listens: what comes before is not for it.
  let seen: TopicEvent<string> | undefined;
  void first.passed.then((event) => {
    seen = event;
  });
  for (let n = 0; !seen; ++n) await client.events.publish("file.seen", `after ${n}`);
  await done;
  assert.match(seen.data, /^after/);
});

test("several events are published in order, in one request", async (t) => {
  const client = clientOf(t, await Server.start(t));
  const results = await client.events.publishAll([
    { topic: "a", data: 1, time: new Date(0), subject: "s" },
    { topic: "b", data: 2 },
  ]);
  assert.equal(results.length, 2);
  const events: TopicEvent[] = [];
  for await (const event of client.events.list({ limit: 5 })) events.push(event);
  assert.deepEqual(
    events.map(({ type, data }) => [type, data]),
    [
      ["b", 2],
      ["a", 1],
    ],
  );
  assert.equal(events[1]?.time, "1970-01-01T00:00:00.000Z");
});

test("text is kept as a blob in UTF-8; what is too large isn't sent", async (t) => {
  const client = clientOf(t, await Server.start(t));
  const ref = await client.blobs.put("ä🦉");
  assert.equal((await client.blobs.get(ref)).toString("utf8"), "ä🦉");
  await assert.rejects(client.blobs.put(new Uint8Array(64 * 1024 * 1024 + 1)), RangeError);
  await assert.rejects(client.blobs.get({ $ref: "sha256:short" }), TypeError);
});

test("a client that is closed lets the program end", async (t) => {
  const server = await Server.start(t);
  const client = clientOf(t, server);
  await client.start("instant", 1, { waitMs: kPatienceMs });
  client.close();
  assert.equal(process.getActiveResourcesInfo().filter((kind) => kind === "TCPSocketWrap").length, 0);
});
