import type { Workflow } from "../workflow/index.ts";
import { readPaths } from "../workflow/origin.ts";
import { type Given, mappingOf } from "./given.ts";
import type { Plan } from "./plan.ts";
import type { ReceiptPart } from "./receipt.ts";

/**
 * A part that was rejected for a field, with the place where the workflow reads that field: what its reader has to
 * mend is the host's event, not Snapchat's field.
 */
export function located(part: ReceiptPart, given: Given | undefined, plan: Plan): ReceiptPart {
  const { path, words } = part;
  if (path === undefined || words === undefined) return part;
  if (given && given.from.length > 0) {
    const { value, from } = given;
    const message = `${words.message} It was read at ${shown(from)}, which holds ${kindOf(value)}.`;
    return { ...part, from, words: { ...words, message } };
  }
  const mapping = mappingOf(path, part.rule, plan.destination.workflow as Workflow);
  const from = mapping ? readPaths(mapping) : [];
  if (given || from.length === 0) return part;
  return {
    ...part,
    from,
    words: {
      message: `${words.message} The workflow reads it at ${shown(from)}, and the event has nothing there.`,
      fix: `Send it at ${shown(from.slice(0, 1))}, or map another path to \`${path}\`.`,
    },
  };
}

const SHOWN = 4;

function shown(paths: readonly string[]): string {
  const named = paths.slice(0, SHOWN).map((path) => `\`${path}\``);
  return paths.length > SHOWN ? `${named.join(", ")}, …` : named.join(paths.length > 2 ? ", " : " or ");
}

/** What a value is, never the value. */
function kindOf(value: unknown): string {
  if (typeof value === "string") return `a text of ${value.length} character${value.length === 1 ? "" : "s"}`;
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
