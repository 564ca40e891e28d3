import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const src = fileURLToPath(new URL("../src", import.meta.url));

/** Rooms by floor. A room may import lower floors only; on floor 1 and 2 a few named neighbours besides. */
const FLOORS: Record<string, number> = {
  errors: 1,
  clock: 1,
  wire: 1,
  "storage/ports": 1,
  rules: 2,
  identity: 2,
  http: 2,
  plugins: 2,
  storage: 2,
  auth: 3,
  capi: 3,
  audiences: 3,
  workflow: 3,
  pixel: 3,
  delivery: 4,
  destinations: 4,
  people: 4,
  index: 5,
  snapchat: 5,
  cli: 5,
};

/** Imports between rooms of one floor that the design allows, with the reason. */
const NEIGHBOURS: Record<string, string> = {
  "plugins -> rules": "hook types speak of canonical events",
  "index -> snapchat": "the public face exports the composition",
  "index -> index": "the public face",
  "cli -> snapchat": "the terminal drives the composition",
  "cli -> index": "the terminal drives the composition",
};

/** Subpath faces: one file that exports one adapter, on the floor of the room behind it. */
const FACES: Record<string, string> = { memory: "storage", sqlite: "storage", postgres: "storage", redis: "storage" };

function room(path: string): string {
  const parts = relative(src, path).replace(/\.ts$/, "").split("/");
  const first = parts[0] ?? "";
  if (first === "storage" && parts[1] === "ports") return "storage/ports";
  return FACES[first] ?? first;
}

function sources(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    return entry.isDirectory() ? sources(path) : entry.name.endsWith(".ts") ? [path] : [];
  });
}

function imports(path: string): string[] {
  const text = readFileSync(path, "utf8");
  return [...text.matchAll(/(?:from|import)\s*\(?\s*"(\.{1,2}\/[^"]+)"/g)].map((match) =>
    resolve(dirname(path), match[1] ?? ""),
  );
}

describe("the house", () => {
  const files = sources(src);

  it("knows the floor of every room", () => {
    const unknown = new Set(files.map(room).filter((name) => name !== "testing" && FLOORS[name] === undefined));
    expect([...unknown]).toEqual([]);
  });

  it("imports only downwards", () => {
    const upwards: string[] = [];
    for (const file of files) {
      const from = room(file);
      if (from === "testing") continue;
      for (const target of imports(file)) {
        const to = room(target);
        if (to === from) continue;
        if (to === "testing" && from === "cli") continue;
        const lower = (FLOORS[to] ?? 9) < (FLOORS[from] ?? 0);
        if (!lower && !NEIGHBOURS[`${from} -> ${to}`])
          upwards.push(`${relative(src, file)} -> ${relative(src, target)}`);
      }
    }
    expect(upwards).toEqual([]);
  });

  it("keeps the simulator free of the code it judges", () => {
    const shared: string[] = [];
    for (const file of files.filter((path) => relative(src, path).startsWith("testing/simulator"))) {
      for (const target of imports(file)) {
        if (!relative(src, target).startsWith("testing/simulator"))
          shared.push(`${relative(src, file)} -> ${relative(src, target)}`);
      }
    }
    expect(shared).toEqual([]);
  });
});
