import type { Delivery, DeliveryItem, NowOutcome } from "../delivery/index.ts";
import type { ActiveDestination, Destinations } from "../destinations/index.ts";
import type { Ingest, Offer } from "./ingest.ts";
import type { NoPlan, Plan } from "./plan.ts";
import type { ReceiptPart } from "./receipt.ts";
import { knownWords } from "./words.ts";

/** What the host promises of its queue, and how long it waits. */
export interface SendNowOptions {
  /**
   * Memberships too. Only where the host's queue keeps the order of `groupKey`: one consumer at a time for a key, the next
   * event after the outcome of the one before. Without it memberships are `rejected` as `order_not_promised`.
   */
  ordered?: boolean;
  /** How long a request may wait for its slot under Snapchat's limits. Milliseconds. Default 10,000. */
  maxWaitMs?: number;
  /** Ends the call; what was on its way is answered `retry` with `known: false`. */
  signal?: AbortSignal;
}

/** - `delivered`: Snapchat answered VALID (or SUCCESS for members).
 *  - `retry`: offer the same event again after `retryAfterMs`.
 *  - `paused`: keep it; a person has to act first (sign in, paste a token, resume). Ask again after `retryAfterMs`.
 *  - `rejected`: it cannot be sent; `reason` says why. Keep it where your support looks.
 *  - `skipped`: nothing is to be sent, and why. */
export type SendStatus = "delivered" | "retry" | "paused" | "rejected" | "skipped";

/** What one rule of one destination made of an event. */
export interface SendPart extends Omit<ReceiptPart, "status"> {
  status: SendStatus;
  /** `false`: Snapchat may have taken it. */
  known?: boolean;
  /** Snapchat's words, redacted. */
  message?: string;
  requestId?: string;
}

/** What became of one host event. */
export interface SendOutcome {
  /** The id that pixel and server share. */
  eventId: string | undefined;
  /** `retry` if any part is, else `paused`, `rejected`, `delivered`, `skipped`. A part that was delivered is absorbed by its id when the event comes again. */
  status: SendStatus;
  /** For `retry` and `paused`. Milliseconds. */
  retryAfterMs?: number;
  /** `false`: some part may have been taken although its outcome is not known. Send again within 48 hours or not at all. */
  known: boolean;
  parts: SendPart[];
}

export interface SendNowDependencies {
  ingest: Pick<Ingest, "prepare">;
  delivery: Pick<Delivery, "sendNow">;
  destinations: Pick<Destinations, "sendingCredential">;
}

/** Events of a queue of the host's own straight to Snapchat: decided as `track` decides, stored nowhere, one outcome each. */
export function createSendNow({ ingest, delivery, destinations }: SendNowDependencies) {
  return async function sendNow(offers: readonly Offer[], options: SendNowOptions = {}): Promise<SendOutcome[]> {
    const { ordered = false, maxWaitMs, signal } = options;
    const { receipts, waiting } = await ingest.prepare(offers, { hostQueue: { ordered } });
    const credentialOf = remembered(destinations);
    const sent = await delivery.sendNow(
      waiting.map(({ item }) => item),
      { credentialOf, maxWaitMs, signal },
    );
    const ends = new Map(waiting.map(({ part }, i) => [part, sent[i] as NowOutcome]));
    return receipts.map(({ eventId, parts }) => outcomeOf(eventId, parts, ends));
  };
}

/** One look per destination and asset, however many items a call has. */
function remembered({ sendingCredential }: SendNowDependencies["destinations"]) {
  const known = new Map<string, ReturnType<typeof sendingCredential>>();
  return (item: DeliveryItem) => {
    const assetId = item.type === "event" ? item.assetId : undefined;
    const key = `${item.destinationId} ${assetId ?? ""}`;
    const found = known.get(key) ?? sendingCredential(item.tenantId, item.destinationId, assetId);
    known.set(key, found);
    return found;
  };
}

const ORDER: readonly SendStatus[] = ["retry", "paused", "rejected", "delivered", "skipped"];

function outcomeOf(
  eventId: string | undefined,
  given: readonly ReceiptPart[],
  ends: ReadonlyMap<ReceiptPart, NowOutcome>,
): SendOutcome {
  let retryAfterMs: number | undefined;
  let known = true;
  const parts = given.map((part): SendPart => {
    const end = ends.get(part);
    if (!end) return { ...part, status: part.status === "rejected" ? "rejected" : "skipped" };
    known &&= end.known;
    if (end.retryAfterMs !== undefined) retryAfterMs = Math.max(retryAfterMs ?? 0, end.retryAfterMs);
    return { ...part, ...partOf(end) };
  });
  const status = ORDER.find((one) => parts.some((part) => part.status === one)) ?? "skipped";
  return { eventId, status, known, parts, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

function partOf({
  status,
  known,
  reason,
  message,
  requestId,
}: NowOutcome): Partial<SendPart> & Pick<SendPart, "status"> {
  const why = status === "validated" ? "validated_only" : status === "withdrawn" ? "withdrawn" : reason;
  const words = why === undefined ? undefined : knownWords(why);
  return {
    ...(known ? {} : { known }),
    ...(why === undefined ? {} : { reason: why }),
    ...(words === undefined ? {} : { words }),
    ...(message === undefined ? {} : { message }),
    ...(requestId === undefined ? {} : { requestId }),
    status: status === "validated" ? "delivered" : status === "withdrawn" ? "skipped" : status,
  };
}

/**
 * What to partition a queue by: a tenant's memberships under one key, in whose order they have to be sent; its events
 * under another, in any order, together because a full request holds 2,000 of them.
 */
export function createGroupKey(dependencies: {
  enabledDestinations(tenantId: string): readonly ActiveDestination[] | Promise<readonly ActiveDestination[]>;
  plan(destination: ActiveDestination): Plan | NoPlan;
}) {
  return async function groupKey(tenantId: string, event: unknown): Promise<string> {
    const enabled = await dependencies.enabledDestinations(tenantId);
    const sources = new Set(
      enabled.flatMap((destination) => {
        const plan = dependencies.plan(destination);
        return "refused" in plan ? [] : plan.source;
      }),
    );
    const member = [...sources].some((source) => source.read(event).audiences.length > 0);
    return `${encodeURIComponent(tenantId)}/${member ? "members" : "events"}`;
  };
}
