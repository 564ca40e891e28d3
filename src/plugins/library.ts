import type { Operator } from "../rules/filter.ts";
import type { MappingFunction } from "../rules/functions.ts";
import { copy } from "./copy.ts";
import type { Guard } from "./guard.ts";
import type { Plugin } from "./hooks.ts";
import { taken } from "./sources.ts";

/** The plugins' functions and operators by name, for `createRouter`. */
export interface PluginLibrary {
  functions: Readonly<Record<string, MappingFunction>>;
  operators: Readonly<Record<string, Operator>>;
  /** Which plugin a name belongs to, for `explain`. */
  owner: Readonly<Record<string, string>>;
}

/** Names that plugins may not take. */
export interface ReservedNames {
  functions?: readonly string[];
  operators?: readonly string[];
}

/** Failures after which a function or operator is no longer called: one that hangs would hold every event up. */
const PATIENCE = 10;

/** Functions get copies and answer plain data; one that throws has no value, an operator that throws does not hold. */
export function guardedLibrary(
  guard: Guard,
  plugins: readonly Plugin[],
  reserved: ReservedNames,
): PluginLibrary | undefined {
  const functions: Record<string, MappingFunction> = {};
  const operators: Record<string, Operator> = {};
  const owner: Record<string, string> = {};
  for (const plugin of plugins) {
    for (const [name, run] of Object.entries(plugin.functions ?? {})) {
      claim("function", name, plugin, functions, reserved.functions);
      const call = patient((values: unknown[]) =>
        guard.callSync(plugin, "functions", () => run(...copy(values)), copy),
      );
      functions[name] = (...values) => call(values);
    }
    for (const [name, run] of Object.entries(plugin.operators ?? {})) {
      claim("operator", name, plugin, operators, reserved.operators);
      const call = patient((found: unknown, value: unknown) =>
        guard.callSync(
          plugin,
          "operators",
          () => run(copy(found), copy(value)),
          (answer) => answer === true,
        ),
      );
      operators[name] = (found, value) => call(found, value) === true;
    }
  }
  return Object.keys(owner).length > 0 ? { functions, operators, owner } : undefined;

  function claim(what: string, name: string, plugin: Plugin, table: object, names: readonly string[] = []): void {
    if (Object.hasOwn(table, name) || names.includes(name)) throw taken(what, name, plugin.name);
    owner[name] = plugin.name;
  }
}

/** Stops calling what has failed too often. */
function patient<A extends unknown[], T>(
  call: (...args: A) => { ok: true; value: T } | { ok: false },
): (...args: A) => T | undefined {
  let failures = 0;
  return (...args) => {
    if (failures >= PATIENCE) return undefined;
    const outcome = call(...args);
    if (outcome.ok) return outcome.value;
    failures++;
    return undefined;
  };
}
