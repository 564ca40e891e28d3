/** Mermaid in Markdown and its drawing: GitHub draws the text itself, the site shows the drawing that stands beside it. */
import { createHash } from "node:crypto";

/** A diagram of a page, drawn into `docs/images/<name>.svg`. */
export interface Diagram {
  name: string;
  code: string;
}

const FENCE = /^```mermaid\n(.*?)^```$/gms;

export const isDiagram = (fence: string): boolean => fence.startsWith("```mermaid\n");

export const diagramsOf = (page: string, markdown: string): Diagram[] =>
  [...markdown.matchAll(FENCE)].map(([, code = ""], index) => ({ name: `${page}-${index + 1}`, code }));

/** One drawing as HTML inside Markdown: without blank lines it is taken as HTML to its end. */
export const asHtml = (svg: string): string =>
  `\n\n<div class="diagram-frame">${svg.replaceAll(/\s*\n\s*/g, " ")}</div>\n\n`;

/** Tells a drawing of this text from an older one. */
export const mark = (code: string): string =>
  `<!-- ${createHash("sha256").update(code).digest("hex").slice(0, 16)} -->`;
