// What load.py is, for drivers in JavaScript: N clients in a closed loop, one line when the warm-up is over and one of figures.

export const PAYLOAD = "x".repeat(200);

export function options() {
  const given = {};
  for (let i = 2; i + 1 < process.argv.length; i += 2) given[process.argv[i].replace(/^--/, "")] = process.argv[i + 1];
  return { ...given, clients: +given.clients, seconds: +given.seconds, warmUp: +given["warm-up"] };
}

// `run(number)` resolves to the run's output, which must be the payload. Ends the process.
export async function closedLoop({ clients, seconds, warmUp }, run) {
  const begin = performance.now() + warmUp * 1000;
  const end = begin + seconds * 1000;
  const durations = [];
  let opened = 0;
  const client = async (number) => {
    for (;;) {
      const began = performance.now();
      if (began >= end) return;
      const output = await run(number);
      if (output !== PAYLOAD) throw new Error(`a run ended with ${JSON.stringify(output)}`);
      const now = performance.now();
      if (opened && now <= end) durations.push(now - began);
    }
  };
  setTimeout(() => {
    opened = performance.now();
    console.log(JSON.stringify({ measuring: true }));
  }, warmUp * 1000);
  const loops = Promise.all(Array.from({ length: clients }, (_, number) => client(number)));
  const late = loops.then(() => new Promise(() => {})); // only its failure counts: the clock ends the measuring
  await Promise.race([late, new Promise((resolve) => setTimeout(resolve, end - performance.now()))]);
  durations.sort((a, b) => a - b);
  const quantile = (of) => (durations.length ? +durations[Math.floor(of * (durations.length - 1))].toFixed(2) : null);
  const measured = (end - opened) / 1000;
  const row = { clients, runs: durations.length, seconds: +measured.toFixed(3) };
  row.runs_per_s = +(durations.length / measured).toFixed(1);
  console.log(JSON.stringify({ ...row, p50_ms: quantile(0.5), p99_ms: quantile(0.99) }));
  process.exit(0);
}
