// Workers against the real server: what is TypeScript's own. What all SDKs have in common: sdk/behaviours.

import assert from "node:assert/strict";
import { test } from "node:test";

import { type Logger, ProblemError, TaskCancelled, Worker } from "../src/index.js";
import { clientOf, gate, kPatienceMs, ProgramProcess, Server, workerOf } from "./harness.js";

const kWaitMs = kPatienceMs;

test("a sync function's value is an output, undefined is null", async (t) => {
  const server = await Server.start(t);
  const client = clientOf(t, server);
  const { worker, start } = workerOf(t, server);
  worker.agent("act", (input: { x?: number }) => (input.x === undefined ? undefined : { twice: input.x * 2 }));
  void start();
  assert.deepEqual((await client.start("one", { x: 21 }, { waitMs: kWaitMs })).output, { twice: 42 });
  assert.equal((await client.start("one", {}, { waitMs: kWaitMs })).output, null);
});

test("an output that is not JSON fails the task for good", async (t) => {
  const server = await Server.start(t);
  const client = clientOf(t, server);
  const { worker, start } = workerOf(t, server);
  const bad: Record<string, unknown> = { nan: NaN, big: 1n, surrogate: "\ud800", function: { f: () => 1 } };
  worker.agent("act", (input: string) => bad[input]);
  void start();
  for (const kind of Object.keys(bad)) {
    const run = await client.start("one", kind, { waitMs: kWaitMs });
    assert.equal(run.steps["work"]?.error?.code, "invalid_output", kind);
    assert.equal(run.steps["work"]?.attempts, 1);
  }
});

test("the reason of a cancelled task's signal is TaskCancelled, for fetch as for sleep", async (t) => {
  const server = await Server.start(t);
  const client = clientOf(t, server);
  const { worker, start } = workerOf(t, server);
  const called = gate();
  const reason = gate<unknown>();
  worker.agent("brief", async (_, task) => {
    called.open();
    try {
      await task.sleep(kPatienceMs);
    } catch (error) {
      assert.equal(task.cancelled, true);
      assert.throws(() => task.throwIfCancelled(), TaskCancelled);
      await assert.rejects(fetch(server.url, { signal: task.signal }), TaskCancelled);
      await assert.rejects(task.sleep(1), TaskCancelled);
      reason.open(error);
      throw error;
    }
  });
  void start();
  const run = await client.start("brief", {});
  await called.passed;
  await client.cancel(run.id);
  assert.ok((await reason.passed) instanceof TaskCancelled);
});

test("a cancelled function keeps its place until it ends", async (t) => {
  const server = await Server.start(t);
  const client = clientOf(t, server);
  const { worker, start } = workerOf(t, server, { concurrency: 1 });
  const called = gate();
  const told = gate();
  const go = gate();
  worker.agent("brief", async (input, task) => {
    if (input !== "stubborn") return "next";
    called.open();
    task.signal.addEventListener("abort", () => told.open());
    await go.passed;
    return "nobody wants it";
  });
  void start();
  const first = await client.start("brief", "stubborn");
  await called.passed;
  await client.cancel(first.id);
  await told.passed;
  const second = await client.start("brief", "x", { waitMs: 200 });
  assert.equal(second.status, "running");
  go.open();
  assert.equal((await client.wait(second.id, { timeoutMs: kWaitMs })).output, "next");
  assert.equal((await client.get(first.id)).status, "cancelled");
});

test("work ends when its signal is aborted, and what is in work may end", async (t) => {
  const server = await Server.start(t);
  const client = clientOf(t, server);
  const worker = new Worker({ server: server.url, log: "off" });
  const called = gate();
  const go = gate();
  worker.agent("act", async () => {
    called.open();
    await go.passed;
    return "done";
  });
  const stop = new AbortController();
  const ended = worker.work(stop.signal);
  const run = await client.start("one", {});
  await called.passed;
  await assert.rejects(worker.work(), /runs already/);
  stop.abort();
  go.open();
  await ended;
  assert.equal((await client.get(run.id)).output, "done");
  await worker.work(stop.signal); // aborted before it began
});

test("a second stop hands back at once", async (t) => {
  const server = await Server.start(t);
  const client = clientOf(t, server);
  const stuck = workerOf(t, server, { graceMs: kPatienceMs });
  const called = gate();
  stuck.worker.agent("act", () => {
    called.open();
    return new Promise(() => undefined);
  });
  const ended = stuck.start();
  const run = await client.start("one", {});
  await called.passed;
  stuck.worker.stop();
  stuck.worker.stop();
  await ended;
  const other = workerOf(t, server);
  other.worker.agent("act", (_, task) => task.attempt);
  void other.start();
  assert.equal((await client.wait(run.id, { timeoutMs: kWaitMs })).output, 2);
});

const kProgram = `
const worker = new Worker({ graceMs: GRACE });
worker.agent("act", async (input, task) => {
  console.log("working", task.attempt);
  await new Promise((resolve) => setTimeout(resolve, HANG ? 1e9 : 300));
  return "from the program";
});
await worker.run();
console.log("stopped");
`;

test("a program ends its work when it gets SIGTERM, and ends with status 0", async (t) => {
  const server = await Server.start(t);
  const client = clientOf(t, server);
  const source = kProgram.replace("GRACE", "60000").replace("HANG", "false");
  const program = new ProgramProcess(t, source, { GANGLION_SERVER: server.url });
  const run = await client.start("one", {});
  assert.equal(await program.line(), "working 1");
  program.child.kill("SIGTERM");
  assert.equal(await program.line(), "stopped");
  assert.equal(await program.status(), 0);
  assert.equal((await client.get(run.id)).output, "from the program");
});

test("a program whose function hangs hands back and ends all the same", async (t) => {
  const server = await Server.start(t);
  const client = clientOf(t, server);
  const source = kProgram.replace("GRACE", "50").replace("HANG", "true");
  const program = new ProgramProcess(t, source, { GANGLION_SERVER: server.url });
  const run = await client.start("one", {});
  assert.equal(await program.line(), "working 1");
  program.child.kill("SIGTERM");
  assert.equal(await program.status(), 0);
  const { worker, start } = workerOf(t, server);
  worker.agent("act", (_, task) => task.attempt);
  void start();
  assert.equal((await client.wait(run.id, { timeoutMs: kWaitMs })).output, 2);
});

test("a program that the server refuses ends with status 1, a worker inside another one with the problem", async (t) => {
  const server = await Server.start(t, undefined, "right");
  const environment = { GANGLION_SERVER: server.url, GANGLION_TOKEN: "wrong" };
  const program = new ProgramProcess(t, kProgram.replace("GRACE", "50").replace("HANG", "true"), environment);
  assert.equal(await program.status(), 1);
  const { worker, start } = workerOf(t, server, { token: "wrong" });
  worker.agent("act", () => 1).agent("brief", () => 1, { concurrency: 1 });
  await assert.rejects(start(), (error) => error instanceof ProblemError && error.status === 401);
});

test("what a worker logs can go to a logger, with the exception of an agent", async (t) => {
  const server = await Server.start(t);
  const client = clientOf(t, server);
  const lines: [string, Readonly<Record<string, unknown>> | undefined][] = [];
  const note = (event: string, fields?: Readonly<Record<string, unknown>>): void => void lines.push([event, fields]);
  const log: Logger = { info: note, warn: note, error: note };
  const { worker, start } = workerOf(t, server, { log });
  worker.agent("act", (_, task) => {
    if (task.attempt === 1) throw new Error("oops");
  });
  const ended = start();
  const run = await client.start("one", {}, { waitMs: kWaitMs });
  worker.stop();
  await ended;
  const events = lines.map(([event]) => event);
  assert.deepEqual(events, ["worker_started", "agent_exception", "worker_stopping", "worker_stopped"]);
  assert.equal(lines[1]?.[1]?.["run"], run.id);
  assert.match(String(lines[1]?.[1]?.["exception"]), /Error: oops\n.*worker\.test/);
});
