import type { PreparedEvent } from "../../capi/index.ts";
import type { Clock } from "../../clock.ts";
import { type SettledItem, sampled } from "../../delivery/index.ts";
import type { Records } from "../../storage/ports.ts";
import type { SnapEventInput } from "../../wire/event.ts";
import { createGathered } from "../gathered.ts";
import type { ReceiptPart } from "../receipt.ts";
import {
  BUCKET_MS,
  BUCKETS,
  type Bucket,
  count,
  countsOf,
  joinCounts,
  newBucket,
  type SignalCounts,
} from "./counts.ts";
import { reportOf, type SignalReport } from "./report.ts";

interface Of {
  tenantId: string;
  destinationId: string;
}

/** Counts how good the signal of each destination is, over the last day; cheap enough to be always on. */
export interface Signals {
  /** An event that is ready to be sent. `shared`: its id is the host event's own. */
  accepted(of: Of, input: SnapEventInput, prepared: PreparedEvent, shared: boolean): void;
  /** What became of a host event at a destination. */
  decided(of: Of, parts: readonly ReceiptPart[]): void;
  settled(settled: Of & { items: readonly SettledItem[] }): void;
  report(of: Of): Promise<SignalReport>;
  flush(): Promise<void>;
  forget(of: Of): Promise<void>;
}

const KEPT_MS = 2 * 24 * 3_600_000;
/** How often what was counted goes to the gathered facts, which write it once a minute. */
const PASS_ON_MS = 5_000;
const MOST_DESTINATIONS = 10_000;
/** Share of ids that are looked at for reuse: enough to find a source that does it. */
const LOOKED_AT = 0.25;
/** Ids looked back at for reuse, in all destinations together. */
const REMEMBERED_IDS = 4_096;

const keyOf = ({ tenantId, destinationId }: Of) =>
  `signals/${encodeURIComponent(tenantId)}/${encodeURIComponent(destinationId)}`;

interface Pending {
  of: Of;
  number: number;
  bucket: Bucket;
}

export function createSignals({ records, clock }: { records: Records; clock: Clock }): Signals {
  const oldest = () => numberAt(clock.now()) - BUCKETS + 1;
  const gathered = createGathered<SignalCounts>({
    records,
    clock,
    ttlMs: KEPT_MS,
    merge: (stored, pending) => joinCounts(stored, pending, oldest()),
  });
  const pending = new Map<string, Pending>();
  const ids = new Map<string, string>();
  let passOnAt = clock.monotonic() + PASS_ON_MS;

  function bucketOf(of: Of): Bucket {
    if (clock.monotonic() >= passOnAt) passOn();
    const known = pending.get(of.destinationId);
    if (known) return known.bucket;
    if (pending.size >= MOST_DESTINATIONS) passOn();
    const made = { of, number: numberAt(clock.now()), bucket: newBucket() };
    pending.set(of.destinationId, made);
    return made.bucket;
  }

  function passOn(): void {
    passOnAt = clock.monotonic() + PASS_ON_MS;
    for (const { of, number, bucket } of pending.values()) {
      const one = { [number]: bucket };
      gathered.add(keyOf(of), (waiting) => (waiting ? joinCounts(waiting, one, oldest()) : one));
    }
    pending.clear();
  }

  /** The same id on another content: Snapchat then counts one of two events. */
  function reused(of: Of, { eventId, eventName, eventTime, json }: PreparedEvent): boolean {
    if (eventId === undefined || !sampled(eventId, LOOKED_AT)) return false;
    const key = `${of.destinationId} ${eventId}`;
    const content = `${eventName} ${eventTime} ${json.length}`;
    const before = ids.get(key);
    ids.set(key, content);
    if (ids.size > REMEMBERED_IDS) ids.delete(ids.keys().next().value ?? "");
    return before !== undefined && before !== content;
  }

  return {
    accepted(of, input, prepared, shared) {
      const bucket = bucketOf(of);
      const counts = countsOf(bucket, prepared.eventName);
      if (!counts) return;
      counts.accepted++;
      if (shared) counts.sharedId++;
      for (const name of prepared.identifiers) count(counts.identifiers, name);
      for (const { code } of prepared.issues) count(counts.issues, code);
      if (reused(of, prepared)) bucket.reusedIds++;
      if (prepared.eventName !== "PURCHASE") return;
      const custom: Readonly<Record<string, unknown>> = input.custom_data ?? {};
      if (present(custom.value)) counts.purchase.value++;
      if (present(custom.currency)) counts.purchase.currency++;
      if (prepared.orderId !== undefined) counts.purchase.order_id++;
      if (present(custom.contents) || present(custom.content_ids)) counts.purchase.contents++;
    },
    decided(of, parts) {
      const { outcomes } = bucketOf(of);
      for (const { rule, channel, status, reason = "" } of parts) {
        if (channel !== "client") count(outcomes, `${rule} ${status} ${reason}`);
      }
    },
    settled({ items, ...of }) {
      const nowMs = clock.now();
      for (const { status, eventName, eventTime } of items) {
        if (status !== "delivered" || eventName === undefined) continue;
        const counts = countsOf(bucketOf(of), eventName);
        if (!counts) continue;
        counts.delivered++;
        if (eventTime !== undefined) counts.ageMs += Math.max(0, nowMs - eventTime * 1_000);
      }
    },
    async report(of) {
      passOn();
      const counts = (await gathered.read(keyOf(of))) ?? {};
      return reportOf(joinCounts(counts, {}, oldest()));
    },
    async flush() {
      passOn();
      await gathered.flush();
    },
    async forget(of) {
      pending.delete(of.destinationId);
      await gathered.forget(keyOf(of));
    },
  };
}

const numberAt = (ms: number) => Math.floor(ms / BUCKET_MS);

const present = (value: unknown): boolean =>
  value !== undefined && value !== null && value !== "" && !(Array.isArray(value) && value.length === 0);
