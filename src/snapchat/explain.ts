import { prepareEvent } from "../capi/index.ts";
import type { ActiveDestination } from "../destinations/index.ts";
import type { Subjects } from "../people/index.ts";
import { type PixelCall, pixelTrackCall } from "../pixel/index.ts";
import { brokenBound } from "../wire/bounds.ts";
import type { Issue } from "../wire/event.ts";
import { explainRoute, type ReasonWords, type RouteExplanation, type Workflow } from "../workflow/index.ts";
import { decide } from "./decide.ts";
import type { Plan } from "./plan.ts";
import type { ReceiptPart } from "./receipt.ts";
import { wordsOf } from "./words.ts";

/** Why an event would or would not go out, and as what. Nothing is sent or stored. */
export interface Explanation {
  destinationId: string;
  /** The id that pixel and server would share. */
  eventId: string | undefined;
  /** Which rules were tried, what stopped each, where every field comes from. Absent where the event was not read. */
  route?: RouteExplanation;
  parts: (ReceiptPart & {
    /** The reason in a marketer's words, and what to do about it. */
    words?: ReasonWords;
    /** The exact JSON that would be sent to Snapchat. Identifiers are hashed. */
    json?: string;
    /** The exact pixel call a browser would make. */
    call?: PixelCall;
    /** Names of the identifiers that are present. */
    identifiers?: readonly string[];
    issues?: readonly Issue[];
  })[];
}

export interface ExplainInput {
  event: unknown;
  destination: ActiveDestination;
  plan: Plan | undefined;
  receivedAtMs: number | undefined;
  nowMs: number;
  subjects: Subjects;
}

/** The same decisions as `track` makes, kept instead of stored. */
export function explain(input: ExplainInput): Explanation {
  const { event, destination, plan, receivedAtMs, nowMs, subjects } = input;
  const one = (status: "skipped" | "rejected", reason: string): Explanation => ({
    destinationId: destination.id,
    eventId: undefined,
    parts: [
      { destinationId: destination.id, rule: "", channel: "server", target: "", status, reason, ...words(reason) },
    ],
  });
  if (!plan) return one("skipped", "no_workflow");
  if (brokenBound(event) !== undefined) return one("rejected", "event_too_large");
  if (typeof event !== "object" || event === null) return one("rejected", "event_not_an_object");

  const canonical = plan.source.read(event);
  const routed = plan.router.route(canonical, receivedAtMs === undefined ? {} : { receivedAtMs });
  const context = { nowMs, receivedAtMs, acceptedAtMs: nowMs, eventId: routed.eventId, subjects };
  return {
    destinationId: destination.id,
    eventId: routed.eventId,
    route: explainRoute(
      destination.workflow as Workflow,
      canonical,
      receivedAtMs === undefined ? {} : { receivedAtMs },
    ),
    parts: routed.decisions.map((decision) => {
      const { part } = decide(decision, canonical, plan, context);
      const shown = { ...part, ...words(part.reason) };
      if (decision.channel === "server" && decision.event && decision.status === "send") {
        const prepared = prepareEvent(decision.event, { ...plan.prepare, nowMs, receivedAtMs });
        return prepared.ok
          ? { ...shown, json: prepared.json, identifiers: prepared.identifiers, issues: prepared.issues }
          : { ...shown, issues: prepared.issues };
      }
      if (decision.channel === "client" && decision.event && decision.status === "send" && destination.pixelId) {
        const call = pixelTrackCall(decision.event, {
          pixelId: destination.pixelId,
          integration: plan.prepare.integration,
        });
        return { ...shown, call };
      }
      return shown;
    }),
  };
}

function words(reason: string | undefined): { words?: ReasonWords } {
  return reason === undefined ? {} : { words: wordsOf(reason) };
}
