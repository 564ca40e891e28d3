import type { SnapEventInput } from "../wire/event.ts";
import { checkConsent } from "./consent.ts";
import type { CanonicalEvent } from "./event.ts";
import { compileFilter } from "./filter.ts";
import { foldName } from "./fold.ts";
import { BROWSER_LIBRARY, type Library } from "./mapping.ts";
import { compilePath, type Getter } from "./path.ts";
import { toText } from "./values.ts";
import type { Mapping, Rule, Workflow } from "./workflow.ts";
import { compileWriter, type Writer } from "./writer.ts";

/** Why a rule does not fire for an event; `undefined` where it does. */
export interface Refusal {
  reason: string;
  detail?: Record<string, string | number | boolean>;
}

/** One rule, compiled: the same on server and in browsers. */
export interface CompiledRule {
  readonly rule: Rule;
  /** The first rule of its event in the file keeps the event's id, whatever its toggles, filters or consent. */
  readonly first: boolean;
  /** Filter and consent, in that order. */
  refuses(event: CanonicalEvent): Refusal | undefined;
  /** `event_id` of this rule: the event's own, or the event's own and this rule's target. */
  eventId(event: CanonicalEvent, id: string): string;
  /** The Snap event without `user_data`. */
  build(event: CanonicalEvent, id: string, timeMs?: number): SnapEventInput;
}

/** Fields at the event's root that a mapping may write; id, name and time are not its business. */
export const ROOT_FIELDS: readonly string[] = ["action_source", "event_source_url", "data_processing_options"];

/** Compiles all rules of a workflow and groups them by folded event name, in the order of the file. */
export function compileRules(
  workflow: Pick<Workflow, "map" | "rules">,
  library: Library = BROWSER_LIBRARY,
): Map<string, CompiledRule[]> {
  const byName = new Map<string, CompiledRule[]>();
  for (const rule of workflow.rules) {
    const name = foldName(rule.on);
    const same = byName.get(name) ?? [];
    byName.set(name, same);
    same.push(compileRule(rule, workflow.map, rule.derived ? false : same.length === 0, library));
  }
  return byName;
}

function compileRule(rule: Rule, shared: Workflow["map"], first: boolean, library: Library): CompiledRule {
  const test = rule.when && (library.test?.(rule.when, library) ?? compileFilter(rule.when, library.operators));
  const dedupe = rule.dedupe?.map(compilePath) ?? [];
  const groups: Record<string, Record<string, Mapping>> = { root: {}, custom_data: {}, app_data: {} };
  for (const [path, mapping] of Object.entries<Mapping>({ ...shared, ...rule.map })) {
    const [group = "", key = ""] = path.split(".");
    const target = ROOT_FIELDS.includes(path) ? groups.root : Object.hasOwn(groups, group) ? groups[group] : undefined;
    if (target && !(key in {})) target[key || path] = mapping;
  }
  const [root, custom, app] = Object.values(groups).map((fields) =>
    (library.writer ?? compileWriter)(fields, library),
  ) as [Writer, Writer, Writer];
  return {
    rule,
    first,
    refuses(event) {
      if (test && !test(event)) return { reason: "filter_not_met" };
      const refusal = checkConsent(rule.consent, event.consent);
      return refusal && { reason: refusal.reason, detail: { consent: refusal.name } };
    },
    eventId(event, id) {
      const own = dedupe.length ? firstOf(dedupe, event) : undefined;
      return first ? (own ?? id) : `${own ?? id}.${rule.to}`;
    },
    build(event, id, timeMs) {
      const out: SnapEventInput = { event_name: rule.to, event_time: undefined, event_id: id };
      if (timeMs !== undefined) out.event_time = Math.floor(timeMs / 1_000);
      root(out as unknown as Record<string, unknown>, event);
      const data = {};
      if (custom(data, event)) out.custom_data = data;
      const device = {};
      if (out.action_source === "MOBILE_APP" && app(device, event)) out.app_data = device;
      return out;
    },
  };
}

/** The first of several paths that holds a text. */
export function firstOf(getters: readonly Getter[], event: CanonicalEvent): string | undefined {
  for (const get of getters) {
    const text = toText(get(event));
    if (text) return text;
  }
  return undefined;
}
