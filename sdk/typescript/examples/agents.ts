// The agents of examples/hello, in TypeScript: `node build/examples/agents.js` beside `ganglion serve`.

import { Fail, Worker } from "ganglion";

const worker = new Worker({ concurrency: 32 });

worker.agent("greet", async (input: { name?: string }, task) => {
  if (!input.name) throw new Fail("no_name", "nobody to greet");
  task.progress(0.5, { greeting: input.name });
  return `Hello ${input.name}`;
});

await worker.run();
