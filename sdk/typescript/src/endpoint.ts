// Where the server is and how to prove who asks.

const kDefaultServer = "http://127.0.0.1:7420";

export class Endpoint {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** Path under which the API lies, without a slash at its end; empty where it lies at the root. */
  readonly prefix: string;
  // Private to the language, so that no logger or inspector prints it.
  readonly #token: string | undefined;

  /** Arguments win over `GANGLION_SERVER` and `GANGLION_TOKEN`, these over the default address. */
  constructor(server?: string, token?: string) {
    const text = server || process.env["GANGLION_SERVER"] || kDefaultServer;
    let url: URL;
    try {
      url = new URL(text.includes("://") ? text : `http://${text}`);
    } catch {
      throw new TypeError(`not an http or https URL: ${JSON.stringify(text)}`);
    }
    if (!["http:", "https:"].includes(url.protocol))
      throw new TypeError(`not an http or https URL: ${JSON.stringify(text)}`);
    this.tls = url.protocol === "https:";
    this.host = url.hostname.replace(/^\[|\]$/g, "");
    this.port = url.port ? Number(url.port) : this.tls ? 443 : 80;
    this.prefix = url.pathname.replace(/\/+$/, "");
    this.#token = token || process.env["GANGLION_TOKEN"] || undefined;
    if (this.#token !== undefined && !/^[\x20-\x7e]+$/.test(this.#token))
      throw new TypeError("the token must be printable ASCII");
  }

  get authority(): string {
    return `${this.host.includes(":") ? `[${this.host}]` : this.host}:${this.port}`;
  }

  /** What every request carries. */
  headers(): Record<string, string> {
    const headers: Record<string, string> = {
      Host: this.authority,
      "User-Agent": "ganglion-typescript/0.1",
      Accept: "application/json",
    };
    if (this.#token !== undefined) headers["Authorization"] = `Bearer ${this.#token}`;
    return headers;
  }
}
