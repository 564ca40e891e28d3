import type { ActionSource } from "../wire/action-sources.ts";
import type { Issue } from "../wire/event.ts";
import type { PrepareOptions } from "./options.ts";
import { issueOf, REPAIRS, type RepairCode } from "./repairs.ts";

/** One event on its way to JSON: what is known and what was noticed so far. */
export interface Draft {
  readonly options: PrepareOptions;
  readonly issues: Issue[];
  /** Paths that may leave; `undefined`: all. */
  readonly allowed: ReadonlySet<string> | undefined;
  /** Code of the first issue that rejects the event. */
  refused: string | undefined;
  name: string;
  source: ActionSource;
  orderId: string | undefined;
  identifiers: string[];
}

/** Adds an issue; one that rejects under the policy ends the event. */
export function note(draft: Draft, code: RepairCode, path: string): void {
  draft.issues.push(issueOf(code, path));
  const { severity } = REPAIRS[code];
  if (severity === "error" || (severity === "repaired" && draft.options.policy === "strict")) draft.refused ??= code;
}

/**
 * Ends an event that has nothing to send in a field it cannot do without. Where something was given, and left out for what
 * it was, that is the reason: the sender looks for what is wrong with it, not for what is missing.
 */
export function lacks(draft: Draft, code: RepairCode, path: string): void {
  const at = draft.issues.findLastIndex((issue) => issue.path === path && issue.code !== "field_renamed");
  const issue = draft.issues[at];
  if (issue === undefined) {
    note(draft, code, path);
    return;
  }
  draft.issues[at] = { ...issue, message: `${issue.message} ${REPAIRS[code].message}`, severity: "error" };
  draft.refused ??= issue.code;
}

/** Whether the field may leave: on the allow-list, by itself or with its whole object. */
export function mayLeave(draft: Draft, level: string, path: string): boolean {
  return draft.allowed === undefined || draft.allowed.has(path) || draft.allowed.has(level);
}

const SETS = new WeakMap<readonly string[], ReadonlySet<string>>();

/** A list of settings as a set, made once per list. */
export function setOf(list: readonly string[]): ReadonlySet<string> {
  let set = SETS.get(list);
  if (set === undefined) {
    set = new Set(list);
    SETS.set(list, set);
  }
  return set;
}
