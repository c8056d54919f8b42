// What the parts of the client share: calls that answer JSON, and listings page by page.

import type { HttpRequest, Transport } from "./http.js";
import { encodeJson } from "./json.js";

/** Items per page of a listing; the most that the server gives. */
export const kPageSize = 200;

export type Query = Readonly<Record<string, string | number | undefined>>;

/** `path` with those of `query` that are given. */
export function withQuery(path: string, query: Query): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) given.append(name, String(value));
  return given.size ? `${path}?${given}` : path;
}

/** A part of a path. */
export function segment(text: string): string {
  return encodeURIComponent(text);
}

export class Calls {
  constructor(readonly transport: Transport) {}

  async get<T>(path: string): Promise<T> {
    return (await this.transport.request({ method: "GET", path })).json<T>();
  }

  async post<T>(path: string, body: unknown, more: Partial<HttpRequest> = {}): Promise<T> {
    const request = { method: "POST", path, body: encodeJson(body), ...more };
    return (await this.transport.request(request)).json<T>();
  }

  /** Every item of a listing, fetched page by page while the caller iterates. */
  async *list<Item>(path: string, query: Query, limit = Infinity): AsyncGenerator<Item, void> {
    let cursor: string | undefined;
    let left = limit;
    while (left > 0) {
      const page = await this.get<{ items: Item[]; next_cursor?: string | null }>(
        withQuery(path, { limit: Math.min(kPageSize, left), ...query, cursor }),
      );
      yield* page.items.slice(0, left);
      left -= page.items.length;
      cursor = page.next_cursor ?? undefined;
      if (cursor === undefined || !page.items.length) return;
    }
  }
}
