/**
 * A plugin of TypeDoc's: gives each guide the title that its first heading says, its place in the navigation, its weight in
 * the search and its drawings, so that the Markdown stays what GitHub shows, without front matter.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { Application, Converter, type DocumentReflection, Renderer, type RendererEvent } from "typedoc";
import { asHtml, isDiagram } from "./diagrams/fences.ts";

const GROUPS: Readonly<Record<string, readonly string[]>> = {
  "Begin here": ["index", "start", "steps", "simulator", "first-real-event", "compose", "production", "moving"],
  Rooms: ["connect", "workflow", "mapping", "ids", "pixel", "audiences", "plugins", "own-queue", "delivery"],
  Storage: ["postgres", "redis", "storage-adapter", "scaling"],
  Operating: ["operating", "destination-life", "errors", "reasons", "repairs", "benchmarks"],
  "Data and people": ["privacy", "security", "identifiers", "fields", "snapchat"],
  Examples: ["examples"],
  Project: ["decisions", "quality", "runtimes", "CONTRIBUTING", "SECURITY"],
};

/** The pages of the examples. */
const EXAMPLES = ["", ...readdirSync("examples")]
  .map((folder) => ["examples", folder, "README.md"].filter(Boolean).join("/"))
  .filter((path) => existsSync(path));

/** Who searches for words wants a guide; who wants a name writes it out, and TypeDoc lifts that by itself. */
const GUIDES_FIRST = 100;

export function load(app: Application): void {
  // Options are read again after plugins are loaded.
  app.on(Application.EVENT_BOOTSTRAP_END, () => {
    app.options.setValue("groupOrder", [...Object.keys(GROUPS), "Modules"]);
    const pages = readdirSync("docs").filter((file) => file.endsWith(".md"));
    const inOrder = Object.values(GROUPS).flatMap((names) => names.map((name) => `${name}.md`));
    const rest = pages.filter((file) => !inOrder.includes(file));
    const guides = [...inOrder.filter((file) => pages.includes(file)), ...rest];
    const documents = [...guides.map((file) => `docs/${file}`), ...EXAMPLES, "CONTRIBUTING.md", "SECURITY.md"];
    app.options.setValue("projectDocuments", documents);
  });
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_, document: DocumentReflection) => {
    document.name = addressOf(document.name);
    const [group] = Object.entries(GROUPS).find(([, names]) => names.includes(document.name)) ?? [];
    document.frontmatter.group = group ?? (document.name.startsWith("example-") ? "Examples" : "Project");
    document.relevanceBoost = GUIDES_FIRST;
    draw(document);
  });
  // After the addresses are made, which keep the files' names, and before the navigation is.
  app.renderer.on(
    Renderer.EVENT_BEGIN,
    ({ project }: RendererEvent) => {
      for (const document of project.documents ?? []) document.name = titleOf(document);
      const [first] = project.readme ?? [];
      if (first?.kind === "text") first.text = first.text.replace(/^# .+\n/, ""); // the page has its title
    },
    1_000,
  );
}

/** Drawings in the place of Mermaid's text, which a site would need a megabyte of script for. */
function draw({ name, content }: DocumentReflection): void {
  for (const [index, part] of content.filter((one) => one.kind === "code" && isDiagram(one.text)).entries()) {
    Object.assign(part, { kind: "text", text: asHtml(readFileSync(`docs/images/${name}-${index + 1}.svg`, "utf8")) });
  }
}

/** A page's address, from its file's path: `docs/ids` is `ids`, `examples/start/README` is `example-start`. */
const addressOf = (path: string): string =>
  path
    .replace(/^docs\//, "")
    .replace(/\/README$/, "")
    .replace("examples/", "example-");

const titleOf = ({ name, content }: DocumentReflection): string =>
  /^# (.+)$/m.exec(content.map(({ text }) => text).join(""))?.[1]?.replaceAll("`", "") ?? name;
