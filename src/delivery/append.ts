import type { Clock } from "../clock.ts";
import { SnapchatError } from "../errors.ts";
import type { Appended, Group, Storage } from "../storage/ports.ts";
import type { Random } from "./backoff.ts";
import type { DeliveryItem } from "./item.ts";
import { type PreparedEntry, type PrepareOptions, prepareItems } from "./prepare.ts";
import type { DeliverySettings } from "./settings.ts";
import { isStorageError, storageCall } from "./storage-call.ts";

/** A group that an item goes into and that the outbox may not know yet. */
export interface GroupRef {
  tenantId: string;
  destinationId: string;
  name: string;
}

/** What became of an item of an append. `too_large`: no entry of this engine holds it. */
export type Queued = "queued" | "duplicate" | "too_large";

export interface AppendOptions {
  storage: Storage;
  clock: Clock;
  random: Random;
  settings: DeliverySettings;
  prepare: () => PrepareOptions;
  /** The whole group, with the credential its work leaves with. `undefined`: this group is not to be. */
  openGroup: ((ref: GroupRef) => Promise<Group | undefined>) | undefined;
}

interface Amount {
  items: number;
  bytes: number;
}

/** Entries of one call of the outbox. */
const MAX_ENTRIES = 1_000;
const RETRY_WITHIN_MS = 5_000;
const DEPTH_AGE_MS = 1_000;

/** The way into the outbox: prepared, within the soft bound, into groups that are open. */
export function createAppender(options: AppendOptions) {
  const { storage, clock, random, settings, openGroup } = options;
  const opened = new Set<string>();
  const depths = new Map<string, Amount & { readAt: number; reading: Promise<void> | undefined }>();

  async function append(items: readonly DeliveryItem[], { tx }: { tx?: unknown } = {}): Promise<Queued[]> {
    if (items.length === 0) return [];
    if (tx !== undefined && !storage.capabilities.transactions) throw noTransactions(storage.name);
    const prepared = await prepareItems(items, options.prepare());
    const full = await fullDestinations(prepared.entries);
    // A host's transaction holds all of the call or nothing; else one full destination is no reason to keep others out.
    if (full.size > 0 && tx !== undefined) throw outboxFull(full);
    const entries = prepared.entries.filter(({ group }) => !full.has(group.destinationId));
    // Inside the host's transaction a refused statement would end it: there groups are opened beforehand.
    if (tx !== undefined) await open(items, (key) => !opened.has(key));
    const queued: Queued[] = new Array(items.length).fill("queued");
    for (const index of prepared.tooLarge) queued[index] = "too_large";
    for (let from = 0; from < entries.length; from += MAX_ENTRIES) {
      const page = entries.slice(from, from + MAX_ENTRIES);
      const answers = await appendPage(page, items, tx);
      for (const [at, answer] of answers.entries()) {
        if (answer.status === "stored") continue;
        for (const index of page[at]?.itemIndexes ?? []) queued[index] = "duplicate";
      }
    }
    if (full.size > 0) throw outboxFull(full);
    return queued;
  }

  async function appendPage(page: PreparedEntry[], items: readonly DeliveryItem[], tx: unknown): Promise<Appended[]> {
    if (tx !== undefined) return storage.outbox.append(page, { tx });
    const once = () => storageCall(() => storage.outbox.append(page), { clock, random, maxMs: RETRY_WITHIN_MS });
    try {
      return await once();
    } catch (error) {
      if (!isStorageError(error) || error.code !== "unknown_group") throw error;
      await open(items, () => true);
      return once();
    }
  }

  async function open(items: readonly DeliveryItem[], wanted: (key: string) => boolean): Promise<void> {
    const refs = new Map<string, GroupRef>();
    for (const item of items) {
      const name = item.type === "event" ? `events/${item.assetId}` : `members/${item.link}`;
      const key = JSON.stringify([item.destinationId, name]);
      if (!refs.has(key) && wanted(key))
        refs.set(key, { tenantId: item.tenantId, destinationId: item.destinationId, name });
    }
    const groups = await Promise.all([...refs.values()].map((ref) => openGroup?.(ref)));
    const known = groups.filter((group) => group !== undefined);
    if (known.length > 0)
      await storageCall(() => storage.outbox.open(known), { clock, random, maxMs: RETRY_WITHIN_MS });
    for (const key of refs.keys()) opened.add(key);
  }

  /** Destinations with too much waiting already. The depth is at most a second old; what is appended meanwhile is counted here. */
  async function fullDestinations(entries: readonly PreparedEntry[]): Promise<Map<string, Amount>> {
    const added = new Map<string, Amount>();
    for (const { group, items, payload } of entries) {
      const sum = added.get(group.destinationId) ?? { items: 0, bytes: 0 };
      sum.items += items;
      sum.bytes += payload.byteLength;
      added.set(group.destinationId, sum);
    }
    const full = new Map<string, Amount>();
    // Asked for together: an engine answers for 500 destinations as fast as for one.
    const found = await Promise.all([...added.keys()].map(depthOf));
    for (const [n, [destinationId, sum]] of [...added].entries()) {
      const depth = found[n] as Amount;
      if (depth.items + sum.items > settings.maxQueuedItems || depth.bytes + sum.bytes > settings.maxQueuedBytes) {
        full.set(destinationId, { items: depth.items, bytes: depth.bytes });
      } else {
        depth.items += sum.items;
        depth.bytes += sum.bytes;
      }
    }
    return full;
  }

  async function depthOf(destinationId: string): Promise<Amount> {
    let known = depths.get(destinationId);
    if (!known) {
      known = { items: 0, bytes: 0, readAt: Number.NEGATIVE_INFINITY, reading: undefined };
      depths.set(destinationId, known);
    }
    const depth = known;
    if (clock.monotonic() - depth.readAt >= DEPTH_AGE_MS && !depth.reading) {
      depth.reading = storage.outbox
        .depth([destinationId])
        .then(([found]) => {
          depth.items = found?.items ?? 0;
          depth.bytes = found?.bytes ?? 0;
          depth.readAt = clock.monotonic();
        })
        .finally(() => {
          depth.reading = undefined;
        });
      // The first answer is waited for; after that an older one does until the new one is there.
      if (depth.readAt === Number.NEGATIVE_INFINITY) await depth.reading;
      else depth.reading.catch(() => undefined);
    } else if (depth.readAt === Number.NEGATIVE_INFINITY) await depth.reading;
    return depth;
  }

  return { append };
}

function outboxFull(full: ReadonlyMap<string, Amount>): SnapchatError {
  const [[destinationId, { items, bytes }] = ["", { items: 0, bytes: 0 }]] = full;
  return new SnapchatError({
    code: "outbox_full",
    kind: "capacity",
    message: `Too much waits already for ${[...full.keys()].join(", ")} (${items} items); nothing for it was stored, the rest of the call was.`,
    fix: "Offer the same call again later: what is stored answers `duplicate`. Find out why it does not drain, or raise `maxQueuedItems`.",
    details: { destinationId, items, bytes, destinations: full.size },
    retryAfterMs: 5_000,
  });
}

function noTransactions(name: string): SnapchatError {
  return new SnapchatError({
    code: "capability_missing",
    kind: "fix_configuration",
    message: `The ${name} storage cannot append inside the host's own transaction.`,
    fix: "Call without `tx`, or use the Postgres adapter.",
  });
}
