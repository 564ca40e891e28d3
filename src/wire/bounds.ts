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

/**
 * Walks a value from outside until it ends or breaks a bound: a cycle ends as depth, a list of a
 * million as nodes, a long text as characters. Nothing is copied. A getter that throws throws.
 */
export function brokenBound(value: unknown, bounds: Bounds = DEFAULT_BOUNDS): BrokenBound | undefined {
  if (typeof value === "string") {
    return value.length > (bounds.characters ?? DEFAULT_BOUNDS.characters) ? "characters" : undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const maxDepth = bounds.depth ?? DEFAULT_BOUNDS.depth;
  let nodes = bounds.nodes ?? DEFAULT_BOUNDS.nodes;
  let characters = bounds.characters ?? DEFAULT_BOUNDS.characters;

  const walk = (parent: object, depth: number): BrokenBound | undefined => {
    if (depth > maxDepth) return "depth";
    if (Array.isArray(parent)) {
      if (parent.length > nodes) return "nodes";
      for (let i = 0; i < parent.length; i++) {
        const broken = visit(parent[i], depth);
        if (broken !== undefined) return broken;
      }
      return undefined;
    }
    for (const key in parent) {
      characters -= key.length;
      const broken = visit((parent as Record<string, unknown>)[key], depth);
      if (broken !== undefined) return broken;
    }
    return undefined;
  };
  const visit = (child: unknown, depth: number): BrokenBound | undefined => {
    if (--nodes < 0) return "nodes";
    if (typeof child === "string") characters -= child.length;
    if (characters < 0) return "characters";
    return typeof child === "object" && child !== null ? walk(child, depth + 1) : undefined;
  };
  return walk(value, 1);
}
