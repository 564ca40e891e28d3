import type { PreparedEvent } from "../../capi/index.ts";
import type { SnapEventInput } from "../../wire/event.ts";
import type { ReceiptPart } from "../receipt.ts";
import { type Bucket, count, countsOf, type EventCounts, newBucket } from "./counts.ts";

/** Of one event name, this many are looked at closely; of more, one in {@link EVERY}, which then stands for all of them. */
const CLOSELY = 500;
const EVERY = 8;

interface EventTally {
  accepted: number;
  sharedId: number;
  identifiers: Map<string, number>;
  purchase: EventCounts["purchase"];
  issues: Map<string, number>;
  delivered: number;
  ageMs: number;
}

/** Counts of one destination since they were last passed on: maps of known texts, because every event comes by here. */
export class Tally {
  reusedIds = 0;
  readonly #events = new Map<string, EventTally>();
  readonly #outcomes = new Map<string, Map<string, { part: ReceiptPart; count: number }>>();

  decided(parts: readonly ReceiptPart[]): void {
    for (const part of parts) {
      if (part.channel === "client") continue;
      let ofRule = this.#outcomes.get(part.rule);
      if (!ofRule) {
        ofRule = new Map();
        this.#outcomes.set(part.rule, ofRule);
      }
      const outcome = part.reason ?? part.status;
      const known = ofRule.get(outcome);
      if (known) known.count++;
      else ofRule.set(outcome, { part, count: 1 });
    }
  }

  accepted(input: SnapEventInput, { eventName, identifiers, issues, orderId }: PreparedEvent, shared: boolean): void {
    const tally = this.#of(eventName);
    tally.accepted++;
    if (shared) tally.sharedId++;
    for (const { code } of issues) add(tally.issues, code, 1);
    const closely = tally.accepted <= CLOSELY;
    if (!closely && tally.accepted % EVERY !== 0) return;
    const weight = closely ? 1 : EVERY;
    for (const name of identifiers) add(tally.identifiers, name, weight);
    if (eventName !== "PURCHASE") return;
    const custom: Readonly<Record<string, unknown>> = input.custom_data ?? {};
    if (present(custom.value)) tally.purchase.value += weight;
    if (present(custom.currency)) tally.purchase.currency += weight;
    if (orderId !== undefined) tally.purchase.order_id += weight;
    if (present(custom.contents) || present(custom.content_ids)) tally.purchase.contents += weight;
  }

  delivered(eventName: string, ageMs: number): void {
    const tally = this.#of(eventName);
    tally.delivered++;
    tally.ageMs += ageMs;
  }

  /** The counts as they are stored. */
  bucket(): Bucket {
    const bucket = newBucket();
    bucket.reusedIds = this.reusedIds;
    for (const ofRule of this.#outcomes.values()) {
      for (const { part, count: amount } of ofRule.values()) {
        count(bucket.outcomes, `${part.rule} ${part.status} ${part.reason ?? ""}`, amount);
      }
    }
    for (const [name, tally] of this.#events) {
      const counts = countsOf(bucket, name);
      if (!counts) continue;
      const { accepted, sharedId, purchase, delivered, ageMs } = tally;
      Object.assign(counts, { accepted, sharedId, purchase, delivered, ageMs });
      for (const [field, amount] of tally.identifiers) counts.identifiers[field] = Math.min(amount, accepted);
      for (const [code, amount] of tally.issues) count(counts.issues, code, amount);
    }
    return bucket;
  }

  #of(eventName: string): EventTally {
    let tally = this.#events.get(eventName);
    if (!tally) {
      tally = {
        accepted: 0,
        sharedId: 0,
        identifiers: new Map(),
        purchase: { value: 0, currency: 0, order_id: 0, contents: 0 },
        issues: new Map(),
        delivered: 0,
        ageMs: 0,
      };
      this.#events.set(eventName, tally);
    }
    return tally;
  }
}

function add(to: Map<string, number>, name: string, amount: number): void {
  to.set(name, (to.get(name) ?? 0) + amount);
}

const present = (value: unknown): boolean =>
  value !== undefined && value !== null && value !== "" && !(Array.isArray(value) && value.length === 0);
