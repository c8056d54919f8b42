import { type Calls, segment } from "./calls.js";
import type { DeadLetter, RequeueResult } from "./models.js";

/** Tasks and events that nobody could process: `client.deadLetters`. */
export class DeadLetters {
  readonly #calls: Calls;

  constructor(calls: Calls) {
    this.#calls = calls;
  }

  list(
    filter: { runId?: string | undefined; kind?: DeadLetter["kind"] | undefined } = {},
  ): AsyncGenerator<DeadLetter, void> {
    return this.#calls.list<DeadLetter>("/v1/dead-letters", { run: filter.runId, kind: filter.kind });
  }

  /** Tries it again: a task in its run, an event as if it came now. `ProblemError` 409 if the run went on without it. */
  requeue(id: string): Promise<RequeueResult> {
    return this.#calls.post<RequeueResult>(`/v1/dead-letters/${segment(id)}/requeue`, {}, { once: true });
  }

  async delete(id: string): Promise<void> {
    const path = `/v1/dead-letters/${segment(id)}`;
    (await this.#calls.transport.request({ method: "DELETE", path, once: true })).json();
  }

  /** Deletes all of them; how many there were. */
  async purge(): Promise<number> {
    const answer = await this.#calls.transport.request({ method: "DELETE", path: "/v1/dead-letters", once: true });
    return answer.json<{ purged: number }>().purged;
  }
}
