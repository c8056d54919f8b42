// The examples, as the guide has them.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { Server } from "./harness.js";

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

test("the worker of the example greets whom the client of the example names", async (t) => {
  // Without `workers`: the example's own, in Python, would do the work.
  const file = readFileSync(path("../../../../examples/hello/ganglion.yaml"), "utf8");
  const server = await Server.start(t, file.replace(/^workers:\n(?: .*\n)+/m, ""));
  const env = { ...process.env, GANGLION_SERVER: server.url };
  const worker = spawn(process.execPath, [path("../examples/agents.js")], { env, stdio: "ignore" });
  t.after(() => void worker.kill("SIGKILL"));
  const client = spawn(process.execPath, [path("../examples/greet.js"), "Ada", "Grace"], { env });
  let said = "";
  client.stdout.on("data", (piece: Buffer) => {
    said += piece.toString();
  });
  const status = await new Promise((resolve) => client.once("close", resolve));
  assert.equal(said, "Hello Ada\nHello Grace\n");
  assert.equal(status, 0);
});
