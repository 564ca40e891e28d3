import { WORKFLOW_LIMITS } from "./workflow.ts";

/** Reads one value out of an event, inside a list out of the current entry; `undefined` where it is not there. */
export type Getter = (event: unknown, item?: unknown) => unknown;

/**
 * Compiles a dotted path. A key that every object inherits (`constructor`, `__proto__`, `toString`, …) is never there,
 * so no path leaves the data. Lists take indices only; text has no parts. A first key `item` is the entry of `each`.
 */
export function compilePath(path: string): Getter {
  const keys = path.split(".");
  const local = keys[0] === "item";
  if (local) keys.shift();
  if (keys.length > WORKFLOW_LIMITS.pathLength || keys.some((key) => key in {})) return () => undefined;
  const [a = "", b = ""] = keys;
  // One and two keys are nearly all paths there are; they get no loop.
  if (keys.length === 1) return (event, item) => step(local ? item : event, a);
  if (keys.length === 2) return (event, item) => step(step(local ? item : event, a), b);
  return (event, item) => keys.reduce(step, local ? item : event);
}

function step(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return Array.isArray(value) && !(+key >= 0) ? undefined : (value as Record<string, unknown>)[key];
}
