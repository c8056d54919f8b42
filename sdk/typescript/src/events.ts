import { randomUUID } from "node:crypto";

import { type Calls, withQuery } from "./calls.js";
import { follow } from "./following.js";
import type { PublishResult, TopicEvent } from "./models.js";

/** An event to be published, a CloudEvent. */
export interface NewEvent {
  /** The CloudEvents `type`: `file.uploaded`. */
  readonly topic: string;
  readonly data?: unknown;
  /** With `id` it makes the event idempotent: the same pair is published once. By default `ganglion-typescript`. */
  readonly source?: string | undefined;
  /** By default a random one. */
  readonly id?: string | undefined;
  readonly subject?: string | undefined;
  readonly time?: Date | undefined;
  /** Of the topic's schema, by default the latest. */
  readonly version?: number | undefined;
}

const kDefaultSource = "ganglion-typescript";

/** Publish events, look at them, listen to them: `client.events`. */
export class Events {
  readonly #calls: Calls;

  constructor(calls: Calls) {
    this.#calls = calls;
  }

  /** Publishes an event; when this resolves, it is durable. `ProblemError` 422 if it breaks the topic's schema. */
  async publish(topic: string, data?: unknown, options: Omit<NewEvent, "topic" | "data"> = {}): Promise<PublishResult> {
    const event = cloudEvent({ ...options, topic, data });
    const headers = { "Content-Type": "application/cloudevents+json" };
    const answer = await this.#calls.post<{ items: [PublishResult] }>("/v1/events", event, { headers });
    return answer.items[0];
  }

  /** The same for several, in order, in one request: all of them or none. */
  async publishAll(events: readonly NewEvent[]): Promise<PublishResult[]> {
    const headers = { "Content-Type": "application/cloudevents-batch+json" };
    const batch = events.map(cloudEvent);
    return (await this.#calls.post<{ items: PublishResult[] }>("/v1/events", batch, { headers })).items;
  }

  /** Recent events, newest first, fetched page by page while you iterate. `topic`: a pattern (`file.*`). */
  list<Data = unknown>(
    filter: { topic?: string | undefined; limit?: number | undefined } = {},
  ): AsyncGenerator<TopicEvent<Data>, void> {
    return this.#calls.list<TopicEvent<Data>>("/v1/events", { topic: filter.topic }, filter.limit);
  }

  /**
   * Events as they are published, in order, each once: from now on, or all behind the `seq` `after`. Goes on over broken
   * connections without a gap; ends, without an error, when `signal` is aborted. `ServerUnavailable` after 12 attempts in
   * a row (about 40 s).
   */
  async *tail<Data = unknown>(
    options: { topic?: string | undefined; after?: number | undefined; signal?: AbortSignal | undefined } = {},
  ): AsyncGenerator<TopicEvent<Data>, void> {
    // "From now on" is fixed once: a connection that breaks before the first event must not lose any.
    const after = options.after ?? (await this.#latestSeq(options.topic));
    const path = withQuery("/v1/events", { topic: options.topic });
    const neverEnds = (): Promise<undefined> => Promise.resolve(undefined);
    yield* follow<TopicEvent<Data>>(this.#calls.transport, path, after, neverEnds, options.signal);
  }

  async #latestSeq(topic: string | undefined): Promise<number> {
    for await (const event of this.list({ topic, limit: 1 })) return event.seq;
    return 0;
  }
}

function cloudEvent(event: NewEvent): Record<string, unknown> {
  return {
    specversion: "1.0",
    id: event.id ?? randomUUID(),
    source: event.source ?? kDefaultSource,
    type: event.topic,
    subject: event.subject,
    time: event.time?.toISOString(),
    datacontenttype: "application/json",
    topicversion: event.version,
    data: event.data ?? null,
  };
}
