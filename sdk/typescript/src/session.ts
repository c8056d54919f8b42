import { segment, withQuery } from "./calls.js";
import { formatDuration } from "./durations.js";
import { ProblemError } from "./errors.js";
import type { HttpResponse, Transport } from "./http.js";
import { encodeJson } from "./json.js";
import type { SessionInfo, StateEntry, StateSnapshot } from "./models.js";

export interface PutStateOptions {
  /** Write only if the key was last written at this version: else `ProblemError` 412 `precondition_failed`. */
  readonly ifVersion?: number | undefined;
  /** Write only if there is no such key: else the same. */
  readonly ifAbsent?: boolean | undefined;
  /** Forget the key after so long. */
  readonly ttlMs?: number | undefined;
}

/** Lost races in a row before `update` gives up. */
const kMaxUpdateAttempts = 100;

/** A session and its state, which has a version that each write raises: `client.session(id)`. */
export class Session {
  readonly id: string;
  readonly #transport: Transport;

  constructor(transport: Transport, id: string) {
    this.#transport = transport;
    this.id = id;
  }

  /** What the session sums up. */
  async info(): Promise<SessionInfo> {
    return (await this.#transport.request({ method: "GET", path: this.#path("") })).json<SessionInfo>();
  }

  /** The value of a key and the version at which it was written; undefined if there is none. */
  async get<Value = unknown>(key: string): Promise<StateEntry<Value> | undefined> {
    const answer = await this.#transport.request({ method: "GET", path: this.#key(key) });
    if (answer.status === 404) return undefined;
    return { value: answer.json<Value>(), version: versionOf(answer) };
  }

  /** Writes a key, any JSON; the version of the state that this made. */
  async put(key: string, value: unknown, options: PutStateOptions = {}): Promise<number> {
    const headers: Record<string, string> = {};
    if (options.ifVersion !== undefined) headers["If-Match"] = `"${options.ifVersion}"`;
    if (options.ifAbsent) headers["If-None-Match"] = "*";
    const ttl = options.ttlMs === undefined ? undefined : formatDuration(options.ttlMs);
    const answer = await this.#transport.request({
      method: "PUT",
      path: withQuery(this.#key(key), { ttl }),
      body: encodeJson(value),
      headers,
      // A second copy of a conditional write would lose against the first.
      once: Object.keys(headers).length > 0,
    });
    return answer.json<{ version: number }>().version;
  }

  /**
   * Changes a key as if nobody else wrote it meanwhile: `change` gets the value (undefined if there is none) and gives the
   * new one; it is called again where another writer came first. What was written, with its version.
   */
  async update<Value = unknown>(
    key: string,
    change: (value: Value | undefined) => Value | Promise<Value>,
  ): Promise<StateEntry<Value>> {
    for (let attempt = 1; ; ++attempt) {
      const entry = await this.get<Value>(key);
      const value = await change(entry?.value);
      try {
        const condition = entry ? { ifVersion: entry.version } : { ifAbsent: true };
        return { value, version: await this.put(key, value, condition) };
      } catch (error) {
        const lost = error instanceof ProblemError && error.status === 412;
        if (!lost || attempt === kMaxUpdateAttempts) throw error;
      }
    }
  }

  /** Removes a key, also one that isn't there; with `ifVersion` only as it was written then (else `ProblemError` 412). */
  async delete(key: string, options: { ifVersion?: number | undefined } = {}): Promise<void> {
    const headers: Record<string, string> =
      options.ifVersion === undefined ? {} : { "If-Match": `"${options.ifVersion}"` };
    const once = options.ifVersion !== undefined;
    const answer = await this.#transport.request({ method: "DELETE", path: this.#key(key), headers, once });
    if (answer.status !== 404 || once) answer.json();
  }

  /** All keys at one version, by default the latest. `ProblemError` 410 `gone` for one that is no longer kept. */
  async snapshot(version?: number): Promise<StateSnapshot> {
    const path = withQuery(this.#path("/state"), { version });
    return (await this.#transport.request({ method: "GET", path })).json<StateSnapshot>();
  }

  #path(rest: string): string {
    return `/v1/sessions/${segment(this.id)}${rest}`;
  }

  #key(key: string): string {
    return this.#path(`/state/${segment(key)}`);
  }
}

function versionOf(answer: HttpResponse): number {
  const match = /^(?:W\/)?"(\d+)"$/.exec(answer.headers.etag ?? "");
  if (!match) throw new ProblemError({ status: 502, code: "malformed_answer", title: "The answer has no version" });
  return Number(match[1]);
}
