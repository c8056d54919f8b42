// Following an event stream over broken connections: every event once, in order.
//
// A stream is resumed behind the last event that was seen. Whether its end is an end or a cut, only the caller knows.

import { ProblemError, ServerUnavailable } from "./errors.js";
import type { HttpRequest, Transport } from "./http.js";
import { isObject } from "./json.js";
import { EventStreamParser } from "./sse.js";
import { pause } from "./timers.js";

/** A stream that says nothing for so long, not even a comment, counts as broken. */
const kSilenceMs = 60_000;
/** Attempts in a row without anything new before giving up: about 40 s. */
const kMaxAttempts = 12;

export interface Numbered {
  readonly seq: number;
}

/** Counts what goes wrong in a row, and says how long to stay away: 0.1 s, doubling up to 5 s. */
export class Patience {
  #failures = 0;

  reset(): void {
    this.#failures = 0;
  }

  /** Milliseconds to wait before the next attempt. Throws `error` where waiting makes no sense (any more). */
  next(error: unknown): number {
    if (error instanceof ProblemError ? !error.temporary : !(error instanceof ServerUnavailable)) throw error;
    if (++this.#failures >= kMaxAttempts) throw error;
    const asked = error instanceof ProblemError ? (error.retryAfterMs ?? 0) : 0;
    return Math.max(Math.min(5_000, 100 * 2 ** (this.#failures - 1)), Math.min(asked, 60_000));
  }
}

/**
 * Events with a higher `seq` than `after`. `rest(seq)`: called when a stream ended; what it brings behind `seq` comes
 * last, and undefined means that the end was none. Ends without an error when `signal` is aborted.
 */
export async function* follow<Event extends Numbered>(
  transport: Transport,
  path: string,
  after: number,
  rest: (seq: number) => Promise<Event[] | undefined>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Event, void> {
  const patience = new Patience();
  let last = after;
  const fresh = (events: readonly Event[]): Event[] =>
    events.filter((event) => {
      if (event.seq <= last) return false;
      last = event.seq;
      patience.reset();
      return true;
    });
  while (!signal?.aborted) {
    let ms: number;
    try {
      const parser = new EventStreamParser();
      for await (const piece of transport.stream(streamRequest(path, last), signal)) {
        for (const event of fresh(parser.feed(piece).flatMap((sent) => eventOf<Event>(sent.data)))) {
          yield event;
          if (signal?.aborted) return;
        }
      }
      if (signal?.aborted) return;
      const ending = await rest(last);
      if (ending) return yield* fresh(ending);
      ms = patience.next(new ServerUnavailable("the event stream ended early, again and again"));
    } catch (error) {
      ms = patience.next(error);
    }
    await pause(ms, signal);
  }
}

function streamRequest(path: string, after: number): HttpRequest {
  const headers = { Accept: "text/event-stream", "Last-Event-ID": String(after) };
  return { method: "GET", path, headers, timeoutMs: kSilenceMs };
}

function eventOf<Event extends Numbered>(data: string): Event[] {
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    throw new ServerUnavailable("the event stream has something that is not JSON");
  }
  return isObject(value) && typeof value["seq"] === "number" ? [value as unknown as Event] : [];
}
