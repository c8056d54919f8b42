// `Client`: start runs, look at them, follow them, steer them, and everything around them.

import { randomUUID } from "node:crypto";

import { Approvals } from "./approvals.js";
import { Blobs } from "./blobs.js";
import { Calls, kPageSize, segment, withQuery } from "./calls.js";
import { DeadLetters } from "./dead_letters.js";
import { formatDuration } from "./durations.js";
import { Endpoint } from "./endpoint.js";
import { RunNotFinished } from "./errors.js";
import { Events } from "./events.js";
import { follow, Patience } from "./following.js";
import { kRequestTimeoutMs, Transport } from "./http.js";
import { hasEnded, type JournalEvent, type Run, type RunStatus, type Tax } from "./models.js";
import { Session } from "./session.js";
import { pause } from "./timers.js";

/** How long one request waits for the end of a run. */
const kMaxWaitMs = 60_000;

export interface ClientOptions {
  /** URL; by default `GANGLION_SERVER`, else `http://127.0.0.1:7420`. */
  readonly server?: string | undefined;
  /** Bearer token; by default `GANGLION_TOKEN`. */
  readonly token?: string | undefined;
}

export interface StartOptions {
  /** Groups runs; names the session whose state they share. */
  readonly sessionId?: string | undefined;
  /** -1000 … 1000; tasks of higher priority go first. */
  readonly priority?: number | undefined;
  /** For finding runs again. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** The same key with the same arguments gives the same run, with others `ProblemError` 409 `idempotency_mismatch`.
   * Without one each call is a run of its own. */
  readonly idempotencyKey?: string | undefined;
  /** Milliseconds to wait for the end; the run as it then stands is returned, ended or not. */
  readonly waitMs?: number | undefined;
}

export interface RunFilter {
  readonly workflow?: string | undefined;
  readonly status?: RunStatus | undefined;
  readonly sessionId?: string | undefined;
  /** `name=value`, or a form that the API's `label` takes. */
  readonly label?: string | undefined;
  /** Sub-runs of this run. */
  readonly parent?: string | undefined;
}

export interface FollowOptions {
  /** Only what comes behind this `seq`. */
  readonly after?: number | undefined;
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * A connection to a Ganglion server; share one.
 *
 * Every method rejects with `ProblemError` if the server refuses (with `code`, `status`, `errors`) and with
 * `ServerUnavailable` if there is no answer. A request whose kept connection had ended is sent once more where that is
 * harmless. What the server tells is given as it is, with the API's names.
 */
export class Client {
  /** What people have to decide. */
  readonly approvals: Approvals;
  /** Tasks and events that nobody could process. */
  readonly deadLetters: DeadLetters;
  /** Publish events, look at them, listen to them. */
  readonly events: Events;
  /** Large content by reference. */
  readonly blobs: Blobs;

  readonly #transport: Transport;
  readonly #calls: Calls;

  constructor(options: ClientOptions = {}) {
    this.#transport = new Transport(new Endpoint(options.server, options.token));
    this.#calls = new Calls(this.#transport);
    this.approvals = new Approvals(this.#calls);
    this.deadLetters = new DeadLetters(this.#calls);
    this.events = new Events(this.#calls);
    this.blobs = new Blobs(this.#transport);
  }

  /** Closes all connections; a program that has nothing else to do ends then. */
  close(): void {
    this.#transport.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Starts a run; when this resolves, the run is durable. `input`: at most 1 MiB encoded; by default `{}`. */
  async start<Output = unknown>(
    workflow: string,
    input: unknown = {},
    options: StartOptions = {},
  ): Promise<Run<Output>> {
    const { waitMs = 0 } = options;
    const body = {
      workflow,
      input,
      session_id: options.sessionId,
      priority: options.priority,
      labels: options.labels,
    };
    // A key of our own makes it safe to send the request again when the connection breaks.
    const headers = { "Idempotency-Key": options.idempotencyKey ?? randomUUID() };
    const path = withQuery("/v1/runs", { wait: waitMs > 0 ? formatDuration(waitMs) : undefined });
    return this.#calls.post<Run<Output>>(path, body, { headers, timeoutMs: kRequestTimeoutMs + waitMs });
  }

  /** The run with its steps. `ProblemError` 404 if there is none. */
  async get<Output = unknown>(runId: string): Promise<Run<Output>> {
    return this.#calls.get<Run<Output>>(runPath(runId));
  }

  /** Runs that match everything given, newest first, fetched page by page while you iterate. */
  list(filter: RunFilter = {}): AsyncGenerator<Run, void> {
    const { sessionId, ...rest } = filter;
    return this.#calls.list<Run>("/v1/runs", { ...rest, session_id: sessionId });
  }

  /**
   * The run, once it has ended. `RunNotFinished` after `timeoutMs` (by default: however long it takes). A server that is
   * away for a while (about 40 s) is waited for, too. When `signal` is aborted it rejects with the signal's reason.
   */
  async wait<Output = unknown>(
    runId: string,
    options: { timeoutMs?: number | undefined; signal?: AbortSignal | undefined } = {},
  ): Promise<Run<Output>> {
    const { timeoutMs = Infinity, signal } = options;
    const deadline = performance.now() + timeoutMs;
    const patience = new Patience();
    for (;;) {
      signal?.throwIfAborted();
      const left = deadline - performance.now();
      const waitMs = Math.min(Math.max(left, 0), kMaxWaitMs);
      const path = withQuery(runPath(runId), { wait: waitMs >= 1 ? formatDuration(waitMs) : undefined });
      const request = { method: "GET", path, timeoutMs: waitMs + kRequestTimeoutMs };
      let run: Run<Output>;
      try {
        run = (await this.#transport.request(request, signal)).json<Run<Output>>();
        patience.reset();
      } catch (error) {
        signal?.throwIfAborted();
        const ms = patience.next(error);
        if (performance.now() + ms > deadline) throw error;
        await pause(ms, signal);
        continue;
      }
      if (hasEnded(run)) return run;
      if (performance.now() >= deadline)
        throw new RunNotFinished(`run ${runId} is ${run.status} after ${timeoutMs} ms`);
    }
  }

  /** The events so far with a higher `seq` than `after`, in order. Does not wait for more; `follow` does. */
  async *journal(runId: string, options: { after?: number | undefined } = {}): AsyncGenerator<JournalEvent, void> {
    let after = options.after ?? 0;
    for (;;) {
      const path = withQuery(runPath(runId, "/journal"), { after, limit: kPageSize });
      const page = await this.#calls.get<{ items: JournalEvent[]; next_cursor?: string | null }>(path);
      for (const event of page.items) {
        after = Math.max(after, event.seq);
        yield event;
      }
      if (!page.items.length || page.next_cursor === null) return;
    }
  }

  /**
   * The events with a higher `seq` than `after`, in order, each once, as they happen; ends when the run has ended.
   *
   * A broken stream is resumed where it stopped. `ServerUnavailable` after 12 attempts in a row (about 40 s) without
   * anything new.
   */
  follow(runId: string, options: FollowOptions = {}): AsyncGenerator<JournalEvent, void> {
    // The stream of a run ends when the run has ended, but also when the server goes away, and a proxy can make the
    // second look like the first. So an end is believed only if the run's status says so, and what the stream did not
    // bring is read from the journal.
    const rest = async (seq: number): Promise<JournalEvent[] | undefined> => {
      if (!hasEnded(await this.get(runId))) return undefined;
      const events: JournalEvent[] = [];
      for await (const event of this.journal(runId, { after: seq })) events.push(event);
      return events;
    };
    return follow<JournalEvent>(this.#transport, runPath(runId, "/journal"), options.after ?? 0, rest, options.signal);
  }

  /** Cancels the run; idempotent. Once this resolves nothing new is handed out and running tasks are told. */
  async cancel(runId: string, options: { reason?: string | undefined } = {}): Promise<Run> {
    return this.#calls.post<Run>(runPath(runId, "/cancel"), { reason: options.reason });
  }

  /** Hands out nothing new until `resume`; idempotent. */
  async pause(runId: string): Promise<Run> {
    return this.#act(runId, "/pause");
  }

  /** Goes on with a paused run; idempotent. */
  async resume(runId: string): Promise<Run> {
    return this.#act(runId, "/resume");
  }

  /** Opens a failed run again and goes on from what failed. */
  async retry(runId: string): Promise<Run> {
    return this.#act(runId, "/retry");
  }

  /**
   * A new run that shares the run's journal up to the beginning of a step, and goes on from there, with another `input`
   * if one is given. `ProblemError` 422 for an unknown step, 409 where the step has not begun.
   */
  async fork<Output = unknown>(
    runId: string,
    fromStep: string,
    options: { input?: unknown } = {},
  ): Promise<Run<Output>> {
    return this.#calls.post<Run<Output>>(
      runPath(runId, "/fork"),
      { from_step: fromStep, input: options.input },
      { once: true },
    );
  }

  /** Sends a signal, any JSON, to the steps of the run that wait for it. `ProblemError` 409 if the run has ended. */
  async signal(
    runId: string,
    name: string,
    data: unknown = null,
    options: { idempotencyKey?: string | undefined } = {},
  ): Promise<Run> {
    const headers = { "Idempotency-Key": options.idempotencyKey ?? randomUUID() };
    return this.#calls.post<Run>(runPath(runId, `/signals/${segment(name)}`), data, { headers });
  }

  /** Where the time of the run went. */
  async tax(runId: string): Promise<Tax> {
    return this.#calls.get<Tax>(runPath(runId, "/tax"));
  }

  /** A session: its state and what it sums up. No request is made. */
  session(sessionId: string): Session {
    return new Session(this.#transport, sessionId);
  }

  /** The active project file, as YAML text. */
  async project(): Promise<string> {
    const answer = await this.#transport.request({
      method: "GET",
      path: "/v1/project",
      headers: { Accept: "text/yaml" },
    });
    if (!answer.ok) answer.json();
    return answer.body.toString("utf8");
  }

  /** Makes `source` (YAML) the active project for new runs. `ProblemError` 422 with every error in it. */
  async putProject(source: string): Promise<Record<string, unknown>> {
    const request = { method: "PUT", path: "/v1/project", body: source, headers: { "Content-Type": "text/yaml" } };
    return (await this.#transport.request(request)).json<Record<string, unknown>>();
  }

  async #act(runId: string, action: string): Promise<Run> {
    return (await this.#transport.request({ method: "POST", path: runPath(runId, action) })).json<Run>();
  }
}

function runPath(runId: string, action = ""): string {
  return `/v1/runs/${segment(runId)}${action}`;
}
