/** Writes `docs/workflow.schema.json`: a workflow as JSON Schema, for editors and other languages. */
import { writeFileSync } from "node:fs";
import { workflowJsonSchema } from "../src/workflow/index.ts";

/** The schema as the file holds it. */
export function workflowSchemaFile(): string {
  return `${JSON.stringify({ title: "Workflow of snapchat-destination", ...workflowJsonSchema() }, null, 2)}\n`;
}

if (process.argv[1] === import.meta.filename) {
  writeFileSync(new URL("../docs/workflow.schema.json", import.meta.url), workflowSchemaFile());
}
