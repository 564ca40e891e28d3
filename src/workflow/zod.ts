import type * as Zod from "zod";
import { SnapchatError } from "../errors.ts";

let loaded: typeof Zod | undefined;

/**
 * Loads zod before it is needed. Optional on Node, where the first `parseWorkflow` loads it by itself; needed in
 * bundles and runtimes without `node:module`.
 *
 * @example
 * ```ts
 * import { loadSchemas, parseWorkflow } from "snapchat-destination/workflow";
 *
 * export async function workflowOf(stored: string) {
 *   await loadSchemas(); // once, at the start of a worker or a function
 *   return parseWorkflow(JSON.parse(stored));
 * }
 * ```
 */
export async function loadSchemas(): Promise<void> {
  loaded ??= await import("zod");
}

/** zod, loaded at the first use. */
export function zod(): typeof Zod {
  if (!loaded) {
    try {
      const module = globalThis.process?.getBuiltinModule?.("node:module");
      loaded = module?.createRequire(import.meta.url)("zod") as typeof Zod | undefined;
    } catch {
      // Bundled away: the message below says what to do.
    }
  }
  if (loaded) return loaded;
  throw new SnapchatError({
    code: "schemas_not_loaded",
    kind: "fix_configuration",
    message: "Workflows cannot be parsed: zod is not loaded and this runtime cannot load it synchronously.",
    fix: "Call `await loadSchemas()` once at start.",
  });
}
