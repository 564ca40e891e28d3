import { SnapchatError } from "../errors.ts";
import type { HookName, Plugin } from "./hooks.ts";
import { HOOKS } from "./limits.ts";

const NAME = /^[a-z][a-z0-9-]{0,63}$/;
const WORD = /^[A-Za-z][A-Za-z0-9_.]{0,63}$/;

/** How a hook's value has to look. */
const SHAPES: Readonly<Record<HookName, (value: unknown) => boolean>> = {
  source: (value) => [value].flat().every(isSource),
  enrich: isFunction,
  resolveIdentity: isFunction,
  consent: isFunction,
  beforeSend: isFunction,
  functions: isTableOfFunctions,
  operators: isTableOfFunctions,
  segments: (value) => hasFunctions(value, "list", "members"),
  catalogue: isFunction,
  keys: (value) => hasFunctions(value, "sealingKey", "openingKey"),
  fetch: isFunction,
  notify: isFunction,
  audit: isFunction,
  receipts: isFunction,
  messages: isFunction,
};

/**
 * Checks a plugin and gives it back typed.
 *
 * @throws {SnapchatError} `plugin_invalid` (fix_configuration) for a name or hook that is not one, and for a plugin
 * without hooks.
 * @example
 * ```ts
 * import { definePlugin } from "snapchat-destination";
 *
 * export const noStaff = definePlugin({
 *   name: "no-staff",
 *   beforeSend(event) {
 *     const staff = [event.user_data?.em].flat().some((address) => address?.endsWith("@shop.example"));
 *     return staff ? { drop: "staff" } : event;
 *   },
 * });
 * ```
 */
export function definePlugin(plugin: Plugin): Plugin {
  const problem = pluginProblem(plugin);
  if (problem !== undefined) {
    throw new SnapchatError({
      code: "plugin_invalid",
      kind: "fix_configuration",
      message: `A plugin does not hold: ${problem}`,
      fix: "Correct the plugin; its hooks are listed in docs/plugins.md.",
    });
  }
  return plugin;
}

/** What is wrong with a plugin, in words, or `undefined`. */
export function pluginProblem(plugin: unknown): string | undefined {
  if (typeof plugin !== "object" || plugin === null) return "it is not an object.";
  const { name, timeLimitsMs, ...rest } = plugin as Record<string, unknown>;
  if (typeof name !== "string" || !NAME.test(name)) {
    return "its name has to be lower-case letters, digits and hyphens, at most 64.";
  }
  const hooks = Object.keys(rest).filter((key) => rest[key] !== undefined);
  for (const hook of hooks) {
    if (!isHook(hook)) return `${name}: ${hook} is no hook.`;
    if (!SHAPES[hook](rest[hook])) return `${name}: ${hook} has the wrong shape.`;
  }
  if (hooks.length === 0) return `${name}: it has no hooks.`;
  for (const [hook, limit] of Object.entries(timeLimitsMs ?? {})) {
    if (!isHook(hook) || typeof limit !== "number" || !(limit > 0))
      return `${name}: its time limit of ${hook} is wrong.`;
  }
  return undefined;
}

function isHook(key: string): key is HookName {
  return Object.hasOwn(HOOKS, key);
}

function isFunction(value: unknown): boolean {
  return typeof value === "function";
}

function hasFunctions(value: unknown, ...names: string[]): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    names.every((name) => isFunction((value as Record<string, unknown>)[name]))
  );
}

function isSource(value: unknown): boolean {
  const name = (value as { name?: unknown } | undefined)?.name;
  return hasFunctions(value, "read") && typeof name === "string" && WORD.test(name);
}

function isTableOfFunctions(value: unknown): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    Object.entries(value).every(([name, entry]) => WORD.test(name) && isFunction(entry))
  );
}
