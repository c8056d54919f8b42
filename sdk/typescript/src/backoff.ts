// How long to stay away from a server that does not answer.

const kFirstMs = 100;
const kLimitMs = 5_000;
const kMostAskedForMs = 60_000;

/** Each pause is random between half and all of a limit that doubles from 0.1 s to 5 s. */
export class Backoff {
  #limit = kFirstMs;

  reset(): void {
    this.#limit = kFirstMs;
  }

  /** Milliseconds to wait now; never less than `atLeastMs`, what the server asked for (at most a minute). */
  next(atLeastMs = 0): number {
    const pause = this.#limit * (0.5 + Math.random() / 2);
    this.#limit = Math.min(kLimitMs, this.#limit * 2);
    return Math.max(pause, Math.min(atLeastMs, kMostAskedForMs));
  }
}
