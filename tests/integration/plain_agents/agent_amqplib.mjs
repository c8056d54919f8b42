// An agent on a queue of RabbitMQ, with amqplib: agent_amqplib.mjs URL QUEUE.

import { setTimeout as sleep } from "node:timers/promises";
import amqp from "amqplib";
import { RESULT, resultOf, TASK } from "./work.mjs";

const RETRY_MS = 100;

const [url, queue] = process.argv.slice(2);
const connection = await amqp.connect(url);
const channel = await openChannel();
await channel.prefetch(1);
await channel.consume(queue, take);

// Waits until the server has made the queue: only it knows the options.
async function openChannel() {
  for (;;) {
    const opened = await connection.createConfirmChannel();
    opened.on("error", () => {});
    try {
      await opened.checkQueue(queue);
      return opened;
    } catch {
      await sleep(RETRY_MS);
    }
  }
}

async function take(message) {
  if (message === null) process.exit(1); // the queue is gone
  const { type, replyTo } = message.properties;
  if (type !== TASK) return channel.nack(message, false, false);
  const { token, result } = resultOf(message.content, "amqplib");
  channel.publish("", replyTo, Buffer.from(result), { type: RESULT, messageId: token, persistent: true });
  await channel.waitForConfirms(); // throws where the broker hasn't taken it: then nothing is acknowledged
  channel.ack(message);
}
