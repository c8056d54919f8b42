// Log lines: a constant event name plus fields.

/** Where a worker's log goes. */
export interface Logger {
  info(event: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(event: string, fields?: Readonly<Record<string, unknown>>): void;
  error(event: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** `plain`: `time level event name=value …`. `json`: one object a line with `at`, `level`, `event` and the fields. */
export type LogFormat = "plain" | "json" | "off";

/** Lines on stderr. Without a format the environment variable `GANGLION_LOG` says which, by default `plain`. */
export function stderrLogger(format?: LogFormat): Logger {
  const chosen = format ?? (process.env["GANGLION_LOG"] === "json" ? "json" : "plain");
  const log =
    (level: string) =>
    (event: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      if (chosen === "off") return;
      const at = new Date().toISOString();
      const line =
        chosen === "json"
          ? JSON.stringify({ at, level, event, ...fields })
          : `${at} ${level.padEnd(7)} ${event}${plainFields(fields)}`;
      process.stderr.write(`${line}\n`);
    };
  return { info: log("info"), warn: log("warning"), error: log("error") };
}

function plainFields(fields: Readonly<Record<string, unknown>>): string {
  return Object.entries(fields)
    .map(([name, value]) => ` ${name}=${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join("");
}
