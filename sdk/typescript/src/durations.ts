// Durations as the project file and the API write them.

const kUnitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of `200ms`, `30s`, `15m`, …; undefined for anything else. */
export function parseDuration(text: unknown): number | undefined {
  const match = typeof text === "string" ? /^(\d+)(ms|s|m|h|d)$/.exec(text) : null;
  return match ? Number(match[1]) * (kUnitMs[match[2] ?? ""] ?? 0) : undefined;
}

/** As the API takes it. */
export function formatDuration(ms: number): string {
  return `${Math.max(0, Math.round(ms))}ms`;
}
