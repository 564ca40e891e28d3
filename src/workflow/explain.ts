import { checkConsent } from "../rules/consent.ts";
import { compileChecked, type RouterOptions } from "../rules/create-router.ts";
import type { CanonicalEvent, Decision, RouteOptions } from "../rules/event.ts";
import { foldName } from "../rules/fold.ts";
import { type CompiledWorkflow, routeWith } from "../rules/router.ts";
import type { CompiledRule } from "../rules/rule.ts";
import { USER_MAP } from "../rules/user-data.ts";
import type { Mapping, Workflow } from "../rules/workflow.ts";
import type { Issue } from "../wire/event.ts";
import { type Availability, channelAvailability } from "./availability.ts";
import { type FailedCondition, failedConditions, originOf } from "./origin.ts";
import { type ReasonWords, reasonWords } from "./reasons.ts";

/** Where one field of the Snap event comes from. */
export interface FieldOrigin {
  /** `custom_data.value`, `user_data.em`, `action_source`. */
  field: string;
  /** Paths of the canonical event, `literal`, or a function over paths. */
  from: string[];
  /** The plugin that wrote what is read there. */
  plugin?: string;
}

/** Paths of the canonical event that a plugin wrote before routing. */
export interface Touched {
  plugin: string;
  paths: readonly string[];
}

/** What one rule makes of the event, and if nothing, why. */
export interface RuleExplanation {
  rule: string;
  label: string;
  target: string;
  status: "send" | "skipped";
  reason?: string;
  words?: ReasonWords;
  /** Per toggle: on, off, or not available and why. */
  server: ToggleExplanation;
  client: ToggleExplanation;
  /** Conditions that were not met. */
  failed: FailedCondition[];
  /** Consents the rule needs, and what the event says about each. */
  consent: { name: string; state: "granted" | "denied" | "absent" }[];
  eventId: string;
  fields: FieldOrigin[];
  /** Fields the rule maps that the event has nothing for. */
  missing: string[];
}

/** One toggle of a rule. */
export interface ToggleExplanation extends Availability {
  on: boolean;
}

/** An event's way through a workflow, without sending and without showing a person. */
export interface RouteExplanation {
  event: { source: string; name: string; kind: string; matchedAs: string; issues: readonly Issue[] };
  eventId: { id: string; from: string; note?: string };
  time: { from: "event" | "received" | "missing"; ms?: number };
  /** Rules of this event's name, and for memberships the segment row. */
  rules: RuleExplanation[];
  /** Rules that wait for other events. */
  otherRules: number;
  /** Where the person's identifiers are read; never the identifiers. */
  identifiers: FieldOrigin[];
  /** What `route` decides, without events and members. */
  decisions: Omit<Decision, "event" | "membership">[];
}

/**
 * Says what a workflow does with an event and why: which rules were tried, what stopped each, where every field comes
 * from. Nothing is sent, and no identifier is shown.
 *
 * @throws SnapchatError `workflow_invalid` like `createRouter`.
 * @example
 * ```ts
 * import { explainRoute, presets, sources } from "snapchat-destination/workflow";
 *
 * const event = sources.segment.read({ type: "track", event: "Order Completed", messageId: "m-1" });
 * const { rules, decisions } = explainRoute(presets.segment(), event);
 * ```
 */
export function explainRoute(
  workflow: Workflow,
  event: CanonicalEvent,
  options: RouteOptions & RouterOptions & { touched?: readonly Touched[] } = {},
): RouteExplanation {
  const compiled = compileChecked(workflow, options);
  const touched = options.touched ?? [];
  const { eventId, decisions } = routeWith(compiled).route(event, options);
  const named = compiled.rulesOf(event.name).filter(({ rule }) => !rule.to.startsWith("segment:"));
  const wanted = new Set(compiled.changes(event).map(({ op }) => `segment:${op}`));
  const tried = [...compiled.rules.filter(({ rule }) => wanted.has(rule.to)), ...named];
  const { from } = compiled.identify(event, options.receivedAtMs);
  const timeMs = event.timeMs ?? options.receivedAtMs;
  return {
    event: {
      source: event.source,
      name: event.name,
      kind: event.kind,
      matchedAs: named[0]?.rule.on ?? foldName(event.name),
      issues: event.issues,
    },
    eventId: { id: eventId, from, ...noteOn(from, workflow) },
    time: {
      from: event.timeMs !== undefined ? "event" : timeMs !== undefined ? "received" : "missing",
      ...(timeMs === undefined ? {} : { ms: timeMs }),
    },
    rules: tried.map((rule) => explainRule(compiled, rule, event, eventId, touched)),
    otherRules: compiled.rules.length - tried.length,
    identifiers: origins(compiled, workflow.user ?? USER_MAP, event, "user_data.", touched).found,
    decisions: decisions.map(({ event: _, membership: __, ...decision }) => decision),
  };
}

/** An order id is one per order, not one per event: the note says what that does. */
function noteOn(from: string, workflow: Workflow): { note?: string } {
  const orderIds = workflow.orderId ?? [
    "properties.order_id",
    "properties.transaction_id",
    "properties.transaction_number",
  ];
  if (orderIds.includes(from)) {
    return {
      note: "The id is an order id: a second event of the same order (a checkout, an update) has the same id, and Snapchat may count only the first.",
    };
  }
  if (from === "digest") {
    return { note: "The event carries no id, so one is computed of name, time, person, order and products." };
  }
  return {};
}

function explainRule(
  compiled: CompiledWorkflow,
  { rule, refuses, eventId }: CompiledRule,
  event: CanonicalEvent,
  id: string,
  touched: readonly Touched[],
): RuleExplanation {
  const available = channelAvailability(rule);
  const refusal = rule.server || rule.client ? refuses(event) : { reason: "rule_disabled" };
  const reason = refusal?.reason ?? (rule.server ? undefined : "client_only");
  const fields = origins(compiled, { ...compiled.workflow.map, ...rule.map }, event, "", touched);
  const segment = rule.to.startsWith("segment:");
  return {
    rule: rule.id,
    label: rule.label ?? rule.on,
    target: rule.to,
    status: refusal ? "skipped" : "send",
    ...(reason === undefined ? {} : { reason, words: reasonWords(reason) }),
    server: toggle(rule.server, available.server, "server_off"),
    client: toggle(rule.client, available.client, "client_off"),
    failed: rule.when ? failedConditions(rule.when, event, compiled.library) : [],
    consent: (rule.consent?.names ?? []).map((name) => ({ name, state: consentState(name, event) })),
    eventId: segment ? "" : eventId(event, id),
    fields: segment ? [] : fields.found,
    missing: segment ? [] : fields.missing,
  };
}

function toggle(on: boolean, available: Availability, off: string): ToggleExplanation {
  return { on, ...available, ...(on || available.reason ? {} : { reason: off }) };
}

function consentState(name: string, event: CanonicalEvent): "granted" | "denied" | "absent" {
  const refusal = checkConsent({ names: [name], absent: "deny" }, event.consent);
  return refusal === undefined ? "granted" : refusal.reason === "consent_denied" ? "denied" : "absent";
}

function origins(
  { library }: CompiledWorkflow,
  map: Readonly<Record<string, Mapping>>,
  event: CanonicalEvent,
  prefix: string,
  touched: readonly Touched[],
): { found: FieldOrigin[]; missing: string[] } {
  const found: FieldOrigin[] = [];
  const missing: string[] = [];
  for (const [field, mapping] of Object.entries(map)) {
    const from = originOf(mapping, event, library);
    const plugin = from.length && touched.length ? writerOf(from, touched) : undefined;
    if (from.length) found.push({ field: prefix + field, from, ...(plugin === undefined ? {} : { plugin }) });
    else missing.push(prefix + field);
  }
  return { found, missing };
}

/** The last plugin that wrote one of these places, something inside it, or what it is inside of. */
function writerOf(from: readonly string[], touched: readonly Touched[]): string | undefined {
  const places = from.flatMap((place) => place.match(/[\w.$-]+/g) ?? []);
  const near = (a: string, b: string) => a === b || a.startsWith(`${b}.`) || b.startsWith(`${a}.`);
  return touched.findLast(({ paths }) => paths.some((path) => places.some((place) => near(path, place))))?.plugin;
}
