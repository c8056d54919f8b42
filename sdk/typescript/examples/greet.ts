// Starts a run of examples/hello, shows what happens in it, and prints its output: `node build/examples/greet.js Ada Grace`.

import { Client, ProblemError } from "ganglion";

const client = new Client();
try {
  const run = await client.start<string[]>("hello", { names: process.argv.slice(2) });
  for await (const event of client.follow(run.id)) {
    console.error(event.seq, event.type, event.step ?? "", event.item ?? "");
  }
  const ended = await client.get<string[] | null>(run.id);
  for (const greeting of ended.output ?? []) console.log(greeting);
  if (ended.status !== "completed") process.exitCode = 1;
} catch (error) {
  if (!(error instanceof ProblemError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
} finally {
  client.close();
}
