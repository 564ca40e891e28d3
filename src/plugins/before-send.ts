import type { Issue, SnapEventInput } from "../wire/event.ts";
import { copy, isPlain } from "./copy.ts";
import { GARBAGE, type Guard, type HookOutcome, type HookScope, type PluginChange } from "./guard.ts";
import type { Plugin } from "./hooks.ts";

/** What became of a mapped event. */
export type BeforeSendOutcome =
  | { status: "send"; event: SnapEventInput; changes: PluginChange[]; issues: Issue[] }
  /** A plugin wants it dropped, for a reason of its own in `snake_case`. */
  | { status: "dropped"; plugin: string; reason: string; changes: PluginChange[] }
  /** A plugin failed. */
  | { status: "rejected"; plugin: string; reason: "plugin_failed"; changes: PluginChange[] };

/** Fields a plugin may not change: pixel and server, and a repetition, are told apart by them. */
const FIXED = ["event_name", "event_id", "event_time", "carried_time"] as const;

type Verdict = { drop: string } | { event: SnapEventInput } | undefined;

/**
 * Asks each plugin in turn, each with a copy of what the one before it answered. Synchronous where all plugins are.
 */
export function createBeforeSend(guard: Guard, plugins: readonly Plugin[]) {
  return function beforeSend(given: SnapEventInput, scope: HookScope): BeforeSendOutcome | Promise<BeforeSendOutcome> {
    return step(0, { status: "send", event: given, changes: [], issues: [] }, scope);
  };

  function step(
    from: number,
    so: BeforeSendOutcome & { status: "send" },
    scope: HookScope,
  ): BeforeSendOutcome | Promise<BeforeSendOutcome> {
    let state = so;
    for (let index = from; index < plugins.length; index++) {
      const plugin = plugins[index] as Plugin;
      const outcome = guard.call(
        plugin,
        "beforeSend",
        (context) => plugin.beforeSend?.(copy(state.event), context),
        verdict,
        scope,
      );
      if (outcome instanceof Promise) {
        return outcome.then((answer) => {
          const next = applied(state, plugin, answer);
          return next.status === "send" ? step(index + 1, next, scope) : next;
        });
      }
      const next = applied(state, plugin, outcome);
      if (next.status !== "send") return next;
      state = next;
    }
    return state;
  }
}

function verdict(answer: unknown): Verdict {
  if (answer === undefined || answer === null) return undefined;
  if (!isPlain(answer)) throw GARBAGE;
  if ("drop" in answer) {
    if (typeof answer.drop !== "string") throw GARBAGE;
    return { drop: reasonCode(answer.drop) };
  }
  const event = copy(answer) as unknown as SnapEventInput;
  if (typeof event.event_name !== "string") throw GARBAGE;
  for (const part of [event.user_data, event.custom_data, event.app_data]) {
    if (part !== undefined && !isPlain(part)) throw GARBAGE;
  }
  return { event };
}

function applied(
  state: BeforeSendOutcome & { status: "send" },
  { name }: Plugin,
  outcome: HookOutcome<Verdict>,
): BeforeSendOutcome {
  const { changes } = state;
  if (!outcome.ok) return { status: "rejected", plugin: name, reason: "plugin_failed", changes };
  const answer = outcome.value;
  if (answer === undefined) return state;
  if ("drop" in answer) return { status: "dropped", plugin: name, reason: answer.drop, changes };
  const paths = changedPaths(state.event, answer.event);
  const refused = FIXED.filter((field) => paths.includes(field));
  const event = { ...answer.event };
  for (const field of FIXED) {
    if (state.event[field] === undefined) delete event[field];
    else Object.assign(event, { [field]: state.event[field] });
  }
  const kept = paths.filter((path) => !refused.some((field) => field === path));
  return {
    status: "send",
    event,
    changes: kept.length > 0 ? [...changes, { plugin: name, hook: "beforeSend", paths: kept }] : changes,
    issues: [...state.issues, ...refused.map((field) => refusedIssue(name, field))],
  };
}

/** Paths of two levels that differ, by their JSON. */
function changedPaths(old: SnapEventInput, next: SnapEventInput): string[] {
  const paths: string[] = [];
  const before = old as unknown as Record<string, unknown>;
  const after = next as unknown as Record<string, unknown>;
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const a = before[key];
    const b = after[key];
    if (JSON.stringify(a) === JSON.stringify(b)) continue;
    if (!isPlain(a) || !isPlain(b)) paths.push(key);
    else {
      for (const inner of new Set([...Object.keys(a), ...Object.keys(b)])) {
        if (JSON.stringify(a[inner]) !== JSON.stringify(b[inner])) paths.push(`${key}.${inner}`);
      }
    }
  }
  return paths;
}

/** A plugin's own words as a code: `Not in EU!` is `not_in_eu`. */
function reasonCode(text: string): string {
  const code = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "_")
    .replace(/^_+|_+$/g, "")
    .slice(0, 64);
  return code === "" ? "no_reason_given" : code;
}

function refusedIssue(plugin: string, field: string): Issue {
  return {
    path: field,
    code: "plugin_change_refused",
    message: `The plugin ${plugin} changed ${field}; it stays as it was.`,
    fix: "Leave id, name and time of an event alone: a repetition must stay a repetition.",
    severity: "warning",
  };
}
