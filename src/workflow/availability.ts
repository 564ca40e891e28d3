import type { Rule } from "../rules/workflow.ts";
import { APP_EVENT_NAMES } from "../wire/event-names.ts";

/** Whether a toggle can be used, and if not, why. */
export interface Availability {
  available: boolean;
  /** Stable, `snake_case`; words in `REASONS`. */
  reason?: string;
}

/**
 * What a rule's two toggles allow by the rule's own nature; a destination's state comes on top in `eventList`.
 *
 * @example
 * ```ts
 * import { channelAvailability } from "snapchat-destination/workflow";
 *
 * channelAvailability({ to: "PURCHASE" }).client; // { available: true }
 * channelAvailability({ to: "segment:add" }).client; // { available: false, reason: "server_only_segment" }
 * ```
 */
export function channelAvailability(rule: Pick<Rule, "to" | "map">): { server: Availability; client: Availability } {
  if (rule.to.startsWith("segment:")) {
    return { server: { available: true }, client: { available: false, reason: "server_only_segment" } };
  }
  const source = rule.map?.action_source;
  const app =
    (APP_EVENT_NAMES as readonly string[]).includes(rule.to) ||
    (source && "value" in source && source.value === "MOBILE_APP");
  return {
    server: { available: true },
    client: app ? { available: false, reason: "server_only_app" } : { available: true },
  };
}
