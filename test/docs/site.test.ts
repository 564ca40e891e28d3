import { existsSync } from "node:fs";
import { basename } from "node:path";
import { describe, expect, it } from "vitest";
import { diagramsOf, mark } from "../../scripts/diagrams/fences.ts";
import { pages, ROOT, read } from "./shown-code.ts";

describe("the documentation site", () => {
  it("has a module for every subpath that is exported", () => {
    const { exports } = JSON.parse(read("package.json")) as { exports: Record<string, string | { default: string }> };
    const sources = Object.values(exports).flatMap((target) =>
      typeof target === "string" ? [] : target.default.replace("./dist/", "src/").replace(/\.js$/, ".ts"),
    );
    const { entryPoints } = JSON.parse(read("typedoc.json")) as { entryPoints: string[] };
    expect(entryPoints.toSorted()).toEqual(sources.toSorted());
  });

  it("does not build with a warning, nor with a name that nobody described", () => {
    expect(JSON.parse(read("typedoc.json"))).toMatchObject({
      treatWarningsAsErrors: true,
      validation: { notExported: true, invalidLink: true, invalidPath: true, notDocumented: true },
    });
  });

  it("has a drawing of every diagram as it is now", () => {
    const diagrams = pages().flatMap((path) => diagramsOf(basename(path, ".md"), read(path)));
    expect(diagrams.length).toBeGreaterThan(2);
    const stale = diagrams.filter(({ name, code }) => {
      const file = `docs/images/${name}.svg`;
      return !existsSync(ROOT + file) || !read(file).startsWith(mark(code));
    });
    expect(
      stale.map(({ name }) => name),
      "run: npx tsx scripts/generate-diagrams.ts",
    ).toEqual([]);
  });
});
