import { SnapchatError } from "../errors.ts";
import { LIBRARY } from "./app-data.ts";
import { checkWorkflow } from "./check.ts";
import type { Router } from "./event.ts";
import type { Library } from "./mapping.ts";
import { type CompiledWorkflow, compileWorkflow, routeWith } from "./router.ts";
import type { Workflow } from "./workflow.ts";

/** Functions and operators of plugins, by name; a name of the built-in ones may not be taken. */
export type RouterOptions = Partial<Pick<Library, "functions" | "operators">>;

/**
 * A workflow as a function: events in, decisions out. Stands alone: no storage, no network, no clock. Compiles once,
 * routes in about a microsecond.
 *
 * @throws SnapchatError `workflow_invalid`, `duplicate_target` or `workflow_newer`, with the paths that are wrong.
 *
 * @example
 * ```ts
 * import { createRouter, presets, setToggle, sources } from "snapchat-destination/workflow";
 *
 * const workflow = setToggle(presets.segment({ defaultCountry: "GB" }), "Order Completed", { server: true });
 * const router = createRouter(workflow);
 * const event = sources.segment.read({ type: "track", event: "Order Completed", messageId: "m-1" });
 * const { eventId, decisions } = router.route(event);
 * ```
 */
export function createRouter(workflow: Workflow, options: RouterOptions = {}): Router {
  return routeWith(compileChecked(workflow, options));
}

/** Checks and compiles; {@link createRouter} and `explainRoute` stand on it. */
export function compileChecked(workflow: Workflow, options: RouterOptions = {}): CompiledWorkflow {
  const library = libraryWith(options);
  const problems = checkWorkflow(workflow, library);
  if (problems.length) throw workflowInvalid(problems);
  return compileWorkflow(workflow, library);
}

/** The built-in functions and operators with a host's own beside them. One library for one host: writers are shared in it. */
export function libraryWith({ functions, operators }: RouterOptions): Library {
  const key = functions ?? operators;
  if (!key) return LIBRARY;
  const known = LIBRARIES.get(key);
  if (known && known.operators === operators) return known.library;
  const library: Library = {
    ...LIBRARY,
    functions: { ...functions, ...LIBRARY.functions },
    operators: { ...operators, ...LIBRARY.operators },
  };
  LIBRARIES.set(key, { operators, library });
  return library;
}

const LIBRARIES = new WeakMap<object, { operators: RouterOptions["operators"]; library: Library }>();

/** Problems a host may want to tell apart from a workflow that is merely wrong. */
const OWN_CODES = ["workflow_newer", "duplicate_target"] as const;

/** The one error of a workflow that does not hold, with the first of its problems in words and all their paths. */
export function workflowInvalid(problems: readonly { path: string; code: string; message: string }[]): SnapchatError {
  const [first] = problems;
  const own = OWN_CODES.find((code) => code === first?.code);
  return new SnapchatError({
    code: own ?? "workflow_invalid",
    kind: "fix_configuration",
    message: `The workflow does not hold: ${problems
      .slice(0, 3)
      .map(({ path, message }) => `${path || "workflow"}: ${message}`)
      .join("; ")}${problems.length > 3 ? `; and ${problems.length - 3} more` : ""}.`,
    fix:
      own === "workflow_newer"
        ? "Update snapchat-destination on this machine, or save the workflow with the version that runs here."
        : "Correct the paths named in `details.paths` and save again.",
    details: {
      problem: first?.code,
      count: problems.length,
      paths: problems
        .slice(0, 20)
        .map(({ path }) => path)
        .join(", "),
    },
  });
}
