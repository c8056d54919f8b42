// `Worker`: runs functions as agents.

import { randomBytes } from "node:crypto";
import { hostname } from "node:os";

import type { Agent, AgentFunction } from "./agent.js";
import { Endpoint } from "./endpoint.js";
import { ProblemError } from "./errors.js";
import { Transport } from "./http.js";
import { Lane } from "./lane.js";
import { type LogFormat, type Logger, stderrLogger } from "./log.js";
import { pause } from "./timers.js";

const kMaxConcurrency = 10_000;
/** Agents that may share the worker's concurrency: as many as one request can name. */
const kMaxSharedAgents = 64;
/** After the grace time: how long the server may take to accept what is handed back. */
const kHandBackMs = 5_000;

export interface WorkerOptions {
  /** URL; by default `GANGLION_SERVER`, else `http://127.0.0.1:7420`. */
  readonly server?: string | undefined;
  /** Bearer token; by default `GANGLION_TOKEN`. */
  readonly token?: string | undefined;
  /** Tasks at one time, shared by all agents that do not set their own: 1 … 10,000, by default 8. */
  readonly concurrency?: number | undefined;
  /** Milliseconds that tasks in work have to end when the worker is told to stop, by default 10,000; then they are
   * handed back. */
  readonly graceMs?: number | undefined;
  /** What the server calls this worker, made unique with process id and random digits; by default `GANGLION_WORKER`,
   * else the host name. */
  readonly name?: string | undefined;
  /** Where the log goes: to stderr in this format (by default `GANGLION_LOG`, else `plain`), or to a logger of your own. */
  readonly log?: LogFormat | Logger | undefined;
}

export interface AgentOptions {
  /** A bound of this agent alone, apart from the worker's shared one: 1 … 10,000. */
  readonly concurrency?: number | undefined;
}

/**
 * Takes tasks of its agents from a Ganglion server, runs them, and returns what they return.
 *
 * ```ts
 * const worker = new Worker();
 * worker.agent("greet", (input: { name: string }) => ({ text: `Hello ${input.name}` }));
 * await worker.run();
 * ```
 *
 * While the server is away the worker keeps its results, tries again with growing pauses, and takes no new tasks.
 */
export class Worker {
  /** What the server calls this worker. */
  readonly id: string;

  readonly #endpoint: Endpoint;
  readonly #concurrency: number;
  readonly #graceMs: number;
  readonly #log: Logger;
  readonly #shared = new Map<string, Agent>();
  readonly #own = new Map<string, { agent: Agent; places: number }>();
  #stop: AbortController | undefined;
  #hurry: AbortController | undefined;

  /** `TypeError` or `RangeError` for options that can't be. */
  constructor(options: WorkerOptions = {}) {
    this.#endpoint = new Endpoint(options.server, options.token);
    this.#concurrency = checkedConcurrency(options.concurrency ?? 8);
    this.#graceMs = options.graceMs ?? 10_000;
    const prefix = options.name || process.env["GANGLION_WORKER"] || hostname();
    this.id = `${prefix.slice(0, 200)}-${process.pid}-${randomBytes(4).toString("hex")}`;
    this.#log = typeof options.log === "object" ? options.log : stderrLogger(options.log);
  }

  /**
   * Registers `work` as the agent `name`. It gets the task's input and the task; what it returns, anything JSON, is the
   * output (`undefined` is `null`). Returns the worker.
   *
   * How an attempt ends: a value → done; `Fail(code, message)` → failed for good; `Retry(message)` or any other
   * exception (code `exception`) → failed, may be tried again.
   *
   * `TypeError` for a name used twice, and for more than 64 agents without a `concurrency` of their own.
   */
  agent<Input = unknown, Output = unknown>(
    name: string,
    work: AgentFunction<Input, Output>,
    options: AgentOptions = {},
  ): this {
    if (this.#shared.has(name) || this.#own.has(name)) throw new TypeError(`agent ${name} is defined twice`);
    // The input is what the project file says that it is: only the user can know its type.
    const agent: Agent = { name, function: work as unknown as AgentFunction };
    if (options.concurrency !== undefined) {
      this.#own.set(name, { agent, places: checkedConcurrency(options.concurrency) });
    } else if (this.#shared.size === kMaxSharedAgents) {
      throw new TypeError(`more than ${kMaxSharedAgents} agents share one concurrency; give some their own`);
    } else {
      this.#shared.set(name, agent);
    }
    return this;
  }

  /**
   * The main program of a worker: works until SIGTERM or SIGINT, then stops gracefully; a second signal hands everything
   * back at once.
   *
   * Ends the process with status 1 if the server refuses this worker (401, 403), and ends it, too, where functions whose
   * tasks were handed back would keep it alive.
   */
  async run(): Promise<void> {
    const signalled = (): void => this.stop();
    process.on("SIGTERM", signalled).on("SIGINT", signalled);
    try {
      const { stillWorking } = await this.#work();
      if (stillWorking) process.exit();
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      this.#log.error("worker_refused", { reason: error.message });
      process.exit(1);
    } finally {
      process.off("SIGTERM", signalled).off("SIGINT", signalled);
    }
  }

  /**
   * The same inside a larger program: no signal handlers, never ends the process. Resolves when the worker has stopped,
   * after `stop()` or when `signal` is aborted. Rejects with the `ProblemError` of a server that refuses this worker.
   */
  async work(signal?: AbortSignal): Promise<void> {
    const stop = (): void => this.stop();
    if (signal?.aborted) return;
    signal?.addEventListener("abort", stop);
    try {
      await this.#work();
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }

  /** Begins the graceful stop; called again it hands everything back at once. Does nothing if the worker does not run. */
  stop(): void {
    if (this.#stop?.signal.aborted) this.#hurry?.abort();
    this.#stop?.abort();
  }

  async #work(): Promise<{ stillWorking: boolean }> {
    if (!this.#shared.size && !this.#own.size) throw new TypeError("the worker has no agents");
    if (this.#stop) throw new TypeError("the worker runs already");
    const stop = new AbortController();
    const hurry = new AbortController();
    this.#stop = stop;
    this.#hurry = hurry;
    const transport = new Transport(this.#endpoint);
    const lane = (agents: readonly Agent[], places: number): Lane =>
      new Lane(agents, places, this.id, transport, this.#log);
    const lanes = Array.from(this.#own.values(), ({ agent, places }) => lane([agent], places));
    if (this.#shared.size) lanes.push(lane(Array.from(this.#shared.values()), this.#concurrency));
    const names = [...this.#shared.keys(), ...this.#own.keys()].sort();
    this.#log.info("worker_started", { worker: this.id, agents: names.join(",") });
    try {
      await this.#supervise(lanes, stop.signal, hurry.signal);
    } finally {
      this.#stop = undefined;
      this.#hurry = undefined;
      transport.close();
    }
    this.#log.info("worker_stopped", { worker: this.id });
    return { stillWorking: lanes.some((each) => each.stillWorking) };
  }

  async #supervise(lanes: readonly Lane[], stop: AbortSignal, hurry: AbortSignal): Promise<void> {
    const working = lanes.map((lane) => lane.run());
    const ended = Promise.allSettled(working);
    await Promise.race([aborted(stop), ...working.map((each) => each.catch(() => undefined))]);
    const busy = lanes.reduce((sum, lane) => sum + lane.busy, 0);
    this.#log.info("worker_stopping", { worker: this.id, tasks: busy });
    for (const lane of lanes) lane.stop();
    await within(ended, this.#graceMs, hurry);
    for (const lane of lanes) lane.abandon();
    await within(ended, kHandBackMs);
    const lost = lanes.reduce((sum, lane) => sum + lane.busy, 0);
    if (lost) this.#log.error("results_lost", { worker: this.id, count: lost });
    for (const lane of lanes) lane.lose();
    for (const outcome of await ended) if (outcome.status === "rejected") throw outcome.reason;
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** Until `work` has ended, `ms` are over, or `hurry` is aborted. */
async function within(work: Promise<unknown>, ms: number, hurry?: AbortSignal): Promise<void> {
  const over = new AbortController();
  const end = (): void => over.abort();
  if (hurry?.aborted) end();
  hurry?.addEventListener("abort", end);
  await Promise.race([work, pause(ms, over.signal)]);
  end();
  hurry?.removeEventListener("abort", end);
}

function checkedConcurrency(value: number): number {
  if (!Number.isInteger(value) || value < 1 || value > kMaxConcurrency) {
    throw new RangeError(`concurrency must be 1 … ${kMaxConcurrency}, not ${value}`);
  }
  return value;
}
