import { createHash } from "node:crypto";

import { GanglionError } from "./errors.js";
import type { Transport } from "./http.js";
import { isObject } from "./json.js";
import type { BlobRef } from "./models.js";

/** The largest blob. */
export const kMaxBlobBytes = 64 * 1024 * 1024;
/** Time for a blob to go over a slow line. */
const kBlobTimeoutMs = 300_000;

/** Whether `value` is a reference to a blob. */
export function isBlobRef(value: unknown): value is BlobRef {
  return isObject(value) && typeof value["$ref"] === "string" && /^sha256:[0-9a-f]{64}$/.test(value["$ref"]);
}

/** Large content by reference: `client.blobs`. */
export class Blobs {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Keeps these bytes (text: as UTF-8), at most 64 MiB. What is returned may stand anywhere in an input, an output or an
   * event's data. The same bytes are kept once. */
  async put(content: Uint8Array | string): Promise<BlobRef> {
    const bytes = typeof content === "string" ? Buffer.from(content, "utf8") : content;
    if (bytes.length > kMaxBlobBytes)
      throw new RangeError(`${bytes.length} bytes; a blob has at most ${kMaxBlobBytes}`);
    const digest = sha256(bytes);
    const headers = { "Content-Type": "application/octet-stream" };
    const request = { method: "PUT", path: `/v1/blobs/${digest}`, body: bytes, headers, timeoutMs: kBlobTimeoutMs };
    (await this.#transport.request(request)).json();
    return { $ref: `sha256:${digest}` };
  }

  /** The bytes that `ref` stands for. `ProblemError` 404 if there are none; `GanglionError` if they are not those. */
  async get(ref: BlobRef): Promise<Buffer> {
    if (!isBlobRef(ref)) throw new TypeError("not a reference to a blob");
    const digest = ref.$ref.slice("sha256:".length);
    const headers = { Accept: "application/octet-stream" };
    const request = { method: "GET", path: `/v1/blobs/${digest}`, headers, timeoutMs: kBlobTimeoutMs };
    const answer = await this.#transport.request(request);
    if (!answer.ok) answer.json();
    if (sha256(answer.body) !== digest)
      throw new GanglionError(`the server sent other bytes than those of ${ref.$ref}`);
    return answer.body;
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
