// Server-sent events without I/O (the event-stream format of the HTML standard).

/** The longest single event that is accepted, in characters. */
const kMaxEventLength = 16 * 1024 * 1024;

/** One event: its name ("message" unless the server says otherwise), data, and the last id seen so far. */
export interface ServerSentEvent {
  readonly event: string;
  readonly data: string;
  readonly id: string | undefined;
}

/** Feed it bytes cut anywhere; it gives the events that are complete. A `RangeError` if one grows too long. */
export class EventStreamParser {
  readonly #decoder = new TextDecoder();
  #rest = "";
  #event = "";
  #data: string[] = [];
  #length = 0;
  #id: string | undefined;

  feed(piece: Uint8Array): ServerSentEvent[] {
    const text = this.#decoder.decode(piece, { stream: true });
    const lines = text.includes("\n") ? (this.#rest + text).split("\n") : [];
    this.#rest = lines.pop() ?? this.#rest + text;
    const complete: ServerSentEvent[] = [];
    for (const line of lines) {
      const event = this.#line(line.endsWith("\r") ? line.slice(0, -1) : line);
      if (event) complete.push(event);
    }
    if (this.#rest.length + this.#length > kMaxEventLength) {
      throw new RangeError(`an event is longer than ${kMaxEventLength} characters`);
    }
    return complete;
  }

  #line(line: string): ServerSentEvent | undefined {
    if (line === "") {
      const event = { event: this.#event || "message", data: this.#data.join("\n"), id: this.#id };
      const given = this.#data.length > 0;
      this.#event = "";
      this.#data = [];
      this.#length = 0;
      return given ? event : undefined;
    }
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    if (name === "data") {
      this.#data.push(value);
      this.#length += value.length;
    } else if (name === "event") {
      this.#event = value;
    } else if (name === "id" && !value.includes("\0")) {
      this.#id = value;
    }
    return undefined;
  }
}
