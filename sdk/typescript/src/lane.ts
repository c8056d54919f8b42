// A lane: the agents that share one bound on concurrency, and their exchange with the server.
//
// Two requests are under way at most. The *poll* waits up to 30 s for tasks, as many as there are free places. The
// *exchange* carries all results that have gathered since the last one and brings tasks for the places that those results
// free; it waits for nothing. So an idle lane costs one waiting request, and a busy one needs one round trip for many
// results and many tasks. The server is never asked for more tasks than there are free places:
//
//     places = running + results without a verdict + tasks asked for + free

import { type Agent, failure, type Outcome } from "./agent.js";
import { Backoff } from "./backoff.js";
import { ProblemError, ServerUnavailable } from "./errors.js";
import { Execution, type ExecutionHost } from "./execution.js";
import type { Transport } from "./http.js";
import { IdleTimeouts } from "./idle_timeouts.js";
import type { Logger } from "./log.js";
import { Outbox, type PendingResult } from "./outbox.js";
import type { TaskWire } from "./task.js";
import { Condition, pause } from "./timers.js";

/** How long a poll waits for the first task, and how much longer for the answer itself. */
const kPollSeconds = 30;
const kPollSlackMs = 15_000;
/** The most tasks that one request may ask for. */
const kMaxTasks = 256;
/** The longest pause of a lane that is about to end. */
const kStoppingPauseMs = 500;

interface TasksAnswer {
  readonly tasks?: readonly TaskWire[];
}
interface VerdictsAnswer extends TasksAnswer {
  readonly verdicts: readonly string[];
}

/** `run()` works until `stop()` and then until nothing is left to do or `abandon()`. */
export class Lane implements ExecutionHost {
  readonly worker: string;
  readonly log: Logger;
  readonly transport: Transport;

  readonly #agents: ReadonlyMap<string, Agent>;
  readonly #places: number;
  readonly #outbox = new Outbox();
  readonly #running = new Map<string, Execution>();
  // Handed back while their functions go on.
  readonly #left = new Set<Execution>();
  readonly #again = new Map<string, TaskWire>();
  readonly #idle: IdleTimeouts;
  readonly #stop = new AbortController();
  readonly #lost = new AbortController();
  readonly #changed = new Condition();
  readonly #from: string;
  readonly #asking: string;
  #asked = 0;

  constructor(agents: readonly Agent[], places: number, worker: string, transport: Transport, log: Logger) {
    this.#agents = new Map(agents.map((agent) => [agent.name, agent]));
    this.#places = places;
    this.worker = worker;
    this.transport = transport;
    this.log = log;
    const names = Array.from(this.#agents.keys()).sort();
    this.#from = `"worker":${JSON.stringify(worker)}`;
    this.#asking = `"agents":${JSON.stringify(names)},${this.#from}`;
    this.#idle = new IdleTimeouts(names, transport);
  }

  get free(): number {
    return this.#places - this.#running.size - this.#outbox.size - this.#asked;
  }

  /** Tasks in work and results without a verdict. */
  get busy(): number {
    return this.#running.size + this.#outbox.size;
  }

  /** Functions that go on although their tasks were handed back. */
  get stillWorking(): boolean {
    return Array.from(this.#left).some((execution) => execution.working);
  }

  /** Takes no more tasks; what has begun may end. */
  stop(): void {
    this.#stop.abort();
    this.#changed.notify();
  }

  /** Hands back what is still in work. */
  abandon(): void {
    for (const execution of Array.from(this.#running.values())) this.#abandon(execution);
  }

  /** Gives up: results without a verdict are lost (their tasks time out). */
  lose(): void {
    this.#lost.abort();
    this.#changed.notify();
  }

  /** Rejects with the `ProblemError` of a server that will not talk to this worker (401, 403). */
  async run(): Promise<void> {
    try {
      await this.#idle.refresh();
      await Promise.all([this.#polling(), this.#reporting()]);
    } finally {
      this.stop();
      this.lose();
    }
  }

  idleTimeoutMs(agent: string): number | undefined {
    return this.#idle.of(agent);
  }

  done(execution: Execution, outcome: Outcome | undefined): void {
    const { token, agent } = execution.task;
    this.#running.delete(token);
    const again = this.#again.get(token);
    this.#again.delete(token);
    if (!outcome && again) this.#begin(again);
    else if (outcome) this.#outbox.put(token, agent, outcome);
    this.#changed.notify();
  }

  get #stopping(): boolean {
    return this.#stop.signal.aborted;
  }

  #release(asked: number): void {
    this.#asked -= asked;
    this.#changed.notify();
  }

  async #polling(): Promise<void> {
    const backoff = new Backoff();
    for (;;) {
      await this.#changed.until(() => this.#stopping || this.free > 0);
      if (this.#stopping) return;
      const asked = Math.min(this.free, kMaxTasks);
      const body = `{${this.#asking},"max":${asked},"wait":"${kPollSeconds}s"}`;
      const request = { method: "POST", path: "/v1/tasks/poll", body, timeoutMs: kPollSeconds * 1000 + kPollSlackMs };
      this.#asked += asked;
      let answer: TasksAnswer;
      try {
        answer = (await this.transport.request(request, this.#stop.signal)).json<TasksAnswer>();
        backoff.reset();
      } catch (error) {
        this.#release(asked);
        await this.#stayAway(error, backoff);
        continue;
      }
      this.#release(asked);
      this.#take(answer.tasks ?? []);
    }
  }

  async #reporting(): Promise<void> {
    const backoff = new Backoff();
    for (;;) {
      await this.#changed.until(
        () =>
          this.#lost.signal.aborted || this.#outbox.size > 0 || (this.#stopping && !this.#running.size && !this.#asked),
      );
      const batch = this.#outbox.batch();
      if (!batch.length || this.#lost.signal.aborted) return;
      // The places of these results are free once the server has taken them.
      const asked = this.#stopping ? 0 : Math.min(Math.max(this.free, 0) + batch.length, kMaxTasks);
      this.#asked += asked;
      let answer: VerdictsAnswer;
      try {
        answer = await this.#send(batch, asked);
        backoff.reset();
      } catch (error) {
        this.#release(asked);
        if (!(error instanceof ProblemError && this.#blame(error, batch))) await this.#stayAway(error, backoff);
        continue;
      }
      this.#release(asked);
      this.#settle(batch, answer.verdicts);
      this.#take(answer.tasks ?? []);
    }
  }

  async #send(batch: readonly PendingResult[], asked: number): Promise<VerdictsAnswer> {
    for (const result of batch) result.sent += 1;
    const results = `"results":[${batch.map((result) => result.body).join(",")}]`;
    const [path, body] = asked
      ? ["/v1/tasks/exchange", `{${results},${this.#asking},"max":${asked},"wait":"0s"}`]
      : ["/v1/tasks/complete", `{${results},${this.#from}}`];
    return (await this.transport.request({ method: "POST", path, body }, this.#lost.signal)).json<VerdictsAnswer>();
  }

  /** Whether the server refused the content; then the one result that is to blame is replaced by an error. */
  #blame(error: ProblemError, batch: readonly PendingResult[]): boolean {
    if (![400, 413, 422].includes(error.status)) return false;
    const [result] = batch;
    if (batch.length > 1 || !result) {
      this.#outbox.sendOneByOne();
      return true;
    }
    this.log.error("result_refused", { agent: result.agent, reason: error.message });
    if (!result.ok) {
      this.#outbox.settle(batch); // even the error is refused: the attempt will time out
    } else {
      const code = error.status === 413 ? "output_too_large" : "invalid_output";
      this.#outbox.replace(result, failure(code, `the server refused the output: ${error.message}`, false));
    }
    this.#changed.notify();
    return true;
  }

  #settle(batch: readonly PendingResult[], verdicts: readonly string[]): void {
    this.#outbox.settle(batch);
    batch.forEach((result, index) => {
      const verdict = verdicts[index];
      if (verdict === "accepted") return;
      const fields = { agent: result.agent, verdict, sent: result.sent };
      // After a broken connection the first copy was probably accepted and this one came late.
      if (result.sent > 1) this.log.info("result_not_accepted", fields);
      else this.log.warn("result_not_accepted", fields);
    });
    this.#changed.notify();
  }

  #take(tasks: readonly TaskWire[]): void {
    for (const wire of tasks) {
      const running = this.#running.get(wire.token);
      if (running?.unwanted) {
        this.#again.set(wire.token, wire); // cancelled, but the server has changed its mind
      } else if (!running && !this.#outbox.has(wire.token)) {
        this.#begin(wire);
      }
      // else: handed out again, after a restart of the server; one execution is enough
    }
    if (tasks.length) void this.#refreshIdleTimeouts();
    this.#changed.notify();
  }

  #begin(wire: TaskWire): void {
    const agent = this.#agents.get(wire.agent);
    if (!agent) {
      this.log.error("unknown_agent", { agent: wire.agent });
      return;
    }
    const execution = new Execution(wire, this);
    this.#running.set(wire.token, execution);
    execution.begin(agent);
    if (this.#stopping) this.#abandon(execution); // it came while the poll was being taken back
  }

  #abandon(execution: Execution): void {
    this.#left.add(execution);
    execution.abandon();
  }

  async #refreshIdleTimeouts(): Promise<void> {
    if (!(await this.#idle.refresh())) return;
    for (const execution of this.#running.values()) execution.rearm();
  }

  /** After a failed request. Rethrows what no waiting helps against. */
  async #stayAway(error: unknown, backoff: Backoff): Promise<void> {
    const refused = error instanceof ProblemError && (error.status === 401 || error.status === 403);
    const expected = error instanceof ProblemError || error instanceof ServerUnavailable;
    if (refused || !expected) {
      this.stop();
      this.lose();
      throw error;
    }
    this.#idle.forget();
    if (error instanceof ServerUnavailable && this.#stopping && !this.busy) return;
    const ms = backoff.next(error instanceof ProblemError ? error.retryAfterMs : undefined);
    this.log.warn("server_unavailable", { reason: error.message, retry_in_ms: Math.round(ms) });
    if (this.#stopping) await pause(Math.min(ms, kStoppingPauseMs), this.#lost.signal);
    else await pause(ms, this.#stop.signal);
  }
}
