// An agent's function, and how its end becomes a result.

import { Fail, Retry } from "./errors.js";
import { encodeJson } from "./json.js";
import type { Effects, Task } from "./task.js";

/** Gets the task's input and the task; what it returns, anything JSON, is the output. */
export type AgentFunction<Input = unknown, Output = unknown> = (
  input: Input,
  task: Task<Input>,
) => Output | Promise<Output>;

export interface Agent {
  readonly name: string;
  readonly function: AgentFunction;
}

/** How an attempt ended, as the encoded fields of a result. */
export interface Outcome {
  readonly ok: boolean;
  readonly fields: string;
}

/** Characters of an error's message and code that are sent; the rest is cut. */
const kMaxMessage = 4000;
const kMaxCode = 64;

/** Lone surrogates cannot be sent. */
function sendable(text: string, limit: number): string {
  return Array.from(text.slice(0, 2 * limit))
    .slice(0, limit)
    .join("")
    .replace(/\p{Surrogate}/gu, "\ufffd");
}

export function failure(code: string, message: string, retryable: boolean, more = ""): Outcome {
  const error = { code: sendable(code, kMaxCode) || "failed", message: sendable(message, kMaxMessage), retryable };
  return { ok: false, fields: `"error":${JSON.stringify(error)}${more}` };
}

function used(effects: Effects, workMs: number): string {
  const usage = Object.keys(effects.usage).length ? `,"usage":${JSON.stringify(effects.usage)}` : "";
  return `${usage},"work_ms":${Math.round(workMs)}`;
}

export function success(value: unknown, agent: string, effects: Effects, workMs: number): Outcome {
  let output: string;
  try {
    output = encodeJson(value);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const message = `agent ${agent} returned something that is not JSON: ${reason}`;
    return failure("invalid_output", message, false, used(effects, workMs));
  }
  const events = effects.events.length ? `,"events":[${effects.events.join(",")}]` : "";
  const writes = Array.from(effects.state, ([key, encoded]) => `${JSON.stringify(key)}:${encoded}`);
  const state = writes.length ? `,"state":{${writes.join(",")}}` : "";
  return { ok: true, fields: `"output":${output}${events}${state}${used(effects, workMs)}` };
}

/** What an exception that left an agent means for the task. */
export function failureOf(error: unknown, effects: Effects, workMs: number): Outcome {
  const more = used(effects, workMs);
  if (error instanceof Fail) return failure(error.code, error.message, false, more);
  if (error instanceof Retry) return failure(error.code, error.message, true, more);
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return failure("exception", message, true, more);
}
