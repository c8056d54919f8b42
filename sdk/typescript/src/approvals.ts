import { type Calls, segment } from "./calls.js";
import type { Approval, DecisionResult } from "./models.js";

export interface DecideOptions {
  /** Who decides; needed where the step names people. */
  readonly by?: string | undefined;
  readonly comment?: string | undefined;
  /** Of a task (`kind: "task"`): its output. */
  readonly output?: unknown;
}

/** What people have to decide: `client.approvals`. */
export class Approvals {
  readonly #calls: Calls;

  constructor(calls: Calls) {
    this.#calls = calls;
  }

  /** All that are open, of one run or of every run. */
  list(filter: { runId?: string | undefined } = {}): AsyncGenerator<Approval, void> {
    return this.#calls.list<Approval>("/v1/approvals", { run: filter.runId });
  }

  /** Approves exactly what `approval` shows: `ProblemError` 409 `digest_mismatch` if it is something else by now, 409
   * `conflict` if it is decided, 403 `not_permitted` if `by` is not among those who may. */
  approve(approval: Pick<Approval, "id" | "digest">, options: DecideOptions = {}): Promise<DecisionResult> {
    return this.#decide("approve", approval, options);
  }

  /** Rejects it, under the same conditions; the step fails with code `rejected`. */
  reject(approval: Pick<Approval, "id" | "digest">, options: DecideOptions = {}): Promise<DecisionResult> {
    return this.#decide("reject", approval, options);
  }

  #decide(
    decision: DecisionResult["decision"],
    approval: Pick<Approval, "id" | "digest">,
    options: DecideOptions,
  ): Promise<DecisionResult> {
    const { by, comment, output } = options;
    const body = { decision, digest: approval.digest, by, comment, output };
    return this.#calls.post<DecisionResult>(`/v1/approvals/${segment(approval.id)}`, body, { once: true });
  }
}
