import { describe, expect, it } from "vitest";
import { read } from "./shown-code.ts";

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
});
