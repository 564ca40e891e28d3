/** How large a value from outside may be before it is refused. */
export interface Bounds {
  /** Objects and lists within each other. Default 32. */
  depth?: number;
  /** Values of any kind. Default 50,000. */
  nodes?: number;
  /** Characters of all keys and texts. Default 1 MiB. */
  characters?: number;
}

export const DEFAULT_BOUNDS: Readonly<Required<Bounds>> = { depth: 32, nodes: 50_000, characters: 1_048_576 };

/** Which bound a value breaks. */
export type BrokenBound = "depth" | "nodes" | "characters";

/** What is left of the bounds of the walk under way. One object for all walks: a walk never waits. */
const left = { depth: 0, nodes: 0, characters: 0 };

/**
 * Walks a value from outside until it ends or breaks a bound: a cycle ends as depth, a list of a million as nodes, a
 * long text as characters. Nothing is copied. A getter that throws throws.
 *
 * @example
 * ```ts
 * import { brokenBound } from "snapchat-destination/capi";
 *
 * brokenBound({ name: "Purchased", properties: { total: 20 } }); // undefined: inside every bound
 * brokenBound([[["too deep"]]], { depth: 2 }); // "depth"
 * ```
 */
export function brokenBound(value: unknown, bounds: Bounds = DEFAULT_BOUNDS): BrokenBound | undefined {
  left.depth = bounds.depth ?? DEFAULT_BOUNDS.depth;
  left.nodes = bounds.nodes ?? DEFAULT_BOUNDS.nodes;
  left.characters = bounds.characters ?? DEFAULT_BOUNDS.characters;
  return visit(value, 0);
}

function visit(value: unknown, depth: number): BrokenBound | undefined {
  if (--left.nodes < 0) return "nodes";
  if (typeof value === "string") {
    left.characters -= value.length;
    return left.characters < 0 ? "characters" : undefined;
  }
  return typeof value === "object" && value !== null ? walk(value, depth + 1) : undefined;
}

/** Leaves are counted where they stand: a call for each would cost more than the count. */
function walk(parent: object, depth: number): BrokenBound | undefined {
  if (depth > left.depth) return "depth";
  if (Array.isArray(parent)) {
    if (parent.length > left.nodes) return "nodes";
    for (let i = 0; i < parent.length; i++) {
      const broken = visit(parent[i], depth);
      if (broken !== undefined) return broken;
    }
    return undefined;
  }
  for (const key in parent) {
    const child = (parent as Record<string, unknown>)[key];
    left.nodes--;
    left.characters -= key.length;
    if (typeof child === "string") left.characters -= child.length;
    if (left.nodes < 0) return "nodes";
    if (left.characters < 0) return "characters";
    if (typeof child === "object" && child !== null) {
      const broken = walk(child, depth + 1);
      if (broken !== undefined) return broken;
    }
  }
  return undefined;
}
