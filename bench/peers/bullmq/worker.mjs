// BullMQ's workers, both ways of its documentation: a job that notes the step it has reached ("process step jobs"), and a
// flow whose every step is a job of its own ("step jobs with flows").
//
//   worker.mjs --port REDIS --concurrency N

import { Worker } from "bullmq";
import { options } from "./load.mjs";

const STEPS = ["first", "second", "third"];
const { port, concurrency } = options();
const how = { connection: { host: "127.0.0.1", port: +port, maxRetriesPerRequest: null }, concurrency: +concurrency };

new Worker(
  "steps",
  async (job) => {
    let { step, value } = job.data;
    while (step < STEPS.length) {
      step += 1; // the step itself does nothing
      if (step < STEPS.length) await job.updateData({ step, value });
    }
    return value;
  },
  how,
);

new Worker(
  "flow",
  async (job) => {
    if (job.data.value !== undefined) return job.data.value;
    return Object.values(await job.getChildrenValues())[0];
  },
  how,
);

console.log("workers are up");
