// Processes that tests start: the real server, workers. GANGLION_BINARY names the binary.

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";

import { Client, Worker, type WorkerOptions } from "../src/index.js";

/** How long anything may take before a test gives up; a sanitizer build on busy processors is slow. */
export const kPatienceMs = 60_000;

export const kProject = `
ganglion: 1
defaults:
  timeout: 60s
  retry: {max_attempts: 3, backoff: exponential, initial: 10ms, max: 50ms, jitter: 0}
agents:
  act: {kind: worker}
  brief: {kind: worker, timeout: 3s}
workflows:
  one:
    steps: {work: {agent: act, input: "\${{ input }}"}}
    output: "\${{ steps.work.output }}"
  brief:
    steps: {work: {agent: brief, input: "\${{ input }}"}}
    output: "\${{ steps.work.output }}"
  instant:
    steps: {same: {transform: "\${{ input }}"}}
    output: "\${{ steps.same.output }}"
`;

/** A `ganglion serve` process with a store of its own, on a port that stays the same over restarts. */
export class Server {
  readonly #folder = mkdtempSync(join(tmpdir(), "ganglion-typescript-"));
  readonly #token: string | undefined;
  #listen = "127.0.0.1:0";
  #process: ChildProcess | undefined;

  private constructor(project: string, token: string | undefined) {
    this.#token = token;
    writeFileSync(join(this.#folder, "ganglion.yaml"), project);
  }

  /** A server that is stopped when the test ends. */
  static async start(test: TestContext, project = kProject, token?: string): Promise<Server> {
    const server = new Server(project, token);
    test.after(() => server.#end());
    await server.start();
    return server;
  }

  get url(): string {
    return `http://${this.#listen}`;
  }

  async start(): Promise<void> {
    const binary = process.env["GANGLION_BINARY"];
    if (!binary) throw new Error("GANGLION_BINARY names no binary");
    const environment = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !name.startsWith("GANGLION_")),
    );
    if (this.#token !== undefined) environment["GANGLION_TOKEN"] = this.#token;
    const serve = ["serve", "-f", "ganglion.yaml", "--listen", this.#listen, "--store", "sqlite:test.db"];
    const child = spawn(binary, serve, { cwd: this.#folder, env: environment, stdio: ["ignore", "ignore", "pipe"] });
    this.#process = child;
    const log = createInterface({ input: child.stderr });
    this.#listen = await new Promise<string>((resolve, reject) => {
      let said = "";
      log.on("line", (line) => {
        said = `${said}\n${line}`.slice(-10_000);
        const listens = /http:\/\/(127\.0\.0\.1:\d+)/.exec(line);
        if (listens?.[1]) resolve(listens[1]);
      });
      child.once("exit", () => reject(new Error(`the server ended instead of serving:${said}`)));
      child.once("error", reject);
    });
  }

  /** As a crash: no clean-up of any kind. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (!child || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
  }

  async #end(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

export function clientOf(test: TestContext, server: Server, token?: string): Client {
  const client = new Client({ server: server.url, token });
  test.after(() => client.close());
  return client;
}

/** A worker that is not started yet; `start` starts it, and it is stopped when the test ends. */
export function workerOf(
  test: TestContext,
  server: Server,
  options: WorkerOptions = {},
): { worker: Worker; start: () => Promise<void> } {
  const worker = new Worker({ server: server.url, log: "off", ...options });
  const start = (): Promise<void> => {
    const ended = worker.work();
    test.after(async () => {
      worker.stop();
      worker.stop();
      await ended.catch(() => undefined);
    });
    return ended;
  };
  return { worker, start };
}

/** A program in a process of its own, in TypeScript's output language; `lines` are what it prints. */
export class ProgramProcess {
  readonly child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #ended: Promise<number | null>;

  constructor(test: TestContext, source: string, environment: Readonly<Record<string, string>>) {
    const sdk = fileURLToPath(new URL("../src/index.js", import.meta.url));
    const program = `import { Client, Fail, Retry, Worker } from ${JSON.stringify(sdk)};\n${source}`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
      env: { ...process.env, ...environment },
      stdio: ["ignore", "pipe", "ignore"],
    });
    this.child = child;
    this.#ended = new Promise((resolve) => child.once("exit", (status) => resolve(status)));
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    test.after(() => void child.kill("SIGKILL"));
  }

  /** The next line that it prints; undefined at its end. */
  async line(): Promise<string | undefined> {
    const next = await this.#lines.next();
    return next.done ? undefined : next.value;
  }

  status(): Promise<number | null> {
    return this.#ended;
  }
}

/** A promise and the function that resolves it. */
export function gate<Value = void>(): { passed: Promise<Value>; open: (value: Value) => void } {
  let open: (value: Value) => void = () => undefined;
  const passed = new Promise<Value>((resolve) => {
    open = resolve;
  });
  return { passed, open };
}
