// Ganglion for TypeScript: agents as functions (`Worker`), runs from programs (`Client`). Nothing but Node is needed.

export type { AgentFunction } from "./agent.js";
export { Approvals, type DecideOptions } from "./approvals.js";
export { Blobs, isBlobRef, kMaxBlobBytes } from "./blobs.js";
export { Client, type ClientOptions, type FollowOptions, type RunFilter, type StartOptions } from "./client.js";
export { DeadLetters } from "./dead_letters.js";
export {
  Fail,
  type FieldError,
  GanglionError,
  ProblemError,
  Retry,
  RunNotFinished,
  ServerUnavailable,
  TaskCancelled,
} from "./errors.js";
export { Events, type NewEvent } from "./events.js";
export type { LogFormat, Logger } from "./log.js";
export * from "./models.js";
export { type PutStateOptions, Session } from "./session.js";
export type { Task } from "./task.js";
export { type AgentOptions, Worker, type WorkerOptions } from "./worker.js";
