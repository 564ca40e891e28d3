import { existsSync, statSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, it } from "vitest";
import { pages, ROOT, read } from "./shown-code.ts";

const withoutCode = (markdown: string): string =>
  markdown.replaceAll(/^```.*?^```$/gms, "").replaceAll(/`[^`\n]*`/g, "``");

/** A heading's anchor, as GitHub makes it. */
function anchorsOf(markdown: string): Set<string> {
  const seen = new Map<string, number>();
  const anchors = [...markdown.replaceAll(/^```.*?^```$/gms, "").matchAll(/^#{1,6} (.+)$/gm)].map(
    ([, heading = ""]) => {
      const slug = heading
        .trim()
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, "")
        .replaceAll(" ", "-");
      const times = seen.get(slug) ?? 0;
      seen.set(slug, times + 1);
      return times === 0 ? slug : `${slug}-${times}`;
    },
  );
  return new Set(anchors);
}

const linksOf = (markdown: string): string[] =>
  [...withoutCode(markdown).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = ""]) => target)
    .filter((target) => !/^[a-z]+:/.test(target));

function broken(path: string): string[] {
  return linksOf(read(path)).flatMap((link) => {
    const [file = "", anchor] = link.split("#");
    const target = file === "" ? path : normalize(join(dirname(path), file));
    if (!existsSync(join(ROOT, target))) return [`${path}: ${link}: no such file`];
    if (anchor === undefined || statSync(join(ROOT, target)).isDirectory()) return [];
    return anchorsOf(read(target)).has(anchor) ? [] : [`${path}: ${link}: no such heading`];
  });
}

describe("the documentation", () => {
  it("links to files and headings that exist", () => {
    expect(pages().flatMap((path) => linksOf(read(path))).length).toBeGreaterThan(50);
    expect(pages().flatMap(broken)).toEqual([]);
  });

  it("has no code in a heading: the site leaves it out of anchors and of the page's contents", () => {
    const headings = pages().flatMap((path) =>
      [
        ...read(path)
          .replaceAll(/^```.*?^```$/gms, "")
          .matchAll(/^#{1,6} .+$/gm),
      ].map(([line]) => `${path}: ${line}`),
    );
    expect(headings.length).toBeGreaterThan(100);
    expect(headings.filter((heading) => heading.includes("`"))).toEqual([]);
  });

  it("has every guide in the index", () => {
    const index = read("docs/index.md");
    const missing = pages().filter(
      (path) => path.startsWith("docs/") && path !== "docs/index.md" && !index.includes(`](${path.slice(5)}`),
    );
    expect(missing).toEqual([]);
  });
});
