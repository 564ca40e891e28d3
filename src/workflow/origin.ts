import { compileFilter } from "../rules/filter.ts";
import { compileMapping, type Library } from "../rules/mapping.ts";
import { compilePath } from "../rules/path.ts";
import { isAbsent } from "../rules/values.ts";
import type { Condition, Filter, Mapping } from "../rules/workflow.ts";
import { hidesPerson } from "./hides-person.ts";

/**
 * Where a mapping's value comes from, for an event: paths, `literal`, `products[].id`, `basket_total(products)`. Empty
 * where it finds nothing. It decides by the same compiled parts that routing runs.
 */
export function originOf(mapping: Mapping, event: unknown, library: Library, item?: unknown): string[] {
  const inside = (part: Mapping) => originOf(part, event, library, item);
  if (isAbsent(compileMapping(mapping, library)(event, item))) return [];
  if ("path" in mapping) return [mapping.path];
  if ("value" in mapping) return ["literal"];
  if ("first" in mapping) {
    const found = mapping.first.find((part) => !isAbsent(compileMapping(part, library)(event, item)));
    return found ? inside(found) : [];
  }
  if ("template" in mapping) return [...mapping.template.matchAll(/\{([^{}]*)\}/g)].map(([, path = ""]) => path);
  if ("if" in mapping) {
    const branch = compileFilter(mapping.if, library.operators)(event, item) ? mapping.use : mapping.else;
    return branch ? inside(branch) : [];
  }
  if ("each" in mapping) {
    const list = compilePath(mapping.each)(event, item);
    const entries = Array.isArray(list) ? list.slice(0, 20) : [];
    const from = entries.flatMap((entry) => originOf(mapping.to, event, library, entry));
    return [...new Set(from)].map((path) => path.replace(/^item\b/, `${mapping.each}[]`));
  }
  if ("object" in mapping) return [...new Set(Object.values(mapping.object).flatMap(inside))];
  if ("call" in mapping) return [`${mapping.call}(${(mapping.with ?? []).flatMap(inside).join(", ")})`];
  return Object.values(mapping as Record<string, Mapping>).flatMap(inside);
}

/** Every path a mapping may read, whatever an event holds: `properties.value`, `item.price`. */
export function readPaths(mapping: Mapping): string[] {
  if ("path" in mapping) return [mapping.path];
  if ("value" in mapping) return [];
  if ("template" in mapping) return [...mapping.template.matchAll(/\{([^{}]*)\}/g)].map(([, path = ""]) => path);
  if ("each" in mapping) return [mapping.each];
  const parts =
    "first" in mapping
      ? mapping.first
      : "if" in mapping
        ? [mapping.use, ...(mapping.else ? [mapping.else] : [])]
        : "object" in mapping
          ? Object.values(mapping.object)
          : "call" in mapping
            ? (mapping.with ?? [])
            : Object.values(mapping as Record<string, Mapping>);
  return [...new Set(parts.flatMap(readPaths))];
}

/** A condition that decided against a rule, with what it met. */
export interface FailedCondition {
  path: string;
  op: string;
  /** What the condition asks for. */
  value?: Condition["value"];
  /** True where the condition held and should not have. */
  negated: boolean;
  /** What stood there: the value of a property, only `present` or `missing` for what may identify a person. */
  found: string | number | boolean;
}

/** The conditions that keep a filter from being met; empty where it is. */
export function failedConditions(filter: Filter, event: unknown, library: Library, want = true): FailedCondition[] {
  if (compileFilter(filter, library.operators)(event) === want) return [];
  const inside = (part: Filter) => failedConditions(part, event, library, want);
  if ("and" in filter) return filter.and.flatMap(inside);
  if ("or" in filter) return filter.or.flatMap(inside);
  if ("not" in filter) return failedConditions(filter.not, event, library, !want);
  const { path, op, value } = filter as Condition;
  const found = shown(path, compilePath(path)(event));
  return [{ path, op, ...(value === undefined ? {} : { value }), negated: !want, found }];
}

/** Shows what a filter met without showing a person: only short, plain properties are printed. */
function shown(path: string, value: unknown): string | number | boolean {
  if (isAbsent(value)) return "missing";
  const open = path.startsWith("properties.") || path === "context.channel" || path === "kind" || path === "name";
  if (!open) return "present";
  if (typeof value === "boolean") return value;
  if (typeof value === "number") return hidesPerson(String(value)) ? "present" : value;
  if (typeof value !== "string") return Array.isArray(value) ? "a list" : "an object";
  return value.length <= 60 && !hidesPerson(value) ? value : "present";
}
