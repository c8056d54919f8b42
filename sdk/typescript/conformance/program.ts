// The conformance program of this SDK (sdk/behaviours/README.md): `program.js worker SETTINGS` or `program.js client`.

import { createInterface } from "node:readline";

import { client } from "./client.js";
import { worker } from "./worker.js";

/** One JSON object on a line of its own. */
export type Print = (line: object) => void;
/** What the suite says, line by line, until it closes stdin. */
export type Lines = AsyncIterable<string>;

const print: Print = (line) => void process.stdout.write(`${JSON.stringify(line)}\n`);
const lines: Lines = createInterface({ input: process.stdin, crlfDelay: Infinity });

const [role, settings] = process.argv.slice(2);
if (role === "worker" && settings) {
  process.exitCode = await worker(JSON.parse(settings), lines, print);
} else if (role === "client") {
  await client(lines, print);
} else {
  process.stderr.write("usage: program.js worker SETTINGS | program.js client\n");
  process.exitCode = 2;
}
// Functions that still work must not outlive the program.
process.stdout.write("", () => process.exit());
