import type { Issue, SnapEventInput } from "../wire/event.ts";
import type { PrepareOptions } from "./options.ts";
import { prepareEvent } from "./prepare.ts";

/** As {@link PrepareOptions}, with a present that has a default. */
export interface ValidateOptions extends Omit<PrepareOptions, "nowMs"> {
  /** The present. Milliseconds since 1970. Default: the process's clock. */
  nowMs?: number | undefined;
}

/** The event as it would be sent, or why it would not be, and everything noticed on the way. */
export type Validated =
  | { ok: true; event: Record<string, unknown>; issues: Issue[] }
  | { ok: false; reason: string; issues: Issue[] };

/**
 * Judges one event without sending it: the event as it would leave (identifiers hashed) and a list of issues, each
 * with path, code, message, fix and severity. `repair`, the default, fixes or leaves out a bad field and keeps the
 * event; `strict` rejects it.
 *
 * @example
 * ```ts
 * import { validate } from "snapchat-destination/capi";
 *
 * const result = validate(
 *   { event_name: "PURCHASE", event_time: "tomorrow", action_source: "WEB", user_data: {} },
 *   { policy: "strict" },
 * );
 * for (const issue of result.issues) console.log(issue.path, issue.message, issue.fix);
 * ```
 */
export function validate(event: SnapEventInput, options: ValidateOptions = {}): Validated {
  const prepared = prepareEvent(event, { ...options, nowMs: options.nowMs ?? Date.now() });
  if (!prepared.ok) return prepared;
  return { ok: true, event: JSON.parse(prepared.json) as Record<string, unknown>, issues: prepared.issues };
}
