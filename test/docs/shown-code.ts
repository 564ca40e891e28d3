import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** A piece of TypeScript that a reader is shown. */
export interface ShownCode {
  /** File and line, for the message. */
  at: string;
  /** What stands before it in a hidden comment, `<!-- given: … -->`: what the page's reader has already. */
  given: string;
  code: string;
}

/** The Markdown that people read. */
export const pages = (): string[] =>
  [
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    ...readdirSync(join(ROOT, "docs"))
      .filter((name) => name.endsWith(".md"))
      .map((name) => `docs/${name}`),
  ].toSorted();

export const sources = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
    .filter((path) => !path.includes("node_modules"))
    .toSorted();

export const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

const FENCE = /(?:<!-- given:((?:(?!-->).)*)-->\s*)?^```ts[^\S\n]*\n(.*?)^```$/gms;

export function codeOf(path: string, markdown: string): ShownCode[] {
  return [...markdown.matchAll(FENCE)].map(({ 1: given = "", 2: code = "", index }) => ({
    at: `${path}:${markdown.slice(0, index).split("\n").length}`,
    given: given.trim(),
    code,
  }));
}

/** The `@example` blocks of a source file's docstrings. */
export function examplesOf(path: string): ShownCode[] {
  const text = read(path);
  return [...text.matchAll(/\/\*\*.*?\*\//gs)]
    .filter(([comment]) => comment.includes("@example"))
    .flatMap(({ 0: comment, index }) => {
      const line = text.slice(0, index).split("\n").length;
      const markdown = comment.replaceAll(/^\s*\* ?/gm, "");
      return codeOf(path, markdown.slice(markdown.indexOf("@example"))).map((shown) => ({
        ...shown,
        at: `${path}:${line}`,
      }));
    });
}

/** An example as a page shows it: its imports, and what its function does, between the marks `#region` and `#endregion`. */
export const programOf = (example: string): string =>
  [...example.matchAll(/^ *\/\/ #region .*?\n(.*?)\n *\/\/ #endregion$/gms)]
    .map(([, region = ""]) => region.replaceAll(/^ {2}/gm, ""))
    .join("\n\n");
