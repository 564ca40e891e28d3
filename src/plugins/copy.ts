import { DEFAULT_BOUNDS } from "../wire/bounds.ts";
import { GARBAGE } from "./guard.ts";

const UNSAFE = new Set(["__proto__", "constructor", "prototype"]);

/**
 * A copy of plain data that shares nothing with it: what a plugin gets, so that changing it changes nothing, and what is
 * taken of an answer. Nothing is cut; what is larger than an event may be throws {@link GARBAGE}.
 */
export function copy<T>(value: T): T {
  let left = DEFAULT_BOUNDS.nodes;
  const visit = (node: unknown, depth: number): unknown => {
    if (--left < 0 || depth > DEFAULT_BOUNDS.depth) throw GARBAGE;
    if (typeof node === "function" || typeof node === "symbol") return undefined;
    if (typeof node === "bigint") return String(node);
    if (typeof node !== "object" || node === null) return node;
    if (node instanceof Date) return new Date(node);
    if (Array.isArray(node)) {
      if (node.length > left) throw GARBAGE;
      return Array.from(node, (entry) => visit(entry, depth + 1));
    }
    const out: Record<string, unknown> = {};
    for (const key of Object.keys(node)) {
      if (UNSAFE.has(key)) continue;
      const entry = visit((node as Record<string, unknown>)[key], depth + 1);
      if (entry !== undefined) out[key] = entry;
    }
    return out;
  };
  return visit(value, 0) as T;
}

export function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isOptionalText(value: unknown): value is string | undefined {
  return value === undefined || typeof value === "string";
}

/** One text or a list of texts, or nothing. */
export function isTexts(value: unknown): boolean {
  return isOptionalText(value) || (Array.isArray(value) && value.every((entry) => typeof entry === "string"));
}
