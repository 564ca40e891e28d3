import type { Delivery, EventReceipt, ReceiptEntry } from "../delivery/index.ts";
import type { Page } from "../storage/ports.ts";
import { knownWords } from "./words.ts";

/**
 * What happened to events: every decision, attempt, request id, answer and time that the journal holds. It keeps
 * failures and a sample (setting `journalShare`; 1 keeps all) for seven days.
 */
export interface TenantReceipts {
  /**
   * By event id or order id: the whole way of those events. Without either: a page of what happened lately, newest
   * lines first, each event with what that page holds of it.
   *
   * @throws {SnapchatError} `capability_missing` (fix_configuration) where the storage keeps no journal
   */
  find(destinationId: string, query?: FindReceipts): Promise<Page<EventReceipt>>;
  /** Every journal line of the time as one line of JSON, newest first. */
  export(destinationId: string, query?: Pick<FindReceipts, "since" | "until">): AsyncIterable<string>;
}

/** Which receipts. */
export interface FindReceipts {
  eventId?: string;
  orderId?: string;
  /** Date, or milliseconds since 1970. */
  since?: Date | number;
  until?: Date | number;
  /** Of the page before. */
  after?: string;
  /** Journal lines of a page; default 100. */
  limit?: number;
}

/** @param mine refuses every destination that is not the tenant's */
export function createTenantReceipts(
  mine: (destinationId: string) => Promise<unknown>,
  { receipts }: Pick<Delivery, "receipts">,
): TenantReceipts {
  return {
    async find(destinationId, query = {}) {
      await mine(destinationId);
      const { since, until, ...rest } = query;
      const page = await receipts.find(destinationId, { ...rest, sinceMs: msOf(since), untilMs: msOf(until) });
      return { ...page, items: page.items.map((item) => ({ ...item, entries: item.entries.map(inWords) })) };
    },
    async *export(destinationId, { since, until } = {}) {
      await mine(destinationId);
      yield* receipts.export(destinationId, { sinceMs: msOf(since), untilMs: msOf(until) });
    },
  };
}

/** The journal keeps codes; their words are today's. */
function inWords(entry: ReceiptEntry): ReceiptEntry {
  if (entry.type === "attempt" || entry.reason === undefined) return entry;
  const words = knownWords(entry.reason);
  return words === undefined ? entry : { ...entry, words };
}

const msOf = (time: Date | number | undefined) => (time === undefined ? undefined : Number(time));
