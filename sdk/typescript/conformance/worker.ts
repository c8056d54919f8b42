// Scripted agents: a task's input says what its function does.

import { Fail, ProblemError, Retry, type Task, Worker } from "../src/index.js";
import type { Lines, Print } from "./program.js";

interface Settings {
  readonly agents: readonly { readonly name: string; readonly concurrency?: number }[];
  readonly concurrency?: number;
  readonly grace_ms?: number;
  readonly name?: string;
}

interface Action {
  readonly usage?: Record<string, number>;
  readonly progress?: { readonly fraction: number; readonly details?: unknown };
  readonly publish?: { readonly topic: string; readonly data: unknown; readonly version?: number };
  readonly set_state?: { readonly key: string; readonly value: unknown };
  readonly gate?: string;
  readonly work?: number;
  readonly return?: unknown;
  readonly return_text?: number;
  readonly fail?: { readonly code: string; readonly message: string };
  readonly retry?: { readonly message: string };
  readonly throw?: string;
}

/** Open for good once they are opened. */
class Gates {
  readonly #open = new Set<string>();
  #waiting: (() => void)[] = [];

  open(name: string): void {
    this.#open.add(name);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async pass(name: string, signal: AbortSignal): Promise<void> {
    while (!this.#open.has(name)) {
      signal.throwIfAborted();
      await new Promise<void>((wake) => {
        this.#waiting.push(wake);
        signal.addEventListener("abort", () => wake());
      });
    }
  }
}

export async function worker(settings: Settings, lines: Lines, print: Print): Promise<number> {
  const gates = new Gates();
  const offered = new Worker({
    server: process.env["GANGLION_URL"],
    concurrency: settings.concurrency,
    graceMs: settings.grace_ms,
    name: settings.name,
  });
  for (const { name, concurrency } of settings.agents) {
    offered.agent(name, (input, task) => act(input, task, gates, print), { concurrency });
  }
  void (async () => {
    for await (const line of lines) {
      const said = JSON.parse(line) as { open?: string; stop?: boolean };
      if (said.open !== undefined) gates.open(said.open);
      if (said.stop) offered.stop();
    }
    process.exit(); // the suite has gone
  })();
  process.on("SIGTERM", () => offered.stop());
  print({ event: "started" });
  try {
    await offered.work();
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    print({ event: "refused", status: error.status });
    return 1;
  }
  print({ event: "stopped" });
  return 0;
}

async function act(input: unknown, task: Task, gates: Gates, print: Print): Promise<unknown> {
  const name = { run_id: task.runId, step: task.step, item: task.item ?? null, attempt: task.attempt };
  print({
    event: "called",
    task: {
      ...name,
      agent: task.agent,
      iteration: task.iteration,
      session_id: task.sessionId ?? null,
      idempotency_key: task.idempotencyKey,
      input,
    },
  });
  let end = "returned";
  try {
    for (const action of actionsOf(input, task.attempt)) {
      if ("return" in action) return action.return;
      if (action.return_text !== undefined) return "x".repeat(action.return_text);
      await carryOut(action, task, gates);
    }
    return isScript(input) ? null : input;
  } catch (error) {
    if (task.cancelled) end = "cancelled";
    throw error;
  } finally {
    print({ event: end, task: name });
  }
}

function isScript(input: unknown): input is { script: Action[][] } {
  return typeof input === "object" && input !== null && "script" in input;
}

function actionsOf(input: unknown, attempt: number): readonly Action[] {
  return isScript(input) ? (input.script[Math.min(attempt, input.script.length) - 1] ?? []) : [];
}

async function carryOut(action: Action, task: Task, gates: Gates): Promise<void> {
  if (action.usage) task.usage(action.usage);
  else if (action.progress) task.progress(action.progress.fraction, action.progress.details);
  else if (action.publish) {
    const { topic, data, version } = action.publish;
    task.publish(topic, data, { version });
  } else if (action.set_state) task.setState(action.set_state.key, action.set_state.value);
  else if (action.gate !== undefined) await gates.pass(action.gate, task.signal);
  else if (action.work !== undefined) await task.sleep(action.work);
  else if (action.fail) throw new Fail(action.fail.code, action.fail.message);
  else if (action.retry) throw new Retry(action.retry.message);
  else if (action.throw !== undefined) throw new Error(action.throw);
  else throw new Fail("unknown_action", JSON.stringify(action));
}
