import { hash } from "node:crypto";
import type { Clock } from "../clock.ts";
import type { MemberOp, NewEntry, SegmentRef, Storage } from "../storage/ports.ts";
import { LIMITS } from "../wire/limits.ts";
import type { Random } from "./backoff.ts";
import { hasBit } from "./bits.ts";
import type { Sealer } from "./interfaces.ts";
import { membersGroup } from "./item.ts";
import {
  encodeList,
  LIST_HASH_BYTES,
  LIST_PERSON_BYTES,
  type ListPage,
  type ListPayload,
  type SegmentTask,
} from "./list-payload.ts";
import { MAX_OPS } from "./members-plan.ts";
import { type PageDone, readPageDone } from "./page-done.ts";
import { pageParts } from "./page-ops.ts";
import { payloadAad, sealPayload } from "./payload.ts";
import { IDENTIFIERS_PER_ITEM } from "./prepare.ts";
import { renewAfterMs } from "./renewal.ts";
import { storageCall } from "./storage-call.ts";

/** Where whole lists enter a segment's queue. */
export interface ListQueue {
  /** Identifiers on a page: a request's worth, or what one entry of this engine holds. */
  readonly pageSize: number;
  /**
   * Queues a task, once for an `id`. Answers its position: that of the first call, also in a repetition.
   *
   * @param options.position where it stands; absent: behind all that is queued
   */
  task(
    segment: SegmentRef,
    id: string,
    task: Omit<SegmentTask, "type">,
    options?: { position?: number; delayMs?: number },
  ): Promise<number>;
  /** Queues a page at the position of its run, once for an `id`. */
  page(segment: SegmentRef, id: string, page: Omit<ListPage, "type">, position: number): Promise<void>;
  /** Places on a page of what would change Snapchat's list now. Reads only; `undefined` without a members port. */
  changing(
    segment: SegmentRef,
    page: Omit<ListPage, "type">,
    position: number,
    link: { retentionInDays?: number | undefined },
  ): Promise<ReadonlySet<number> | undefined>;
  /** How many identifiers a run that has read everything would make leave, and how many there are. */
  leaving(segment: SegmentRef, run: number): Promise<{ leaving: number; held: number }>;
  /** What became of a page or task; `undefined`: nothing yet. */
  done(segment: SegmentRef, id: string): Promise<PageDone | undefined>;
  /** Why a page or task will never be done: the reason of its dead letter. */
  dead(segment: SegmentRef, id: string): Promise<string | undefined>;
}

export interface ListQueueOptions {
  storage: Storage;
  sealer: Sealer | undefined;
  clock: Clock;
  random: Random;
  identifiersPerRequest: number;
  dedupeMs: number;
}

/** Behind live changes of membership. */
const BULK_PRIORITY = 2;
const RETRY_WITHIN_MS = 30_000;
/** The head, the row and what sealing adds. */
const OVERHEAD_BYTES = 1_024;
const DEAD_PAGE = 100;

export function createListQueue(options: ListQueueOptions): ListQueue {
  const { storage, sealer, clock, random, dedupeMs } = options;
  const { members } = storage;
  const { maxEntryBytes } = storage.capabilities;
  const fitting = Math.floor((maxEntryBytes - OVERHEAD_BYTES) / (LIST_HASH_BYTES + LIST_PERSON_BYTES));
  const call = <T>(ask: () => Promise<T>) => storageCall(ask, { clock, random, maxMs: RETRY_WITHIN_MS });

  function seal({ tenantId, destinationId, link }: SegmentRef, payload: ListPayload): Promise<Uint8Array> {
    const aad = payloadAad(tenantId, destinationId, membersGroup(link));
    return sealPayload(encodeList(payload), aad, sealer);
  }

  /** Sealed by its caller: what is stored is megabytes, and only that is held while the engine takes it. */
  async function append(
    segment: SegmentRef,
    id: string,
    entry: Pick<NewEntry, "payload" | "items" | "position" | "delayMs">,
  ): Promise<number> {
    const [answer] = await call(() =>
      storage.outbox.append([
        {
          id: entryIdOf(segment, id),
          group: { destinationId: segment.destinationId, name: membersGroup(segment.link) },
          priority: BULK_PRIORITY,
          dedupeMs,
          ...entry,
        },
      ]),
    );
    return answer?.position ?? 0;
  }

  return {
    pageSize: Math.max(1, Math.min(options.identifiersPerRequest, LIMITS.identifiersPerRequest, fitting)),
    async task(segment, id, task, o = {}) {
      return append(segment, id, { payload: await seal(segment, { type: "task", ...task }), items: 1, ...o });
    },
    async page(segment, id, page, position) {
      const count = page.hashes.byteLength / LIST_HASH_BYTES;
      const items = Math.max(1, Math.ceil(count / IDENTIFIERS_PER_ITEM));
      await append(segment, id, { payload: await seal(segment, { type: "page", ...page }), items, position });
    },
    async changing(segment, page, position, link) {
      if (!members) return undefined;
      const after = renewAfterMs(link);
      const places = new Set<number>();
      for (const part of pageParts(page, position)) {
        const { ops, places: placesOf } = part();
        const bits = await call(() => members.diff(segment, ops, after === undefined ? {} : { renewAfterMs: after }));
        for (const [at, place] of placesOf.entries()) if (hasBit(bits, at)) places.add(place);
      }
      return places;
    },
    async leaving(segment, run) {
      if (!members) return { leaving: 0, held: 0 };
      let leaving = 0;
      let rows = 0;
      let after: string | undefined;
      do {
        const filter = {
          notSeenIn: run,
          positionBefore: run,
          limit: MAX_OPS,
          ...(after === undefined ? {} : { after }),
        };
        const page = await call(() => members.scan(segment, filter));
        const ops = page.items.map((row): MemberOp => ({ ...row, op: "remove", position: run }));
        const bits = await call(() => members.diff(segment, ops));
        for (let at = 0; at < ops.length; at++) if (hasBit(bits, at)) leaving++;
        rows += ops.length;
        after = page.after;
      } while (after !== undefined);
      if (leaving === 0) return { leaving, held: 0 };
      // An identifier that stays for somebody else has two rows.
      return { leaving, held: (await call(() => members.count(segment, {}))) - (rows - leaving) };
    },
    done: (segment, id) => call(() => readPageDone(storage.records, segment, entryIdOf(segment, id))),
    async dead({ destinationId, ...segment }, id) {
      const entryId = entryIdOf({ destinationId, ...segment }, id);
      const { items } = await call(() => storage.outbox.dead.list({ destinationId, limit: DEAD_PAGE }));
      return items.find((letter) => letter.entryId === entryId)?.reason;
    },
  };
}

/** Of one segment: the same id of two segments makes two entries. */
function entryIdOf({ tenantId, destinationId, link }: SegmentRef, id: string): string {
  return hash("sha256", JSON.stringify([tenantId, destinationId, link, id]), "base64url");
}
