// `Task`: one unit of work as an agent sees it.

import type { TaskCancelled } from "./errors.js";
import { encodeJson } from "./json.js";

/** A task as the HTTP API hands it out. */
export interface TaskWire {
  readonly token: string;
  readonly agent: string;
  readonly run_id?: string;
  readonly step?: string;
  readonly item?: number | null;
  readonly attempt?: number;
  readonly iteration?: number;
  readonly input?: unknown;
  readonly deadline?: string | null;
  readonly idempotency_key?: string;
  readonly traceparent?: string | null;
  readonly session_id?: string | null;
  readonly state_version?: number | null;
}

/**
 * What an attempt has said beside its output: kept here until its end. What goes into the result is encoded at once, so
 * that a later change of the object changes nothing.
 */
export class Effects {
  readonly usage: Record<string, number> = {};
  readonly events: string[] = [];
  readonly state = new Map<string, string>();
  progress: { readonly fraction: number; readonly details: string | undefined } | undefined;

  constructor(readonly progressed: () => void = () => undefined) {}
}

/** One attempt of one task. An agent's function gets it as its second argument. */
export class Task<Input = unknown> {
  /** What the step's `input` says, nothing else. */
  readonly input: Input;
  readonly agent: string;
  readonly runId: string;
  readonly step: string;
  /** Position in a mapped step, from 0. */
  readonly item: number | undefined;
  /** From 1. */
  readonly attempt: number;
  /** Of a step with `until`, from 1. */
  readonly iteration: number;
  readonly sessionId: string | undefined;
  /** The version of the session's state that the input was made from, where it was. */
  readonly stateVersion: number | undefined;
  /** The same for every attempt of this task: give it to whatever must not happen twice. */
  readonly idempotencyKey: string;
  /** W3C trace context to pass on; maybe empty. */
  readonly traceparent: string;
  /** Names this attempt; a result counts only while it is the current one. */
  readonly token: string;
  /**
   * Aborted when nobody waits for the result any more: the run was cancelled, the attempt timed out, or the worker stops.
   * Give it to `fetch`, timers, child processes. Its `reason` is a `TaskCancelled`.
   */
  readonly signal: AbortSignal;

  #deadline: Date | undefined;
  readonly #effects: Effects;

  constructor(wire: TaskWire, effects: Effects, signal: AbortSignal) {
    this.input = wire.input as Input;
    this.agent = wire.agent;
    this.runId = wire.run_id ?? "";
    this.step = wire.step ?? "";
    this.item = wire.item ?? undefined;
    this.attempt = wire.attempt ?? 1;
    this.iteration = wire.iteration ?? 1;
    this.sessionId = wire.session_id ?? undefined;
    this.stateVersion = wire.state_version ?? undefined;
    this.idempotencyKey = wire.idempotency_key || wire.token;
    this.traceparent = wire.traceparent ?? "";
    this.token = wire.token;
    this.signal = signal;
    this.#effects = effects;
    this.moveDeadline(wire.deadline);
  }

  /** When the attempt times out. */
  get deadline(): Date | undefined {
    return this.#deadline;
  }

  /** @internal */
  moveDeadline(time: string | null | undefined): void {
    const at = time ? new Date(time) : undefined;
    this.#deadline = at && !Number.isNaN(at.getTime()) ? at : undefined;
  }

  /** Whether nobody waits for the result any more. */
  get cancelled(): boolean {
    return this.signal.aborted;
  }

  /** `TaskCancelled` if the task was cancelled. */
  throwIfCancelled(): void {
    this.signal.throwIfAborted();
  }

  /** Resolves after `ms`; rejects with `TaskCancelled` as soon as the task is cancelled. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.signal.aborted) return reject(this.signal.reason as TaskCancelled);
      const cancelled = (): void => {
        clearTimeout(timer);
        reject(this.signal.reason as TaskCancelled);
      };
      const timer = setTimeout(() => {
        this.signal.removeEventListener("abort", cancelled);
        resolve();
      }, ms);
      this.signal.addEventListener("abort", cancelled);
    });
  }

  /**
   * Adds to what this attempt has used: `input_tokens`, `output_tokens`, `usd`, or names of your own. Sent with the
   * result, also that of a failure. `RangeError` for negative or non-finite amounts.
   */
  usage(amounts: Readonly<Record<string, number>>): void {
    for (const [name, amount] of Object.entries(amounts)) {
      const counts = amount >= 0 && amount < Infinity;
      if (!counts) throw new RangeError(`usage ${name}=${amount} is not a finite amount >= 0`);
    }
    const { usage } = this.#effects;
    for (const [name, amount] of Object.entries(amounts)) usage[name] = (usage[name] ?? 0) + amount;
  }

  /** Tells how far the task is (0 … 1) with any JSON `details` (else `TypeError`). Sent soon, at most once a second, the latest wins. */
  progress(fraction: number, details?: unknown): void {
    if (Number.isNaN(fraction)) throw new RangeError("progress is not a number");
    const encoded = details === undefined ? undefined : encodeJson(details);
    this.#effects.progress = { fraction: Math.min(1, Math.max(0, fraction)), details: encoded };
    this.#effects.progressed();
  }

  /**
   * Publishes an event together with the result: if the attempt succeeds and its result counts, and only then. The
   * agent's `publishes` must allow the topic, else the attempt fails for good (`not_permitted`). `version` is that of the
   * topic's schema, by default the latest.
   */
  publish(topic: string, data: unknown, options: { version?: number | undefined } = {}): void {
    const version = options.version === undefined ? "" : `,"version":${encodeJson(options.version)}`;
    this.#effects.events.push(`{"topic":${encodeJson(topic)},"data":${encodeJson(data)}${version}}`);
  }

  /**
   * Writes a key of the session's state together with the result, under the same conditions as `publish`; the agent's
   * `state.write` must allow the key. `null` removes it. Several writes of one key: the last one.
   */
  setState(key: string, value: unknown): void {
    this.#effects.state.set(key, encodeJson(value));
  }
}
