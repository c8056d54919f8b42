// JSON as text, with the same opinion of what is JSON as the server has.

/** Text for `value`. A `TypeError` for what JSON cannot say: NaN, functions, symbols, big integers, lone surrogates,
 * cycles. A property that is `undefined` is left out; `undefined` itself is `null`. */
export function encodeJson(value: unknown): string {
  const text = JSON.stringify(value === undefined ? null : value, checked) as string | undefined;
  if (text === undefined) throw new TypeError(`${typeof value} is not JSON`);
  // JSON.stringify writes a lone surrogate as \udxxx, which no reader of UTF-8 can take.
  if (kEscapedSurrogate.test(text) && hasEscapedSurrogate(text)) throw new TypeError("a string has a lone surrogate");
  return text;
}

const kEscapedSurrogate = /\\u[dD][89a-fA-F]/;

function hasEscapedSurrogate(text: string): boolean {
  // Only where the backslash is not itself escaped.
  for (const match of text.matchAll(/(\\+)u[dD][89a-fA-F]/g)) if ((match[1] ?? "").length % 2 === 1) return true;
  return false;
}

function checked(key: string, value: unknown): unknown {
  if (typeof value === "number" && !Number.isFinite(value)) throw new TypeError(`${key || "the value"} is ${value}`);
  if (typeof value === "function" || typeof value === "symbol") {
    throw new TypeError(`${key || "the value"} is a ${typeof value}`);
  }
  return value;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
