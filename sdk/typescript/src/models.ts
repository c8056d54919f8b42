// What the server tells, as the HTTP API writes it. Fields that a newer server adds are there, too, untyped. Times are
// RFC 3339 UTC with milliseconds. Listings may leave out what is long.

/** Anything that JSON can say. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export type RunStatus = "running" | "waiting" | "paused" | "completed" | "failed" | "cancelled";
export type StepStatus = "pending" | "ready" | "running" | "waiting" | "completed" | "failed" | "skipped" | "cancelled";

/** Why a run, a step or a dead letter failed. */
export interface Failure {
  readonly code: string;
  readonly message: string;
}

/** What was used: `input_tokens`, `output_tokens`, `tokens`, `usd`, or names of your own. */
export type Usage = Readonly<Record<string, number>>;

/** What a step waits for, where it waits for something outside. */
export type WaitingFor =
  | { readonly kind: "timer"; readonly until: string }
  | { readonly kind: "approval"; readonly id: string; readonly by: readonly string[] }
  | { readonly kind: "event"; readonly event: string };

/** One step of a run. The output of a mapped step is the list of its items' outputs, in order. */
export interface Step {
  readonly status: StepStatus;
  readonly attempts: number;
  readonly output?: unknown;
  readonly error?: Failure | null;
  readonly started_at?: string | null;
  readonly ended_at?: string | null;
  readonly usage?: Usage;
  /** Of a step with `until`, from 1; else null. */
  readonly iteration?: number | null;
  /** Who performs it or performed it last. */
  readonly agent?: string | null;
  /** Of the sub-run, where the step is one and is not mapped. */
  readonly run_id?: string | null;
  readonly waiting_for?: WaitingFor | null;
}

/** One execution of a workflow. `definition` is the digest of the project file that it was started with. */
export interface Run<Output = unknown> {
  readonly id: string;
  readonly workflow: string;
  readonly definition: string;
  readonly status: RunStatus;
  readonly input?: unknown;
  /** `null` until the run has completed. */
  readonly output: Output;
  readonly error: Failure | null;
  readonly session_id: string | null;
  readonly labels?: Readonly<Record<string, string>>;
  readonly created_at: string;
  readonly ended_at: string | null;
  readonly usage?: Usage;
  readonly steps: Readonly<Record<string, Step>>;
  readonly parent?: { readonly run_id: string; readonly step: string; readonly item: number | null } | null;
  readonly cause?: { readonly event: number } | null;
  readonly forked_from?: { readonly run_id: string; readonly seq: number; readonly step: string | null } | null;
  readonly budget?: { readonly tokens?: number; readonly usd?: number } | null;
}

/** Whether the run has reached its final state. */
export function hasEnded(run: Pick<Run, "status">): boolean {
  return run.status === "completed" || run.status === "failed" || run.status === "cancelled";
}

/** One event of a run's journal. `seq` counts from 1 without a gap; its order is the order of the run. */
export interface JournalEvent {
  readonly seq: number;
  readonly at: string;
  readonly type: string;
  readonly step?: string | null;
  readonly item?: number | null;
  readonly attempt?: number | null;
  readonly data?: unknown;
}

/** Where a run's time went: the work of its agents, and the tax, the time for everything else. Milliseconds. */
export interface Tax {
  readonly wall_ms: number;
  readonly work_ms: number;
  readonly tax_ms: number;
  readonly tax_ratio: number;
  readonly parts: Readonly<Record<"admit" | "queue" | "dispatch" | "persist" | "decide" | "backoff", number>>;
  readonly messages: number;
  readonly context_bytes: number;
  readonly repeated_context_bytes: number;
  readonly tokens: number;
  readonly critical_path: readonly {
    readonly step: string;
    readonly item?: number | null;
    readonly attempt: number;
    readonly started_at: string;
    readonly ended_at: string;
    readonly work_ms: number;
  }[];
}

/** Something that a person has to decide: an `approve` step, or a task of an agent of kind `human`. */
export interface Approval {
  readonly id: string;
  readonly kind: "approval" | "task";
  readonly run_id: string;
  readonly workflow: string;
  readonly step: string;
  readonly item: number | null;
  readonly agent: string | null;
  /** Who may decide; empty: anybody. */
  readonly by: readonly string[];
  /** What is to be decided on. */
  readonly show: unknown;
  /** Binds a decision to exactly what was shown. */
  readonly digest: string;
  readonly requested_at: string;
  readonly expires_at: string | null;
}

export interface DecisionResult {
  readonly id: string;
  readonly decision: "approve" | "reject";
  readonly by: string | null;
  readonly run_id: string;
}

/** A task or an event that nobody could process. */
export interface DeadLetter {
  readonly id: string;
  readonly kind: "task" | "event";
  readonly at: string;
  readonly run_id: string | null;
  readonly workflow: string | null;
  readonly step: string | null;
  readonly item: number | null;
  readonly agent: string | null;
  readonly attempts: number | null;
  readonly input: unknown;
  readonly event: unknown;
  readonly error: Failure;
}

export interface RequeueResult {
  readonly id: string;
  readonly run_id: string | null;
  readonly event_seq: number | null;
}

/** A published event, as CloudEvents 1.0 writes it, with where it stands and where it came from. */
export interface TopicEvent<Data = unknown> {
  readonly specversion: "1.0";
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly time: string;
  readonly subject?: string;
  readonly datacontenttype?: string;
  readonly data: Data;
  readonly seq: number;
  readonly topicversion?: number | null;
  readonly hops?: number;
  readonly cause?: {
    readonly run_id: string | null;
    readonly step: string | null;
    readonly event: number | null;
  } | null;
}

/** What became of an event that was published. `seq` is null if it was dead-lettered. */
export interface PublishResult {
  readonly source: string;
  readonly id: string;
  readonly seq: number | null;
  /** It had been published before: nothing happened. */
  readonly duplicate: boolean;
  readonly dead_lettered: boolean;
}

/** A value of a session's state, and the version at which it was written. */
export interface StateEntry<Value = unknown> {
  readonly value: Value;
  readonly version: number;
  readonly expires_at?: string | null;
}

/** All of a session's state at one version. */
export interface StateSnapshot {
  readonly session_id: string;
  readonly version: number;
  readonly entries: Readonly<Record<string, StateEntry>>;
}

export interface SessionInfo {
  readonly session_id: string;
  readonly state_version: number;
  readonly runs: number;
  readonly open_runs: number;
  readonly usage: Usage;
}

/** Stands for a blob anywhere in an input, an output or an event's data. */
export interface BlobRef {
  readonly $ref: `sha256:${string}`;
}

/** An agent of the active project and how it does. */
export interface AgentInfo {
  readonly name: string;
  readonly kind: string;
  readonly timeout?: string;
  readonly idle_timeout?: string | null;
  readonly breaker?: "none" | "closed" | "open" | "half_open";
  readonly [field: string]: unknown;
}
