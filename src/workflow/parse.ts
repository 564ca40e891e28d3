import { checkWorkflow } from "../rules/check.ts";
import { libraryWith, type RouterOptions, workflowInvalid } from "../rules/create-router.ts";
import type { Workflow } from "../rules/workflow.ts";
import { workflowSchema } from "./schema.ts";
import { zod } from "./zod.ts";

let schema: ReturnType<typeof workflowSchema> | undefined;

/**
 * A workflow out of stored or posted JSON, checked for its shape and for everything that would keep it from meaning
 * what it says. Total: any JSON is a workflow or an error.
 *
 * @param options functions and operators of plugins that the workflow may name.
 * @throws SnapchatError `workflow_invalid`, `duplicate_target` or `workflow_newer`, with the paths that are wrong.
 *
 * @example
 * ```ts
 * import { createRouter, parseWorkflow } from "snapchat-destination/workflow";
 *
 * export const routerOf = (stored: string) => createRouter(parseWorkflow(JSON.parse(stored)));
 * ```
 */
export function parseWorkflow(json: unknown, options: RouterOptions = {}): Workflow {
  // The check goes first: it is bounded, so a cyclic or very deep input never reaches the schema.
  const problems = checkWorkflow(json, libraryWith(options));
  if (problems.length) throw workflowInvalid(problems);
  schema ??= workflowSchema(zod(), "checked");
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    throw workflowInvalid(
      parsed.error.issues.map(({ path, code, message }) => ({ path: path.join("."), code, message })),
    );
  }
  return parsed.data as Workflow;
}

/**
 * The workflow's JSON Schema (draft 2020-12), for editors, forms and other languages.
 *
 * @example
 * ```ts
 * import { workflowJsonSchema } from "snapchat-destination/workflow";
 *
 * // For an editor that checks while somebody types, or a validator in another language.
 * JSON.stringify(workflowJsonSchema(), null, 2);
 * ```
 */
export function workflowJsonSchema(): Record<string, unknown> {
  const z = zod();
  return z.toJSONSchema(workflowSchema(z), { io: "input" }) as Record<string, unknown>;
}
