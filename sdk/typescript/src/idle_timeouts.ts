// How long the server lets an agent be silent (`idle_timeout` of the project file). A task doesn't say it, so it is asked
// for: before the first task, and then, as the project may change, at most once a minute and after the server was away.

import { parseDuration } from "./durations.js";
import { ProblemError, ServerUnavailable } from "./errors.js";
import type { Transport } from "./http.js";
import type { AgentInfo } from "./models.js";

const kFreshMs = 60_000;
const kAskMs = 5_000;

export class IdleTimeouts {
  readonly #names: readonly string[];
  readonly #transport: Transport;
  readonly #known = new Map<string, number>();
  #askedAt = -Infinity;
  #asking = false;

  constructor(names: readonly string[], transport: Transport) {
    this.#names = names;
    this.#transport = transport;
  }

  of(agent: string): number | undefined {
    return this.#known.get(agent);
  }

  /** What is known may be old: ask again at the next occasion. */
  forget(): void {
    this.#askedAt = -Infinity;
  }

  /** Asks where it is time to. Whether anything is different now. Never rejects. */
  async refresh(): Promise<boolean> {
    if (this.#asking || performance.now() - this.#askedAt < kFreshMs) return false;
    this.#asking = true;
    this.#askedAt = performance.now();
    let changed = false;
    try {
      for (const name of this.#names) changed = (await this.#ask(name)) || changed;
    } catch (error) {
      if (!(error instanceof ServerUnavailable)) throw error;
      this.forget();
    } finally {
      this.#asking = false;
    }
    return changed;
  }

  async #ask(name: string): Promise<boolean> {
    const path = `/v1/agents/${encodeURIComponent(name)}`;
    const before = this.#known.get(name);
    let now: number | undefined;
    try {
      const answer = await this.#transport.request({ method: "GET", path, timeoutMs: kAskMs });
      now = parseDuration(answer.json<AgentInfo>().idle_timeout);
    } catch (error) {
      // No such agent in the active project: its tasks come from runs of an older one. Or the server refuses this
      // worker, which the first poll will tell.
      if (!(error instanceof ProblemError)) throw error;
      return false;
    }
    if (now === undefined) this.#known.delete(name);
    else this.#known.set(name, now);
    return now !== before;
  }
}
