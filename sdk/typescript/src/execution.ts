// One attempt in work: the agent's call, its heartbeats, and who may end it.
//
// Heartbeats start only for tasks that run longer than an interval, and at once when the agent reports progress. The
// interval is 5 s, or a third of the time to the deadline or of the agent's idle timeout if that is less. The answer tells
// whether anybody still waits for the result.

import { type Agent, failure, failureOf, type Outcome, success } from "./agent.js";
import { ProblemError, ServerUnavailable, TaskCancelled } from "./errors.js";
import type { HttpRequest, HttpResponse } from "./http.js";
import type { Logger } from "./log.js";
import { Effects, Task, type TaskWire } from "./task.js";

const kMinHeartbeatMs = 100;
const kMinDeadlineHeartbeatMs = 500;
const kMaxHeartbeatMs = 5_000;
const kHeartbeatTimeoutMs = 10_000;
/** Progress is sent at most so often. */
const kProgressMs = 1_000;

/** What an execution needs of its lane. */
export interface ExecutionHost {
  readonly worker: string;
  readonly log: Logger;
  readonly transport: { request(request: HttpRequest): Promise<HttpResponse> };
  /** How long the agent may be silent, as far as is known. */
  idleTimeoutMs(agent: string): number | undefined;
  /** Called once, with the outcome, or undefined if nobody wants it any more. */
  done(execution: Execution, outcome: Outcome | undefined): void;
}

export class Execution {
  readonly task: Task;
  /** The server said that nobody waits for the result. */
  unwanted = false;

  readonly #host: ExecutionHost;
  readonly #effects = new Effects(() => this.#progressMade());
  readonly #abort = new AbortController();
  #ended = false;
  #returned = false;
  #timer: NodeJS.Timeout | undefined;
  #beating = false;
  #lastBeat = -Infinity;

  constructor(wire: TaskWire, host: ExecutionHost) {
    this.#host = host;
    this.task = new Task(wire, this.#effects, this.#abort.signal);
  }

  /** Whether the function still works, although its task may have been handed back. */
  get working(): boolean {
    return !this.#returned;
  }

  /** Calls the agent's function, from the event loop. */
  begin(agent: Agent): void {
    this.rearm();
    const begun = performance.now();
    const elapsed = (): number => performance.now() - begun;
    Promise.resolve()
      .then(() => agent.function(this.task.input, this.task))
      .then(
        (value) => this.#ends(() => success(value, this.task.agent, this.#effects, elapsed())),
        (error: unknown) => this.#ends(() => this.#failed(error, elapsed())),
      );
  }

  /** Nobody waits for the result: the function is told. It keeps its place until it ends. */
  cancel(): void {
    this.unwanted = true;
    this.#abort.abort(new TaskCancelled());
  }

  /** The worker stops now: hand the task back, whatever the function is doing. */
  abandon(): void {
    if (!this.#ended) this.#end(failure("worker_stopping", "the worker stopped before the task was done", true));
    this.#abort.abort(new TaskCancelled("the worker stops"));
  }

  /** Sets the time of the next heartbeat by what is known now. */
  rearm(): void {
    this.#beatIn(this.#interval());
  }

  #failed(error: unknown, workMs: number): Outcome {
    const outcome = failureOf(error, this.#effects, workMs);
    if (!this.unwanted && outcome.fields.startsWith('"error":{"code":"exception"')) {
      const { agent, runId, step } = this.task;
      const stack = error instanceof Error ? error.stack : String(error);
      this.#host.log.warn("agent_exception", { agent, run: runId, step, exception: stack });
    }
    return outcome;
  }

  #ends(outcome: () => Outcome): void {
    this.#returned = true;
    if (!this.#ended) this.#end(this.unwanted ? undefined : outcome());
  }

  #end(outcome: Outcome | undefined): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#host.done(this, this.unwanted ? undefined : outcome);
  }

  #interval(): number {
    const left = this.task.deadline ? this.task.deadline.getTime() - Date.now() : Infinity;
    const idle = this.#host.idleTimeoutMs(this.task.agent) ?? Infinity;
    return Math.max(kMinHeartbeatMs, Math.min(kMaxHeartbeatMs, Math.max(kMinDeadlineHeartbeatMs, left / 3), idle / 3));
  }

  #progressMade(): void {
    if (!this.#ended) this.#beatIn(Math.max(0, this.#lastBeat + kProgressMs - performance.now()));
  }

  #beatIn(ms: number): void {
    clearTimeout(this.#timer);
    if (!this.#ended) this.#timer = setTimeout(() => this.#beat(), ms);
  }

  #beat(): void {
    if (!this.#beating) {
      this.#lastBeat = performance.now();
      this.#beating = true;
      void this.#heartbeat().finally(() => (this.#beating = false));
    }
    this.rearm();
  }

  async #heartbeat(): Promise<void> {
    const { token } = this.task;
    const progress = this.#effects.progress;
    const fields = [`"token":${JSON.stringify(token)}`, `"worker":${JSON.stringify(this.#host.worker)}`];
    if (progress) fields.push(`"progress":${progress.fraction}`);
    if (progress?.details !== undefined) fields.push(`"details":${progress.details}`);
    const body = `{${fields.join(",")}}`;
    try {
      const request = { method: "POST", path: "/v1/tasks/heartbeat", body, timeoutMs: kHeartbeatTimeoutMs };
      const answer = (await this.#host.transport.request(request)).json<{ cancelled?: boolean; deadline?: string }>();
      if (this.#ended) return;
      if (answer.cancelled) {
        this.#host.log.info("task_cancelled", { agent: this.task.agent, run: this.task.runId });
        this.cancel();
      } else if (answer.deadline) {
        this.task.moveDeadline(answer.deadline);
      }
    } catch (error) {
      if (error instanceof ServerUnavailable) return; // the next heartbeat tries again
      if (!(error instanceof ProblemError)) throw error;
      if (this.#ended) return;
      if (error.status === 404 || error.status === 409) this.cancel();
      else if (!error.temporary) {
        this.#host.log.warn("heartbeat_refused", { agent: this.task.agent, reason: error.message });
        if (this.#effects.progress) this.#effects.progress = { ...this.#effects.progress, details: undefined };
      }
    }
  }
}
