import type { PreparedEvent } from "../../capi/index.ts";
import type { Clock } from "../../clock.ts";
import { type SettledItem, sampled } from "../../delivery/index.ts";
import type { Records } from "../../storage/ports.ts";
import type { SnapEventInput } from "../../wire/event.ts";
import { createGathered } from "../gathered.ts";
import type { ReceiptPart } from "../receipt.ts";
import { BUCKET_MS, BUCKETS, joinCounts, type SignalCounts } from "./counts.ts";
import { reportOf, type SignalReport } from "./report.ts";
import { Tally } from "./tally.ts";

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
  /** The bucket of time these counts are of. */
  number: number;
  tally: Tally;
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

  function tallyOf(of: Of): Tally {
    const known = pending.get(of.destinationId);
    if (known) return known.tally;
    if (pending.size >= MOST_DESTINATIONS) passOn();
    const tally = new Tally();
    pending.set(of.destinationId, { of, number: numberAt(clock.now()), tally });
    return tally;
  }

  function passOn(): void {
    passOnAt = clock.monotonic() + PASS_ON_MS;
    for (const { of, number, tally } of pending.values()) {
      const one = { [number]: tally.bucket() };
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
      const tally = tallyOf(of);
      tally.accepted(input, prepared, shared);
      if (reused(of, prepared)) tally.reusedIds++;
    },
    decided(of, parts) {
      // Once an event is often enough: what follows belongs to the same moment.
      if (clock.monotonic() >= passOnAt) passOn();
      tallyOf(of).decided(parts);
    },
    settled({ items, ...of }) {
      if (clock.monotonic() >= passOnAt) passOn();
      const nowMs = clock.now();
      for (const { status, eventName, eventTime } of items) {
        if (status !== "delivered" || eventName === undefined) continue;
        tallyOf(of).delivered(eventName, eventTime === undefined ? 0 : Math.max(0, nowMs - eventTime * 1_000));
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
