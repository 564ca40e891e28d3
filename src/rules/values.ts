/** Missing, `null`, empty text or not a number: the field is left out. `0` and `false` are values. */
export function isAbsent(value: unknown): boolean {
  return value === undefined || value === null || value === "" || Number.isNaN(value);
}

/** Text of a scalar, without white space around it; `undefined` for what is not one. */
export function toText(value: unknown): string | undefined {
  if (typeof value === "string") return value.trim();
  return Number.isFinite(value) || typeof value === "boolean" ? String(value) : undefined;
}

/**
 * A finite number of a number or of the texts shops write one in: `12.50`, ` 1,299.00 `, `1.299,00`, `12,5`, `£12.50`,
 * `12 EUR`. A single comma before three digits groups thousands, before any other count it is the decimal sign.
 */
export function toNumber(value: unknown): number | undefined {
  if (Number.isFinite(value)) return value as number;
  if (typeof value !== "string" || value.length > 40) return undefined;
  let text = value.replace(/^[^\d.,-]+|\D+$|[\s'’]/g, "");
  if (/,\d+$/.test(text) && !/^-?\d{1,3}(,\d{3})+$/.test(text)) text = text.replace(/\./g, "").replace(",", ".");
  text = text.replace(/,/g, "");
  return /^-?\d*\.?\d+$/.test(text) ? +text : undefined;
}

const MAX_DEPTH = 6;
const MAX_NODES = 2_000;

/**
 * A copy of foreign data that is safe to keep and to print as JSON: own keys only, cycles cut, depth and size bounded,
 * functions and symbols left out, dates as ISO text.
 */
export function copyPlain(value: unknown): unknown {
  let left = MAX_NODES;
  const copy = (node: unknown, depth: number): unknown => {
    if (typeof node !== "object" || node === null) {
      if (typeof node === "bigint") return String(node);
      return typeof node === "function" || typeof node === "symbol" ? undefined : node;
    }
    if (depth > MAX_DEPTH || --left < 0) return undefined;
    if (node instanceof Date) return Number.isNaN(+node) ? undefined : node.toISOString();
    if (Array.isArray(node)) return node.slice(0, MAX_NODES).map((entry) => copy(entry, depth + 1) ?? null);
    const out: Record<string, unknown> = {};
    for (const key of Object.keys(node)) {
      if (key in {}) continue;
      const entry = copy((node as Record<string, unknown>)[key], depth + 1);
      if (entry !== undefined) out[key] = entry;
    }
    return out;
  };
  return copy(value, 0);
}
