import { createHash } from "node:crypto";
import { type Prepared, type PreparedEvent, prepareEvent, type RepairCode } from "../capi/index.ts";
import { issueOf } from "../capi/repairs.ts";
import type { DeliveryItem, MemberItem } from "../delivery/index.ts";
import { hashedMember } from "../identity/index.ts";
import { personBytes, type Subjects } from "../people/index.ts";
import type { CanonicalEvent, Decision } from "../rules/event.ts";
import type { OneOrMany } from "../wire/event.ts";
import type { ReasonWords } from "../workflow/index.ts";
import { givenFor } from "./given.ts";
import { located } from "./located.ts";
import type { Plan } from "./plan.ts";
import { because, type ReceiptPart } from "./receipt.ts";
import { MAX_SEGMENT_KEY } from "./segments/errors.ts";
import { wordsOf, wordsOfPlugin } from "./words.ts";

/** What became of one decision: a line for the receipt, and the item to deliver where there is one. */
export interface Decided {
  part: ReceiptPart;
  item?: DeliveryItem;
  /** The event as it is sent, for counting what it carries. */
  prepared?: PreparedEvent;
  /** The segment behind a membership item: made known before the item is stored. */
  segment?: { link: string; key: string; name: string | undefined };
}

export interface DecideContext {
  nowMs: number;
  receivedAtMs: number | undefined;
  /** Who withdrew at this time or later is not sent to. */
  acceptedAtMs: number;
  /** Id of the host event: what pixel and server share. */
  eventId: string;
  /** Makes the digests that tombstones are compared with. */
  subjects: Subjects;
}

const DAY_MS = 86_400_000;
/** Snapchat takes events of this age; a destination's settings go before it. */
const MAX_AGE_MS: Readonly<Record<string, number>> = { WEB: 7 * DAY_MS, MOBILE_APP: 7 * DAY_MS, OFFLINE: 37 * DAY_MS };

/** Turns the router's decision into an item to deliver, or into the reason why there is none. */
export function decide(decision: Decision, event: CanonicalEvent, plan: Plan, context: DecideContext): Decided {
  const part: ReceiptPart = {
    destinationId: plan.destination.id,
    rule: decision.rule,
    channel: decision.channel,
    target: decision.target,
    status: decision.status === "rejected" ? "rejected" : "skipped",
    ...(decision.reason ? { reason: decision.reason, words: wordsOfDecision(decision.reason, decision.detail) } : {}),
    ...(decision.detail ? { detail: decision.detail } : {}),
  };
  if (decision.status !== "send") return { part };
  if (decision.channel === "audience") return decideMembership(decision, event, plan, context, part);
  if (decision.channel === "client") return { part: because(part, "skipped", "sent_by_browser") };
  return decideEvent(decision, event, plan, context, part);
}

function decideEvent(
  decision: Decision,
  event: CanonicalEvent,
  plan: Plan,
  context: DecideContext,
  part: ReceiptPart,
): Decided {
  const { destination } = plan;
  if (!destination.serverSide) return { part: because(part, "skipped", "server_side_off") };
  const prepared = prepareEvent(decision.event ?? { event_name: decision.target }, { ...plan.prepare, ...context });
  if (!prepared.ok) return { part: refusedBy(prepared, part, event, plan) };
  const assetId = decision.event?.action_source === "MOBILE_APP" ? destination.mobileAppId : destination.pixelId;
  if (!assetId) {
    const reason = decision.event?.action_source === "MOBILE_APP" ? "mobile_app_missing" : "pixel_missing";
    return { part: because(part, "rejected", reason) };
  }
  return {
    part: { ...part, status: "queued" },
    prepared,
    item: {
      type: "event",
      tenantId: destination.tenantId,
      destinationId: destination.id,
      assetId,
      json: prepared.json,
      eventId: prepared.eventId ?? context.eventId,
      orderId: prepared.orderId,
      eventName: prepared.eventName,
      rule: decision.rule,
      eventTime: prepared.eventTime,
      subjects: withPerson(context.subjects.ofEvent(prepared.json), decision, context.subjects),
      acceptedAtMs: context.acceptedAtMs,
      maxAgeMs: maxAge(decision.event?.action_source, plan),
      ...(destination.settings.validateOnly ? { validateOnly: true } : {}),
    },
  };
}

function wordsOfDecision(reason: string, detail: Decision["detail"]): ReasonWords {
  return typeof detail?.plugin === "string" ? wordsOfPlugin(reason, detail.plugin) : wordsOf(reason);
}

/** A field that is missing, and what is wrong where something was given for it. */
const UNREADABLE: Readonly<Record<string, RepairCode>> = {
  value_missing: "number_unreadable",
  currency_missing: "currency_unreadable",
};

/** The line of an event that validation refuses, with the field and the words of the finding. */
function refusedBy(
  { reason, issues }: Extract<Prepared, { ok: false }>,
  part: ReceiptPart,
  event: CanonicalEvent,
  plan: Plan,
): ReceiptPart {
  because(part, "rejected", reason);
  const issue = issues.find(({ code }) => code === reason);
  if (!issue) return part;
  const { path, message, fix } = issue;
  part.words = { message, fix };
  if (path !== "") part.path = path;
  const given = givenFor(path, part.rule, event, plan);
  const unreadable = UNREADABLE[reason];
  if (unreadable && given) {
    part.reason = unreadable;
    const why = issueOf(unreadable, path);
    part.words = { message: `${why.message} ${message}`, fix: why.fix };
  }
  return located(part, given, plan);
}

function maxAge(source: string | undefined, plan: Plan): number | undefined {
  const key = (source ?? "WEB") as "WEB" | "MOBILE_APP" | "OFFLINE";
  return plan.prepare.ageLimitsMs?.[key] ?? MAX_AGE_MS[key];
}

const MEMBER_FIELDS = [
  { identifier: "email", kind: 0, field: "em" },
  { identifier: "phone", kind: 1, field: "ph" },
  { identifier: "mobile_ad_id", kind: 2, field: "madid" },
] as const;

function decideMembership(
  decision: Decision,
  event: CanonicalEvent,
  plan: Plan,
  context: DecideContext,
  part: ReceiptPart,
): Decided {
  const { membership } = decision;
  const { destination } = plan;
  if (!membership) return { part: because(part, "rejected", "segment_missing") };
  if (membership.key.length > MAX_SEGMENT_KEY) {
    return { part: because({ ...part, target: "segment:" }, "rejected", "segment_key_too_long") };
  }
  const identifiers: { kind: 0 | 1 | 2; hash: string }[] = [];
  for (const { identifier, kind, field } of MEMBER_FIELDS) {
    if (!plan.identifiers.includes(identifier)) continue;
    for (const value of values(membership.user[field])) {
      const hash = hashedMember(identifier, value, { defaultCountry: plan.prepare.defaultCountry });
      if (hash && !identifiers.some((known) => known.kind === kind && known.hash === hash))
        identifiers.push({ kind, hash });
    }
  }
  if (identifiers.length === 0) return { part: because(part, "rejected", "no_member_identifier") };
  const link = segmentLink(destination.adAccountId ?? "", membership.key);
  return {
    part: { ...part, status: "queued" },
    item: {
      type: "member",
      tenantId: destination.tenantId,
      destinationId: destination.id,
      link,
      op: membership.op,
      identifiers,
      ...persons(event, decision, membership, context.subjects),
      // Taking somebody out is what a withdrawal wants: only additions are asked about again.
      subjects:
        membership.op === "add"
          ? withPerson(memberSubjects(identifiers, context.subjects), decision, context.subjects)
          : [],
      acceptedAtMs: context.acceptedAtMs,
      eventId: context.eventId,
    },
    segment: { link, key: membership.key, name: membership.name },
  };
}

/**
 * The name of a segment's queue and link: the same for every process, at most 32 characters whatever the CDP calls its
 * segment. Segments belong to an ad account, so another account makes another link.
 */
export function segmentLink(adAccountId: string, key: string): string {
  return createHash("sha256").update(`${adAccountId}\n${key}`).digest("base64url").slice(0, 32);
}

/**
 * Who enters or leaves: 16 bytes of a digest, so that one person leaving does not remove what another still holds. Who
 * enters is known by the best of their ids; who leaves takes along what was added under any of them, since an anonymous
 * visitor may have become a known customer in between.
 */
function persons(
  event: CanonicalEvent,
  { personKey }: Decision,
  { user, op }: NonNullable<Decision["membership"]>,
  subjects: Subjects,
): Pick<MemberItem, "person" | "alsoPersons"> {
  const external = values(user.external_id);
  const ids = new Set(
    [personKey, event.ids.userId, event.ids.anonymousId, ...external].filter((id) => id !== undefined),
  );
  const [first, ...others] = [...ids].map((id) => personBytes(subjects.ofPerson(id)));
  if (first === undefined) return {};
  return op === "add" || others.length === 0 ? { person: first } : { person: first, alsoPersons: others };
}

/** The host's own key of the person too: a request to forget may name nothing else. */
function withPerson(found: string[], { personKey }: Decision, subjects: Subjects): string[] {
  return personKey === undefined ? found : [...found, subjects.ofPerson(personKey)];
}

function memberSubjects(identifiers: readonly { kind: 0 | 1 | 2; hash: string }[], subjects: Subjects): string[] {
  return identifiers.map(({ kind, hash }) => subjects.ofHash(MEMBER_FIELDS[kind].field, hash));
}

function values(value: OneOrMany<string> | undefined): readonly string[] {
  if (value === undefined) return [];
  return typeof value === "string" ? [value] : value;
}
