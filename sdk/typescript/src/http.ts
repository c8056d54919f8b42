// HTTP/1.1 for workers and clients: kept connections, long polls that can be taken back, event streams.
//
// On `node:http` and not on `fetch`, for three things that `fetch` does not give: to take back a long poll without
// losing tasks that are on their way in the answer (`stop` of `request`), to send a long body only once the server wants
// it, and more requests a second for the same work (see docs/guide/typescript-sdk.md).

import http from "node:http";
import https from "node:https";
import type { Socket } from "node:net";

import type { Endpoint } from "./endpoint.js";
import { type FieldError, ProblemError, ServerUnavailable } from "./errors.js";
import { isObject } from "./json.js";

/** Time for an answer to a request that does not wait for anything. */
export const kRequestTimeoutMs = 30_000;
const kConnectTimeoutMs = 5_000;
/** The longest answer that is read: 256 tasks of 1 MiB each and what lies around them. */
const kMaxResponseBytes = 320 * 1024 * 1024;
const kMaxHeadBytes = 64 * 1024;
const kMaxIdleConnections = 8;
/** After a long poll was taken back: how long an answer may take that was already on its way. */
const kTakeBackMs = 1_000;
/** Bodies from this size on are sent when the server says so, or after a second without a word from it. */
const kExpectBytes = 1024 * 1024;
const kExpectMs = 1_000;

/** One call of the API. `timeoutMs` is for the whole answer; of a stream for each silence in it. */
export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  /** Carrying it out twice would not be harmless, so it is sent once, over a connection of its own. */
  readonly once?: boolean;
}

/** Status, headers with lower-case names, and the whole body. */
export class HttpResponse {
  constructor(
    readonly status: number,
    readonly headers: http.IncomingHttpHeaders,
    readonly body: Buffer,
  ) {}

  get ok(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  /** The body of a 2xx as JSON; throws `ProblemError` for any other status. The caller knows what the API answers. */
  json<T>(): T {
    if (!this.ok) throw problemOf(this);
    try {
      return (this.body.length ? JSON.parse(this.body.toString("utf8")) : null) as T;
    } catch (error) {
      const detail = error instanceof Error ? error.message : "";
      throw new ProblemError({ status: 502, code: "malformed_answer", title: "The answer is not JSON", detail });
    }
  }
}

/** The error that a response outside 2xx stands for, whoever wrote it (a proxy's page is a problem, too). */
export function problemOf(response: HttpResponse): ProblemError {
  let value: unknown;
  try {
    value = JSON.parse(response.body.toString("utf8"));
  } catch {
    value = undefined;
  }
  const problem = isObject(value) ? value : {};
  const text = (name: string): string => (typeof problem[name] === "string" ? problem[name] : "");
  const listed: unknown[] = Array.isArray(problem["errors"]) ? problem["errors"] : [];
  const errors: FieldError[] = listed
    .filter(isObject)
    .map((entry) => ({ path: String(entry["path"] ?? ""), message: String(entry["message"] ?? "") }));
  const seconds = Number(response.headers["retry-after"] ?? NaN);
  return new ProblemError({
    status: response.status,
    code: text("code") || `http_${response.status}`,
    title: text("title") || "The request failed",
    detail: text("detail"),
    errors,
    retryAfterMs: Number.isFinite(seconds) ? Math.max(0, seconds * 1000) : undefined,
    problem,
  });
}

/** A kept connection that had ended when it was to be used again: the request was not answered. */
class KeptConnectionClosed extends ServerUnavailable {}

/**
 * Sends requests over kept connections.
 *
 * A request on a kept connection that turns out to be closed is sent once more on a new one. So a request may be carried
 * out twice; what carries no key or token that makes this harmless says `once`.
 */
export class Transport {
  readonly #endpoint: Endpoint;
  readonly #headers: Record<string, string>;
  readonly #kept: http.Agent;
  readonly #fresh: http.Agent;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
    this.#headers = endpoint.headers();
    const { Agent } = endpoint.tls ? https : http;
    this.#kept = new Agent({ keepAlive: true, maxFreeSockets: kMaxIdleConnections, scheduling: "lifo" });
    this.#fresh = new Agent({ keepAlive: false });
  }

  /**
   * The server's answer, whatever its status. `ServerUnavailable` if there is none.
   *
   * When `stop` is aborted while the answer is awaited, the server is told that nobody listens any more. If an answer was
   * already under way it is returned, so that tasks in it are not lost; otherwise `ServerUnavailable`.
   */
  async request(request: HttpRequest, stop?: AbortSignal): Promise<HttpResponse> {
    if (request.once) return this.#once(request, this.#fresh, stop);
    try {
      return await this.#once(request, this.#kept, stop);
    } catch (error) {
      if (!(error instanceof KeptConnectionClosed) || stop?.aborted) throw error;
      return this.#once(request, this.#fresh, stop);
    }
  }

  /**
   * The body in pieces, over a connection of its own. Each piece may take `request.timeoutMs` at most. `ProblemError` for
   * any status but a 2xx. When `signal` is aborted it ends without an error.
   */
  async *stream(request: HttpRequest, signal?: AbortSignal): AsyncGenerator<Buffer> {
    if (signal?.aborted) return;
    const { outgoing, answered } = this.#send(request, this.#fresh);
    const stop = (): void => void outgoing.destroy();
    signal?.addEventListener("abort", stop);
    try {
      const incoming = await this.#within(outgoing, request, answered);
      const status = incoming.statusCode ?? 0;
      if (status < 200 || status > 299) {
        throw problemOf(await this.#within(outgoing, request, wholeAnswer(incoming)));
      }
      yield* piecesOf(incoming, request.timeoutMs ?? kRequestTimeoutMs);
    } catch (error) {
      if (signal?.aborted) return;
      throw error instanceof ProblemError ? error : this.#unavailable(error);
    } finally {
      signal?.removeEventListener("abort", stop);
      outgoing.destroy();
    }
  }

  /** Closes all connections. Requests under way end with `ServerUnavailable`. */
  close(): void {
    this.#kept.destroy();
    this.#fresh.destroy();
  }

  async #once(request: HttpRequest, agent: http.Agent, stop: AbortSignal | undefined): Promise<HttpResponse> {
    const { outgoing, answered } = this.#send(request, agent);
    let tooLate: NodeJS.Timeout | undefined;
    const takeBack = (): void => {
      const socket = outgoing.socket;
      if (!socket || socket.connecting) return void outgoing.destroy(new Error("taken back"));
      // A half-close: the server hears that the client leaves, and an answer can still be read.
      socket.end();
      tooLate = setTimeout(() => outgoing.destroy(new Error("taken back")), kTakeBackMs);
    };
    if (stop?.aborted) takeBack();
    stop?.addEventListener("abort", takeBack);
    try {
      return await this.#within(outgoing, request, answered.then(wholeAnswer));
    } catch (error) {
      const closed = isObject(error) && (error["code"] === "ECONNRESET" || error["code"] === "EPIPE");
      throw outgoing.reusedSocket && closed ? new KeptConnectionClosed(this.#reason(error)) : this.#unavailable(error);
    } finally {
      clearTimeout(tooLate);
      stop?.removeEventListener("abort", takeBack);
      // The server answered before it had seen all of the body: what is left of it must not go out.
      if (!outgoing.writableEnded) outgoing.destroy();
    }
  }

  #send(
    request: HttpRequest,
    agent: http.Agent,
  ): { outgoing: http.ClientRequest; answered: Promise<http.IncomingMessage> } {
    const body = typeof request.body === "string" ? Buffer.from(request.body) : request.body;
    const headers: Record<string, string> = { ...this.#headers };
    if (body) headers["Content-Type"] = "application/json";
    Object.assign(headers, request.headers);
    if (body || request.method !== "GET") headers["Content-Length"] = String(body?.length ?? 0);
    const expects = body !== undefined && body.length >= kExpectBytes;
    if (expects) headers["Expect"] = "100-continue";
    const outgoing = (this.#endpoint.tls ? https : http).request({
      agent,
      host: this.#endpoint.host,
      port: this.#endpoint.port,
      method: request.method,
      path: this.#endpoint.prefix + request.path,
      headers,
      maxHeaderSize: kMaxHeadBytes,
    });
    outgoing.setNoDelay(true);
    limitConnecting(outgoing);
    const answered = new Promise<http.IncomingMessage>((resolve, reject) => {
      outgoing.once("response", resolve);
      // Stays for the whole life of the request: an error without a listener would end the process.
      outgoing.on("error", reject);
    });
    if (expects) {
      const timer = setTimeout(send, kExpectMs);
      function send(): void {
        clearTimeout(timer);
        if (!outgoing.writableEnded && !outgoing.destroyed) outgoing.end(body);
      }
      outgoing.once("continue", send);
      outgoing.once("response", () => clearTimeout(timer));
      outgoing.once("close", () => clearTimeout(timer));
      outgoing.flushHeaders();
    } else {
      outgoing.end(body);
    }
    return { outgoing, answered };
  }

  /** `answer`, or an error when the request's time is up. */
  async #within<T>(outgoing: http.ClientRequest, request: HttpRequest, answer: Promise<T>): Promise<T> {
    const limit = request.timeoutMs ?? kRequestTimeoutMs;
    const timer = setTimeout(() => outgoing.destroy(new Error(`no answer within ${limit / 1000} s`)), limit);
    try {
      return await answer;
    } finally {
      clearTimeout(timer);
    }
  }

  #reason(error: unknown): string {
    const said =
      error instanceof Error ? error.message || (error as NodeJS.ErrnoException).code || error.name : String(error);
    return `${this.#endpoint.authority}: ${said}`;
  }

  #unavailable(error: unknown): ServerUnavailable {
    if (error instanceof ServerUnavailable) return error;
    return new ServerUnavailable(this.#reason(error), { cause: error });
  }
}

function limitConnecting(outgoing: http.ClientRequest): void {
  outgoing.once("socket", (socket: Socket) => {
    if (!socket.connecting) return;
    const timer = setTimeout(() => outgoing.destroy(new Error("no connection in time")), kConnectTimeoutMs);
    socket.once("connect", () => clearTimeout(timer));
    socket.once("close", () => clearTimeout(timer));
  });
}

async function* piecesOf(incoming: http.IncomingMessage, silenceMs: number): AsyncGenerator<Buffer> {
  const timer = setTimeout(() => incoming.destroy(new Error("the stream went silent")), silenceMs);
  try {
    for await (const piece of incoming as AsyncIterable<Buffer>) {
      timer.refresh();
      yield piece;
    }
  } finally {
    clearTimeout(timer);
  }
}

function wholeAnswer(incoming: http.IncomingMessage): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    let size = 0;
    incoming.on("data", (piece: Buffer) => {
      size += piece.length;
      pieces.push(piece);
      if (size > kMaxResponseBytes) incoming.destroy(new Error(`the answer is longer than ${kMaxResponseBytes} bytes`));
    });
    // An answer that was cut short: `error` with ECONNRESET, never `end`.
    incoming.on("error", reject);
    incoming.on("end", () => {
      const body = pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces, size);
      resolve(new HttpResponse(incoming.statusCode ?? 0, incoming.headers, body));
    });
  });
}
