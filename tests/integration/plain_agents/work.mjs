// What the JavaScript agents do, as work.py: they know the messages of docs/guide/queues.md, and nothing else of Ganglion.

import { existsSync, writeFileSync } from "node:fs";

export const TASK = "ganglion.task.v1";
export const RESULT = "ganglion.result.v1";

// The task's token and what is to be published: its text with this agent's name, or the error that it asks for.
export function resultOf(body, agent) {
  const { token, input } = JSON.parse(body.toString());
  if (input.die_once) dieOnce(input.die_once);
  const result = input.fail
    ? { token, worker: agent, error: { code: input.fail, message: "as the task wants it", retryable: false } }
    : { token, worker: agent, output: { text: `${input.text} ${agent}` } };
  return { token, result: JSON.stringify(result) };
}

// At once and without a word, as if the machine had gone, unless somebody has done so before.
function dieOnce(marker) {
  if (existsSync(marker)) return;
  writeFileSync(marker, "");
  process.exit(1);
}
