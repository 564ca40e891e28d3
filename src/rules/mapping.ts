import { compileFilter, OPERATORS, type Operator, type Test } from "./filter.ts";
import { FUNCTIONS, type MappingFunction } from "./functions.ts";
import { compilePath, type Getter } from "./path.ts";
import { copyPlain, isAbsent, toNumber, toText } from "./values.ts";
import { type Filter, type Mapping, WORKFLOW_LIMITS } from "./workflow.ts";
import type { Fields, Finish, Writer } from "./writer.ts";

/** What mappings and filters may name besides paths. */
export interface Library {
  functions: Readonly<Record<string, MappingFunction>>;
  operators: Readonly<Record<string, Operator>>;
  /** Make filters and writers another way than from closures; same meaning. */
  test?: (filter: Filter, library: Library) => Test;
  writer?: (fields: Fields, library: Library, finish?: Finish) => Writer;
}

/** What a browser knows: no plugins, no app events. */
export const BROWSER_LIBRARY: Library = { functions: FUNCTIONS, operators: OPERATORS };

/** Compiles one mapping. A directive that does not exist gives nothing; `checkWorkflow` names it beforehand. */
export function compileMapping(mapping: Mapping, library: Library = BROWSER_LIBRARY): Getter {
  const compile = (part: Mapping) => compileMapping(part, library);
  if ("path" in mapping) {
    const get = compilePath(mapping.path);
    return (event, item) => {
      const value = get(event, item);
      return typeof value === "object" || typeof value === "function" ? copyPlain(value) : value;
    };
  }
  if ("value" in mapping) return () => mapping.value;
  if ("first" in mapping) return firstOf(mapping.first.map(compile));
  if ("template" in mapping) return compileTemplate(mapping.template);
  if ("if" in mapping) {
    const test = compileFilter(mapping.if, library.operators);
    const yes = compile(mapping.use);
    const no: Getter = mapping.else ? compile(mapping.else) : () => undefined;
    return (event, item) => (test(event, item) ? yes : no)(event, item);
  }
  if ("each" in mapping) return compileEach(compilePath(mapping.each), compile(mapping.to));
  if ("object" in mapping) {
    const fields = Object.keys(mapping.object).map((key) => ({ key, get: compile(mapping.object[key] as Mapping) }));
    return (event, item) => {
      let out: Record<string, unknown> | undefined;
      for (const { key, get } of fields) {
        const value = get(event, item);
        if (isAbsent(value) || key === "__proto__") continue;
        out ??= {};
        out[key] = value;
      }
      return out;
    };
  }
  if ("call" in mapping) {
    const call = Object.hasOwn(library.functions, mapping.call) ? library.functions[mapping.call] : undefined;
    const inputs = (mapping.with ?? []).map(argument);
    return (event, item) => call?.(...inputs.map((get) => get(event, item)));
  }
  for (const [key, convert] of CONVERSIONS) {
    if (!(key in mapping)) continue;
    const get = compile((mapping as Record<string, Mapping>)[key] as Mapping);
    return (event, item) => convert(get(event, item));
  }
  return () => undefined;

  /** A function only reads, so a list reaches it without being copied. */
  function argument(part: Mapping): Getter {
    return "path" in part ? compilePath(part.path) : compile(part);
  }
}

export const CONVERSIONS: readonly [string, (value: unknown) => unknown][] = [
  ["number", toNumber],
  ["text", toText],
  ["upper", (value) => toText(value)?.toUpperCase()],
  ["lower", (value) => toText(value)?.toLowerCase()],
];

function firstOf(getters: Getter[]): Getter {
  return (event, item) => {
    for (const get of getters) {
      const value = get(event, item);
      if (!isAbsent(value)) return value;
    }
    return undefined;
  };
}

function compileEach(list: Getter, to: Getter): Getter {
  return (event, item) => {
    const entries = list(event, item);
    if (!Array.isArray(entries)) return undefined;
    const out: unknown[] = [];
    const count = Math.min(entries.length, WORKFLOW_LIMITS.items);
    for (let index = 0; index < count; index++) {
      const value = to(event, entries[index]);
      if (!isAbsent(value)) out.push(value);
    }
    return out.length ? out : undefined;
  };
}

function compileTemplate(template: string): Getter {
  // Odd parts are paths: "Order {properties.order_id}" → ["Order ", "properties.order_id", ""].
  const parts = template.split(/\{([^{}]*)\}/).map((part, index) => (index % 2 ? compilePath(part) : part));
  return (event, item) => {
    let out = "";
    for (const part of parts) {
      const text = typeof part === "string" ? part : toText(part(event, item));
      if (typeof part !== "string" && isAbsent(text)) return undefined;
      out += text;
    }
    return out;
  };
}
