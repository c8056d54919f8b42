// An agent on a queue of Redis, with ioredis: agent_ioredis.mjs URL QUEUE.

import { hostname } from "node:os";
import { Redis } from "ioredis";
import { RESULT, resultOf, TASK } from "./work.mjs";

const BASE = "{ganglion}"; // with the braces; another name where the server's URL has ?prefix=
const GROUP = "ganglion";
const BLOCK_MS = 5_000;
const DEAD_LETTERS = 10_000;

const [url, queue] = process.argv.slice(2);
const client = new Redis(url);
const stream = `${BASE}:queue:${queue}`;
const me = `${hostname()}-${process.pid}`;

await client.xgroup("CREATE", stream, GROUP, "0", "MKSTREAM").catch((error) => {
  if (!error.message.startsWith("BUSYGROUP")) throw error; // the server has made it
});
for (;;) {
  const read = await client.xreadgroup("GROUP", GROUP, me, "COUNT", 1, "BLOCK", BLOCK_MS, "STREAMS", stream, ">");
  for (const [, entries] of read ?? []) {
    for (const [entry, fields] of entries) await take(entry, fields);
  }
}

// Publishes the result and is done with the task in one step.
async function take(entry, fields) {
  const step = client.multi();
  const { type, reply_to, body } = named(fields);
  if (type === TASK) {
    const { token, result } = resultOf(body, "ioredis");
    step.xadd(`${BASE}:queue:${reply_to}`, "*", "type", RESULT, "id", token, "body", result);
    step.publish(`${BASE}:queue-wakes:${reply_to}`, "");
  } else {
    const letter = [...fields, "reason", "unknown type"];
    step.xadd(`${BASE}:queue-dead:${queue}`, "MAXLEN", DEAD_LETTERS, "*", ...letter);
  }
  step.xack(stream, GROUP, entry).xdel(stream, entry);
  await step.exec();
}

function named(fields) {
  const values = {};
  for (let i = 0; i < fields.length; i += 2) values[fields[i]] = fields[i + 1];
  return values;
}
