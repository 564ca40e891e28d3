import { type PreparedEvent, prepareEvent, type SnapchatVerdict } from "../capi/index.ts";
import type { ActiveDestination } from "../destinations/index.ts";
import { isSnapchatError } from "../errors.ts";
import type { Subjects } from "../people/index.ts";
import { type PixelCall, pixelTrackCall } from "../pixel/index.ts";
import type { PluginChange } from "../plugins/index.ts";
import type { CanonicalEvent, Decision } from "../rules/event.ts";
import type { Issue } from "../wire/event.ts";
import { explainRoute, type RouteExplanation, type Workflow } from "../workflow/index.ts";
import { decide } from "./decide.ts";
import { explainIdentifiers, type IdentifierExplanation } from "./explain-identifiers.ts";
import type { NoPlan, Plan } from "./plan.ts";
import type { PluginStage } from "./plugin-stage.ts";
import { unreadable } from "./readable.ts";
import { because, type ReceiptPart, wholePart } from "./receipt.ts";
import { inHostWords, type Say } from "./words.ts";

/** One line of a receipt with everything behind it. */
export interface ExplainedPart extends ReceiptPart {
  /** The exact JSON that would be sent to Snapchat. Identifiers are hashed. */
  json?: string;
  /** The exact pixel call a browser would make. */
  call?: PixelCall;
  /** Names of the identifiers that are present. */
  identifiers?: readonly string[];
  /** What became of each identifier the event carried. Never its value. */
  userData?: readonly IdentifierExplanation[];
  /** What was found and repaired. */
  issues?: readonly Issue[];
  /** What plugins changed of this rule's event. */
  plugins?: readonly PluginChange[];
  /** With `validate`: what Snapchat's validate endpoint says. */
  snapchat?: SnapchatVerdict;
  /** With `validate`: why Snapchat could not be asked. */
  notValidated?: { code: string; message: string; fix: string };
}

/**
 * Why an event would or would not go out, and as what. Nothing is sent or stored. Where the destination is off, that
 * comes first, as on a receipt, and what would be queued once it is on is `skipped` for the same reason.
 */
export interface Explanation {
  destinationId: string;
  /** The id that pixel and server would share. */
  eventId: string | undefined;
  /** Which rules were tried, what stopped each, where every field comes from. Absent where the event was not read. */
  route?: RouteExplanation;
  /** What plugins added to the event before the rules were tried. */
  plugins: readonly PluginChange[];
  parts: ExplainedPart[];
}

export interface ExplainInput {
  event: unknown;
  destination: ActiveDestination;
  /** Why the destination takes nothing now, whatever the event is. */
  off: "tenant_suspended" | "destination_disabled" | undefined;
  plan: Plan | NoPlan;
  pluginStage: PluginStage | undefined;
  receivedAtMs: number | undefined;
  nowMs: number;
  subjects: Subjects;
  /** Asks Snapchat to judge one prepared event; absent: it is not asked. */
  validate?: ((assetId: string, event: PreparedEvent) => Promise<SnapchatVerdict | undefined>) | undefined;
  /** The host's own words for reasons. */
  say: Say | undefined;
}

/** The same decisions as `track` makes, plugins included, kept instead of stored. */
export async function explain(input: ExplainInput): Promise<Explanation> {
  const { event, destination, plan } = input;
  const whole = (status: "skipped" | "rejected", reason: string) =>
    said(wholePart(destination.id, status, reason), input.say);
  const first = input.off ? [whole("skipped", input.off)] : [];
  const one = (status: "skipped" | "rejected", reason: string): Explanation => ({
    destinationId: destination.id,
    eventId: undefined,
    plugins: [],
    parts: [...first, whole(status, reason)],
  });
  if ("refused" in plan) return one("skipped", plan.refused);
  const why = unreadable(event);
  if (why !== undefined) return one("rejected", why);

  const received = input.receivedAtMs === undefined ? {} : { receivedAtMs: input.receivedAtMs };
  const read = plan.source.read(event);
  const { eventId } = plan.router.route(read, received);
  const { canonical, plugins } = await enriched(input, read);
  const routed = plan.router.route(canonical, { ...received, eventId });
  const changes = new Map<number, PluginChange[]>();
  const decisions = await decisionsOf(input, routed.decisions, canonical, changes);
  const route = explainRoute(destination.workflow as Workflow, canonical, {
    ...received,
    ...plan.library,
    eventId,
    touched: plugins,
  });
  const parts: ExplainedPart[] = [...first];
  for (const [at, decision] of decisions.entries()) {
    const own = changes.get(at);
    const part = await explainPart(input, plan, decision, canonical, eventId);
    const sent = part.status === "queued" || part.reason === "sent_by_browser";
    if (input.off && sent) because(part, "skipped", input.off);
    parts.push({ ...said(part, input.say), ...(own ? { plugins: own } : {}) });
  }
  return { destinationId: destination.id, eventId, route, plugins, parts };
}

async function enriched(
  { pluginStage, destination }: ExplainInput,
  event: CanonicalEvent,
): Promise<{ canonical: CanonicalEvent; plugins: PluginChange[] }> {
  if (!pluginStage) return { canonical: event, plugins: [] };
  const { events, changes } = await pluginStage.enrich([event], destination.tenantId);
  return { canonical: events[0] ?? event, plugins: changes[0] ?? [] };
}

/** A plugin that has to be asked and fails stops everything: `track` would refuse the call and be called again. */
async function decisionsOf(
  { pluginStage, destination }: ExplainInput,
  decisions: readonly Decision[],
  event: CanonicalEvent,
  changes: Map<number, PluginChange[]>,
): Promise<readonly Decision[]> {
  if (!pluginStage) return decisions;
  const scope = { tenantId: destination.tenantId, destinationId: destination.id };
  try {
    return await pluginStage.decisions(decisions, event, scope, (at, change) => {
      changes.set(at, [...(changes.get(at) ?? []), change]);
    });
  } catch (error) {
    if (!isSnapchatError(error) || error.code !== "plugin_failed") throw error;
    const { plugin } = error.details;
    const detail = typeof plugin === "string" ? { plugin } : {};
    return decisions.map((decision) =>
      decision.status === "send" ? { ...decision, status: "skipped", reason: "plugin_failed", detail } : decision,
    );
  }
}

async function explainPart(
  { destination, receivedAtMs, nowMs, subjects, validate }: ExplainInput,
  plan: Plan,
  decision: Decision,
  canonical: CanonicalEvent,
  eventId: string,
): Promise<ExplainedPart> {
  const context = { nowMs, receivedAtMs, acceptedAtMs: nowMs, eventId, subjects };
  const { part, item } = decide(decision, canonical, plan, context);
  const shown: ExplainedPart = part;
  const { event } = decision;
  if (!event || decision.status !== "send") return shown;
  if (decision.channel === "client") {
    if (!destination.pixelId) return shown;
    return { ...shown, call: pixelTrackCall(event, { ...plan.prepare, pixelId: destination.pixelId }) };
  }
  const prepared = prepareEvent(event, { ...plan.prepare, nowMs, receivedAtMs });
  const explained = {
    ...shown,
    userData: explainIdentifiers(event, prepared, plan.prepare),
    issues: prepared.issues,
  };
  if (!prepared.ok) return explained;
  const sent = { ...explained, json: prepared.json, identifiers: prepared.identifiers };
  if (!validate || item?.type !== "event") return sent;
  try {
    const snapchat = await validate(item.assetId, prepared);
    return snapchat ? { ...sent, snapchat } : sent;
  } catch (error) {
    if (!isSnapchatError(error)) throw error;
    const { code, message, fix } = error;
    return { ...sent, notValidated: { code, message, fix } };
  }
}

/** A part in the host's own words. */
function said<P extends ReceiptPart>(part: P, say: Say | undefined): P {
  const { reason, words } = part;
  return say && reason !== undefined && words ? { ...part, words: inHostWords(reason, words, say) } : part;
}
