// Results that have no verdict yet.
//
// A result stays here until the server has said what became of it, through any number of failed attempts to send it; its
// token makes sending it again harmless. Bounded: a result keeps its task's place in the lane (`Lane.free`), so there are
// never more results than the lane has places.

import type { Outcome } from "./agent.js";

/** Results in one request, and their length unless a single one is longer. */
const kMaxBatch = 256;
const kMaxBatchLength = 4 * 1024 * 1024;

/** A result, encoded, and how often it was sent. */
export interface PendingResult {
  readonly token: string;
  readonly agent: string;
  readonly body: string;
  readonly ok: boolean;
  sent: number;
}

/** First in, first out; one entry per token, the first one wins. */
export class Outbox {
  readonly #results = new Map<string, PendingResult>();
  #oneByOne = false;

  get size(): number {
    return this.#results.size;
  }

  has(token: string): boolean {
    return this.#results.has(token);
  }

  put(token: string, agent: string, outcome: Outcome): void {
    if (this.#results.has(token)) return;
    const body = `{"token":${JSON.stringify(token)},${outcome.fields}}`;
    this.#results.set(token, { token, agent, body, ok: outcome.ok, sent: 0 });
  }

  /** The oldest results that fit into one request; they stay in the outbox. */
  batch(): PendingResult[] {
    const chosen: PendingResult[] = [];
    let length = 0;
    for (const result of this.#results.values()) {
      length += result.body.length;
      if (chosen.length && (this.#oneByOne || chosen.length === kMaxBatch || length > kMaxBatchLength)) break;
      chosen.push(result);
    }
    return chosen;
  }

  /** They have their verdicts. */
  settle(results: readonly PendingResult[]): void {
    for (const result of results) this.#results.delete(result.token);
    this.#oneByOne = false;
  }

  /** The server refused a batch as a whole: the next one has a single result, to find the one to blame. */
  sendOneByOne(): void {
    this.#oneByOne = true;
  }

  /** The server will never take `result`; say so in its place. */
  replace(result: PendingResult, outcome: Outcome): void {
    this.#results.delete(result.token);
    this.put(result.token, result.agent, outcome);
  }
}
