import type { Delivery, EventReceipt } from "../delivery/index.ts";
import type { Page } from "../storage/ports.ts";

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
      return receipts.find(destinationId, { ...rest, sinceMs: msOf(since), untilMs: msOf(until) });
    },
    async *export(destinationId, { since, until } = {}) {
      await mine(destinationId);
      yield* receipts.export(destinationId, { sinceMs: msOf(since), untilMs: msOf(until) });
    },
  };
}

const msOf = (time: Date | number | undefined) => (time === undefined ? undefined : Number(time));
