import { libraryWith } from "../rules/create-router.ts";
import { CONVERSIONS, compileMapping } from "../rules/mapping.ts";
import { isAbsent } from "../rules/values.ts";
import type { Mapping, Workflow } from "../workflow/index.ts";
import { originOf } from "../workflow/origin.ts";
import type { Plan } from "./plan.ts";

/** What an event holds where the workflow reads a field, before it is made a number or a text. */
export interface Given {
  value: unknown;
  /** Paths of the canonical event. */
  from: readonly string[];
}

/**
 * What was given for a field that is missing: a mapping that makes a number of it lets go of what is none. `undefined`:
 * the event has nothing there. Asked for events that are refused only.
 */
export function givenFor(path: string, rule: string, event: unknown, plan: Plan): Given | undefined {
  const mapping = mappingOf(path, rule, plan.destination.workflow as Workflow | undefined);
  if (mapping === undefined) return undefined;
  const library = libraryWith(plan.library);
  const inner = unconverted(mapping);
  const value = compileMapping(inner, library)(event);
  return isAbsent(value) ? undefined : { value, from: originOf(inner, event, library) };
}

/** How a rule makes a field. */
export function mappingOf(path: string, rule: string, workflow: Workflow | undefined): Mapping | undefined {
  return workflow?.rules.find(({ id }) => id === rule)?.map?.[path] ?? workflow?.map?.[path];
}

function unconverted(mapping: Mapping): Mapping {
  for (const [conversion] of CONVERSIONS) {
    const inner = (mapping as Partial<Record<string, Mapping>>)[conversion];
    if (inner !== undefined) return unconverted(inner);
  }
  return mapping;
}
