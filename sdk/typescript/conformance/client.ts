// The client's calls, by the names of the protocol.

import { type BlobRef, Client, ProblemError, RunNotFinished, ServerUnavailable } from "../src/index.js";
import type { Lines, Print } from "./program.js";

// The suite's arguments, of any type by their nature.
type With = Record<string, any>;
type Call = (client: Client, given: With, event: (value: unknown) => void) => Promise<unknown>;

const kCalls: Record<string, Call> = {
  start: (client, g) =>
    client.start(g.workflow, g.input, {
      sessionId: g.session_id,
      priority: g.priority,
      labels: g.labels,
      idempotencyKey: g.idempotency_key,
      waitMs: g.wait_ms,
    }),
  get: (client, g) => client.get(g.run_id),
  list: (client, g) =>
    all(
      client.list({
        workflow: g.workflow,
        status: g.status,
        sessionId: g.session_id,
        label: g.label,
        parent: g.parent,
      }),
    ),
  wait: (client, g) => client.wait(g.run_id, { timeoutMs: g.timeout_ms }),
  cancel: (client, g) => client.cancel(g.run_id),
  pause: (client, g) => client.pause(g.run_id),
  resume: (client, g) => client.resume(g.run_id),
  retry: (client, g) => client.retry(g.run_id),
  fork: (client, g) => client.fork(g.run_id, g.from_step, "input" in g ? { input: g.input } : {}),
  signal: (client, g) => client.signal(g.run_id, g.name, g.data, { idempotencyKey: g.idempotency_key }),
  journal: (client, g) => all(client.journal(g.run_id, { after: g.after })),
  follow: (client, g, event) => each(client.follow(g.run_id, { after: g.after }), g.limit, event),
  tax: (client, g) => client.tax(g.run_id),
  approvals: (client, g) => all(client.approvals.list({ runId: g.run_id })),
  decide: (client, g) => {
    const options = { by: g.by, comment: g.comment, output: g.output };
    const approval = { id: g.id, digest: g.digest };
    return g.decision === "approve"
      ? client.approvals.approve(approval, options)
      : client.approvals.reject(approval, options);
  },
  dead_letters: (client, g) => all(client.deadLetters.list({ runId: g.run_id, kind: g.kind })),
  requeue: (client, g) => client.deadLetters.requeue(g.id),
  delete_dead_letter: (client, g) => client.deadLetters.delete(g.id),
  purge_dead_letters: async (client) => ({ purged: await client.deadLetters.purge() }),
  publish: (client, g) =>
    client.events.publish(g.topic, g.data, { source: g.source, id: g.id, subject: g.subject, version: g.version }),
  events: (client, g) => all(client.events.list({ topic: g.topic, limit: g.limit })),
  tail: (client, g, event) => each(client.events.tail({ topic: g.topic, after: g.after }), g.limit, event),
  state_get: async (client, g) => (await client.session(g.session_id).get(g.key)) ?? null,
  state_put: async (client, g) => {
    const options = { ifVersion: g.if_version, ifAbsent: g.if_absent, ttlMs: g.ttl_ms };
    return { key: g.key, version: await client.session(g.session_id).put(g.key, g.value ?? null, options) };
  },
  state_delete: (client, g) => client.session(g.session_id).delete(g.key, { ifVersion: g.if_version }),
  state_snapshot: (client, g) => client.session(g.session_id).snapshot(g.version),
  session: (client, g) => client.session(g.session_id).info(),
  blob_put: (client, g) => client.blobs.put(Buffer.from(g.base64, "base64")),
  blob_get: async (client, g) => ({ base64: (await client.blobs.get(g.ref as BlobRef)).toString("base64") }),
  project: async (client) => ({ source: await client.project() }),
  put_project: (client, g) => client.putProject(g.source),
};

export async function client(lines: Lines, print: Print): Promise<void> {
  const connected = new Client({ server: process.env["GANGLION_URL"] });
  for await (const line of lines) {
    const { id, call, with: given = {} } = JSON.parse(line) as { id: number; call: string; with?: With };
    try {
      const known = kCalls[call];
      if (!known) throw new Error(`no call ${call}`);
      // Absent and null mean the same; `data` and `value` may well be null.
      const present = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null));
      const value = await known(connected, present, (event) => print({ id, event }));
      print({ id, value: value ?? null });
    } catch (error) {
      print({ id, error: errorOf(error) });
    }
  }
  connected.close();
}

function errorOf(error: unknown): object {
  if (error instanceof ProblemError) {
    const { status, code, detail, errors } = error;
    return { kind: "problem", status, code, detail, errors };
  }
  const detail = error instanceof Error ? error.message : String(error);
  if (error instanceof RunNotFinished) return { kind: "timeout", detail };
  if (error instanceof ServerUnavailable) return { kind: "unavailable", detail };
  if (error instanceof TypeError || error instanceof RangeError) return { kind: "argument", detail };
  return { kind: "other", detail };
}

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const collected: Item[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

async function each(
  events: AsyncIterable<unknown>,
  limit: number | undefined,
  print: (event: unknown) => void,
): Promise<object> {
  let count = 0;
  for await (const event of events) {
    print(event);
    if (++count === limit) break;
  }
  return { count };
}
