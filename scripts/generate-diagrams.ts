/**
 * Draws the Mermaid diagrams of the guides into `docs/images`. Run with `npx tsx scripts/generate-diagrams.ts`; a test fails
 * when one is stale. What draws them is installed here, on request: a build of the site needs the drawings only.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { diagramsOf, mark } from "./diagrams/fences.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const renderer = `${root}scripts/diagrams/node_modules/beautiful-mermaid/dist/index.js`;
/** The site's own colours, so that a drawing is dark where the page is. */
const COLOURS = {
  bg: "var(--color-background, #fff)",
  fg: "var(--color-text, #222)",
  muted: "var(--color-text, #222)",
  transparent: true,
};

if (!existsSync(renderer)) {
  const flags = ["--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"];
  execFileSync("npm", ["install", "--prefix", "scripts/diagrams", ...flags], { cwd: root, stdio: "inherit" });
}
const { renderMermaidSVG } = (await import(renderer)) as {
  renderMermaidSVG(code: string, options: typeof COLOURS): string;
};
for (const file of readdirSync(`${root}docs`).filter((name) => name.endsWith(".md"))) {
  for (const { name, code } of diagramsOf(file.slice(0, -3), readFileSync(`${root}docs/${file}`, "utf8"))) {
    const svg = renderMermaidSVG(code, COLOURS)
      .replace(/\s*@import url\([^)]*\);/, "") // nothing is fetched from elsewhere
      .replaceAll(/font-family: [^;]*;/g, "font-family: system-ui, sans-serif;")
      // Inside a page its style must not reach the page's other drawings.
      .replace("<style>", "<style>\n  .diagram {")
      .replace("  svg {", "  & {")
      .replace("</style>", "  }\n</style>")
      .replace("<svg ", '<svg class="diagram" role="img" aria-label="Diagram" ');
    writeFileSync(`${root}docs/images/${name}.svg`, `${mark(code)}\n${svg.trim()}\n`);
    console.log(`docs/images/${name}.svg`);
  }
}
