// What can go wrong, as types that a caller can act on.
//
// Two families: what the client throws (`GanglionError` and below) and what an agent throws to end an attempt
// (`Retry`, `Fail`).

/** Base of everything that the client throws. */
export class GanglionError extends Error {
  override readonly name: string = "GanglionError";
}

/** No answer: refused, reset, timed out, or an answer that is not HTTP. Trying again may help. */
export class ServerUnavailable extends GanglionError {
  override readonly name: string = "ServerUnavailable";
}

/** `wait()` ran out of time. The run goes on. */
export class RunNotFinished extends GanglionError {
  override readonly name = "RunNotFinished";
}

/** One entry of a problem's `errors`: where in the request (a JSON pointer), and what is wrong there. */
export interface FieldError {
  readonly path: string;
  readonly message: string;
}

/**
 * The server's answer was an RFC 9457 problem.
 *
 * `code` is the stable, machine-readable reason (`conflict`, `idempotency_mismatch`, `precondition_failed`,
 * `digest_mismatch`, `invalid`, …), `status` the HTTP status, `errors` what is wrong with which field (status 422),
 * `retryAfterMs` how long the server asks to stay away (429 and 503). `problem` is the whole object.
 */
export class ProblemError extends GanglionError {
  override readonly name = "ProblemError";
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly errors: readonly FieldError[];
  readonly retryAfterMs: number | undefined;
  readonly problem: Readonly<Record<string, unknown>>;

  constructor(problem: {
    status: number;
    code: string;
    title?: string;
    detail?: string;
    errors?: readonly FieldError[];
    retryAfterMs?: number | undefined;
    problem?: Record<string, unknown>;
  }) {
    const errors = problem.errors ?? [];
    const reason = problem.detail || problem.title || "the request failed";
    super(
      [`${problem.status} ${problem.code}: ${reason}`, ...errors.map((e) => `  ${e.path}: ${e.message}`)].join("\n"),
    );
    this.status = problem.status;
    this.code = problem.code;
    this.title = problem.title ?? "";
    this.detail = problem.detail ?? "";
    this.errors = errors;
    this.retryAfterMs = problem.retryAfterMs;
    this.problem = problem.problem ?? {};
  }

  /** Whether the same request may succeed later without a change (429 and 5xx). */
  get temporary(): boolean {
    return this.status === 429 || this.status >= 500;
  }
}

/** Throw it in an agent: this attempt failed, another one may succeed. The project file's `retry` decides when. */
export class Retry extends Error {
  override readonly name = "Retry";
  readonly code: string;

  constructor(message = "the agent asked for another attempt", options: { code?: string; cause?: unknown } = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = options.code ?? "retry";
  }
}

/** Throw it in an agent: no further attempt makes sense. `code` is for programs, `message` for people. */
export class Fail extends Error {
  override readonly name = "Fail";

  constructor(
    readonly code: string,
    message: string,
    options: { cause?: unknown } = {},
  ) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
  }
}

/**
 * Nobody waits for a task's result any more. It is the `reason` of the task's `signal`, so whatever was given the signal
 * throws it; let it leave the agent.
 */
export class TaskCancelled extends Error {
  override readonly name = "TaskCancelled";

  constructor(message = "nobody waits for the task's result any more") {
    super(message);
  }
}
