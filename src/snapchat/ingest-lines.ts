import { randomUUID } from "node:crypto";
import type { Clock } from "../clock.ts";
import { type Delivery, type IngestLine, type JournalEvent, sampled } from "../delivery/index.ts";
import type { Sink } from "../plugins/index.ts";
import type { Receipt } from "./receipt.ts";

/** Where what `track` decided is written down. */
export interface IngestJournal {
  /** Share of events whose way is kept, 0 to 1; rejected ones always are. */
  share: number;
  /** Takes the line of one destination, and the event and order ids it is found by. */
  add(destinationId: string, ids: readonly string[], line: Omit<IngestLine, "id" | "atMs">): void;
  /** Takes every event, sampled or not: for a host's own receipts. Absent where nobody listens. */
  all?(destinationId: string, line: Omit<IngestLine, "id" | "atMs">): void;
}

/** Writes to the storage's journal and to plugins that keep receipts; `undefined` where there is neither. */
export function createReceiptLines(o: {
  delivery: Pick<Delivery, "receipts">;
  journal: unknown;
  sink: Sink | undefined;
  clock: Clock;
  share: number;
}): IngestJournal | undefined {
  const { delivery, sink, clock } = o;
  if (!o.journal && !sink) return undefined;
  return {
    share: o.journal ? o.share : 0,
    add(destinationId, ids, line) {
      if (o.journal) delivery.receipts.write(destinationId, ids, { ...line, id: randomUUID(), atMs: clock.now() });
    },
    ...(sink ? { all: (destinationId: string, line: object) => sink.push({ ...line, destinationId }) } : {}),
  };
}

/** What one call of `track` decided, a line for each destination, ids and reasons only. */
export function writeIngestLines(
  journal: IngestJournal,
  receipts: readonly Receipt[],
  orderIds: ReadonlyMap<Receipt, string>,
  inTransaction: boolean,
): void {
  const lines = new Map<string, { offered: number; all: JournalEvent[]; kept: JournalEvent[] }>();
  for (const receipt of receipts) {
    const { eventId } = receipt;
    if (eventId === undefined) continue;
    const inSample = sampled(eventId, journal.share);
    const wanted = inSample || receipt.status === "rejected" || journal.all !== undefined;
    for (const [destinationId, parts] of partsByDestination(receipt)) {
      let line = lines.get(destinationId);
      if (!line) {
        line = { offered: 0, all: [], kept: [] };
        lines.set(destinationId, line);
      }
      line.offered++;
      if (!wanted) continue;
      const orderId = orderIds.get(receipt);
      const event: JournalEvent = {
        eventId,
        ...(orderId === undefined ? {} : { orderId }),
        parts: parts.map(({ rule, channel, target, status, reason, path }) => ({
          rule,
          channel,
          target,
          status,
          reason,
          path,
        })),
      };
      line.all.push(event);
      if (inSample || parts.some(({ status }) => status === "rejected")) line.kept.push(event);
    }
  }
  const tx = inTransaction ? { inTransaction } : {};
  for (const [destinationId, { offered, all, kept }] of lines) {
    journal.all?.(destinationId, { type: "ingest", offered, events: all, ...tx });
    if (kept.length === 0) continue;
    const ids = kept.flatMap(({ eventId, orderId }) => (orderId === undefined ? [eventId] : [eventId, orderId]));
    journal.add(destinationId, ids, { type: "ingest", offered, events: kept, ...tx });
  }
}

/** Most events are offered to one destination, which needs no map. */
function partsByDestination({ parts }: Receipt): Iterable<readonly [string, Receipt["parts"]]> {
  const [first] = parts;
  if (!first) return [];
  if (parts.every(({ destinationId }) => destinationId === first.destinationId)) return [[first.destinationId, parts]];
  return Map.groupBy(parts, ({ destinationId }) => destinationId);
}
