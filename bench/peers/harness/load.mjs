// What load.py is, for drivers in JavaScript: N clients in a closed loop, one line when the warm-up is over and one of figures.

export const PAYLOAD = "x".repeat(200);
const ROUNDS = 2; // see load.py
const LONGEST = 4;

export function options() {
  const given = {};
  for (let i = 2; i + 1 < process.argv.length; i += 2) given[process.argv[i].replace(/^--/, "")] = process.argv[i + 1];
  return { ...given, clients: +given.clients, seconds: +given.seconds, warmUp: +given["warm-up"] };
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// `run(number)` resolves to the run's output, which must be the payload. Ends the process.
export async function closedLoop({ clients, seconds, warmUp }, run) {
  const durations = [];
  let opened = 0;
  let closed = 0;
  const client = async (number) => {
    for (;;) {
      if (closed) return;
      const began = performance.now();
      const output = await run(number);
      if (output !== PAYLOAD) throw new Error(`a run ended with ${JSON.stringify(output)}`);
      if (opened && !closed) durations.push(performance.now() - began);
    }
  };
  const clock = async () => {
    await sleep(warmUp * 1000);
    opened = performance.now();
    console.log(JSON.stringify({ measuring: true }));
    const enough = () => durations.length >= ROUNDS * clients;
    while (performance.now() < opened + seconds * 1000 * (enough() ? 1 : LONGEST)) await sleep(10);
    closed = performance.now();
  };
  const loops = Promise.all(Array.from({ length: clients }, (_, number) => client(number)));
  const late = loops.then(() => new Promise(() => {})); // only its failure counts: the clock ends the measuring
  await Promise.race([late, clock()]);
  durations.sort((a, b) => a - b);
  const quantile = (of) => (durations.length ? +durations[Math.floor(of * (durations.length - 1))].toFixed(2) : null);
  const measured = (closed - opened) / 1000;
  const row = { clients, runs: durations.length, seconds: +measured.toFixed(3) };
  row.runs_per_s = +(durations.length / measured).toFixed(1);
  console.log(JSON.stringify({ ...row, p50_ms: quantile(0.5), p99_ms: quantile(0.99) }));
  await sleep(1000); // for the runner to read what the process used
  process.exit(0);
}
