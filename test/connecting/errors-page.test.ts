import { readdirSync, readFileSync } from "node:fs";
import ts from "typescript";
import { expect, it } from "vitest";

const page = readFileSync(new URL("../../docs/errors.md", import.meta.url), "utf8");
const documented = new Map(
  [...page.slice(page.indexOf("## Codes")).matchAll(/^\| `(\w+)` \| (\w+)/gm)].map(([, code = "", kind = ""]) => [
    code,
    kind,
  ]),
);

const SRC = new URL("../../src/", import.meta.url);
const sources = (room: string) =>
  readdirSync(new URL(room, SRC), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => readFileSync(new URL(`${room}${file}`, SRC), "utf8"));

const textOf = (node: ts.Expression | undefined) => (node && ts.isStringLiteralLike(node) ? node.text : undefined);

/** Code and kind of every error that a source makes with both written out. */
function errorsOf(source: string): [string, string][] {
  const found: [string, string][] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isObjectLiteralExpression(node)) {
      const named = node.properties.filter(ts.isPropertyAssignment);
      const value = (name: string) => textOf(named.find((property) => property.name.getText() === name)?.initializer);
      const [code, kind] = [value("code"), value("kind")];
      if (code && kind && named.some((property) => property.name.getText() === "fix")) found.push([code, kind]);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile("source.ts", source, ts.ScriptTarget.Latest, true));
  return found;
}

it("docs/errors.md names every error of signing in, destinations, people and HTTP, with a kind that it has", () => {
  const kinds = new Map<string, Set<string>>();
  for (const [code, kind] of sources("").flatMap(errorsOf)) kinds.set(code, (kinds.get(code) ?? new Set()).add(kind));
  const made = new Set(
    ["auth/", "destinations/", "people/", "http/"]
      .flatMap(sources)
      .flatMap(errorsOf)
      .map(([code]) => code),
  );
  expect(made.size).toBeGreaterThan(40);
  for (const code of made) expect([...(kinds.get(code) ?? [])], code).toContain(documented.get(code));
});

it("docs/errors.md names no code that nothing throws any more", () => {
  const all = sources("").join("\n");
  const composed = /^oauth_|_not_offered$|_not_available$/;
  for (const code of documented.keys()) {
    const stem = code.replace(/^oauth_/, "").replace(composed, "");
    expect(all.includes(`"${code}"`) || (composed.test(code) && all.includes(stem)), code).toBe(true);
  }
});
