// driver.mjs --port REDIS --how steps|flow --clients N --seconds S --warm-up S

import { FlowProducer, Queue, QueueEvents } from "bullmq";
import { closedLoop, options, PAYLOAD } from "./load.mjs";

const given = options();
const connection = { host: "127.0.0.1", port: +given.port };
const events = new QueueEvents(given.how, { connection });
events.setMaxListeners(0);
await events.waitUntilReady();
const opts = { removeOnComplete: { count: 5000 } }; // one removed at once is gone before its client looks

const steps = new Queue("steps", { connection });
const flows = new FlowProducer({ connection });

const start = {
  steps: () => steps.add("run", { step: 0, value: PAYLOAD }, opts),
  flow: async () => {
    const job = (name, rest) => ({ name, queueName: "flow", opts, ...rest });
    const first = job("first", { data: { value: PAYLOAD } });
    const second = job("second", { data: {}, children: [first] });
    return (await flows.add(job("third", { data: {}, children: [second] }))).job;
  },
}[given.how];

await closedLoop(given, async () => (await start()).waitUntilFinished(events));
