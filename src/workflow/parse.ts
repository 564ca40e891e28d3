import { checkWorkflow } from "../rules/check.ts";
import { workflowInvalid } from "../rules/create-router.ts";
import type { Workflow } from "../rules/workflow.ts";

/**
 * A workflow out of stored or posted JSON.
 *
 * @throws SnapchatError `workflow_invalid` or `workflow_newer`, with the paths that are wrong.
 */
export function parseWorkflow(json: unknown): Workflow {
  const problems = checkWorkflow(json);
  if (problems.length) throw workflowInvalid(problems);
  return json as Workflow;
}
