import type { SnapEventInput } from "../wire/event.ts";
import { checkConsent } from "./consent.ts";
import type { CanonicalEvent } from "./event.ts";
import { compileFilter } from "./filter.ts";
import { foldName } from "./fold.ts";
import { BROWSER_LIBRARY, compileMapping, type Library } from "./mapping.ts";
import { compilePath, type Getter } from "./path.ts";
import { isAbsent, toText } from "./values.ts";
import type { Mapping, Rule, Workflow } from "./workflow.ts";

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

type Field = readonly [key: string, get: Getter];

/** Compiles all rules of a workflow and groups them by folded event name, in the order of the file. */
export function compileRules(workflow: Workflow, library: Library = BROWSER_LIBRARY): Map<string, CompiledRule[]> {
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
  const test = rule.when && compileFilter(rule.when, library.operators);
  const dedupe = rule.dedupe?.map(compilePath) ?? [];
  const root: Field[] = [];
  const custom: Field[] = [];
  const app: Field[] = [];
  for (const [path, mapping] of Object.entries<Mapping>({ ...shared, ...rule.map })) {
    const [group = "", key = group] = path.split(".");
    const target =
      group === "custom_data" ? custom : group === "app_data" ? app : ROOT_FIELDS.includes(path) ? root : [];
    if (!(key in {})) target.push([key, compileMapping(mapping, library)]);
  }
  return {
    rule,
    first,
    refuses(event) {
      if (test && !test(event)) return { reason: "filter_not_met" };
      const refusal = checkConsent(rule.consent, event.consent);
      return refusal && { reason: refusal.reason, detail: { consent: refusal.name } };
    },
    eventId(event, id) {
      for (const get of dedupe) {
        const own = toText(get(event));
        if (own) id = own;
        if (own) break;
      }
      return first ? id : `${id}.${rule.to}`;
    },
    build(event, id, timeMs) {
      const out: SnapEventInput = { event_name: rule.to, event_time: undefined, event_id: id };
      if (timeMs !== undefined) out.event_time = Math.floor(timeMs / 1_000);
      fill(out as unknown as Record<string, unknown>, root, event);
      const data = fill({}, custom, event);
      if (data) out.custom_data = data;
      if (app.length && out.action_source === "MOBILE_APP") {
        const fields = fill({}, app, event);
        if (fields) out.app_data = fields;
      }
      return out;
    },
  };
}

/** Writes what the fields find; `undefined` where they find nothing at all. */
function fill(
  out: Record<string, unknown>,
  fields: Field[],
  event: CanonicalEvent,
): Record<string, unknown> | undefined {
  let any = false;
  for (const [key, get] of fields) {
    const value = get(event);
    if (isAbsent(value)) continue;
    out[key] = value;
    any = true;
  }
  return any ? out : undefined;
}
