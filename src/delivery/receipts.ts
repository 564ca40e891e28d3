import { SnapchatError } from "../errors.ts";
import type { Journal, Page } from "../storage/ports.ts";
import { decodeLine, type JournalLine, type JournalPart, journalId } from "./journal-line.ts";
import { MADE } from "./request-lines.ts";

export interface ReceiptQuery {
  /** The host event's id, as on its receipt. */
  eventId?: string | undefined;
  orderId?: string | undefined;
  /** The newest time asked for. Milliseconds since 1970; default now. */
  untilMs?: number | undefined;
  /** The oldest time asked for. Milliseconds since 1970; default as far back as the journal goes. */
  sinceMs?: number | undefined;
  /** Continues a listing by time. */
  after?: string | undefined;
  /** Journal lines read for one page of a listing by time. Default 100. */
  limit?: number | undefined;
}

/** One thing that happened to an event. */
export type ReceiptEntry =
  | ({
      type: "decision";
      atMs: number;
      inTransaction?: boolean | undefined;
      words?: { message: string; fix: string };
    } & JournalPart)
  | {
      type: "attempt";
      atMs: number;
      /** `events`, `validate`, `members/add`, `members/remove`, or `segments/create` where it made a segment or could not. */
      purpose: string;
      group: string;
      answer: string;
      /** HTTP status; absent where no answer came. */
      httpStatus?: number | undefined;
      /** Snapchat's `X-Request-Id`: what its support asks for. */
      requestId?: string | undefined;
      durationMs?: number | undefined;
      code?: string | undefined;
      /** Snapchat's words. */
      message?: string | undefined;
    }
  | {
      type: "end";
      atMs: number;
      group: string;
      outcome: "dead" | "withdrawn" | "unchanged";
      reason?: string | undefined;
      /** What the reason means, and what to do about it. Absent where it is a plugin's own. */
      words?: { message: string; fix: string };
      message?: string | undefined;
      requestId?: string | undefined;
    };

/** Everything the journal holds of one host event at one destination. */
export interface EventReceipt {
  eventId: string;
  orderId?: string | undefined;
  /**
   * What became of it last: an `answer` of Snapchat's, an end without one, or the decision of `track`. `delivered` means
   * that Snapchat answered VALID (SUCCESS for members).
   */
  status: string;
  /** Oldest first. */
  entries: ReceiptEntry[];
}

/** Lines of one event are read up to this many. */
const MAX_LINES = 2_000;
const DAY_MS = 86_400_000;

/**
 * Finds what happened to events.
 *
 * @throws {SnapchatError} `capability_missing` (fix_configuration) where the storage keeps no journal
 */
export async function findReceipts(
  journal: Journal | undefined,
  destinationId: string,
  query: ReceiptQuery,
  nowMs: number,
): Promise<Page<EventReceipt>> {
  if (!journal) throw noJournal();
  const window = {
    destinationId,
    fromAgeMs: Math.max(0, nowMs - (query.untilMs ?? nowMs)),
    toAgeMs: query.sinceMs === undefined ? 400 * DAY_MS : Math.max(0, nowMs - query.sinceMs),
  };
  const { eventId, orderId } = query;
  if (eventId === undefined && orderId === undefined) {
    const limit = query.limit ?? 100;
    const page = await journal.find({ ...window, limit, ...(query.after ? { after: query.after } : {}) });
    const items = assemble(addLines(new Map(), page.items));
    return page.after === undefined ? { items } : { items, after: page.after };
  }
  const lines = new Map<string, JournalLine>();
  const asked = new Set<string>();
  const collect = async (id: string) => {
    if (asked.has(id)) return;
    asked.add(id);
    let after: string | undefined;
    do {
      const page = await journal.find({ ...window, id: journalId(id), limit: 200, ...(after ? { after } : {}) });
      addLines(lines, page.items);
      after = page.after;
    } while (after !== undefined && lines.size < MAX_LINES);
  };
  if (orderId !== undefined) await collect(orderId);
  if (eventId !== undefined) await collect(eventId);
  const wanted = (receipt: EventReceipt) =>
    (eventId === undefined || receipt.eventId === eventId) && (orderId === undefined || receipt.orderId === orderId);
  // An order's event has lines without the order id, and a second rule's event an id of its own.
  for (const { eventId: host, entries } of assemble(lines).filter(wanted)) {
    await collect(host);
    for (const entry of entries) {
      if (entry.type === "decision" && entry.channel === "server") await collect(`${host}.${entry.target}`);
    }
  }
  return { items: assemble(lines).filter(wanted) };
}

/** One line of JSON for each journal line, oldest last: for a warehouse or a ticket. */
export async function* exportReceipts(
  journal: Journal | undefined,
  destinationId: string,
  { sinceMs, untilMs }: Pick<ReceiptQuery, "sinceMs" | "untilMs">,
  now: () => number,
): AsyncGenerator<string> {
  if (!journal) throw noJournal();
  let after: string | undefined;
  do {
    const nowMs = now();
    const page = await journal.find({
      destinationId,
      fromAgeMs: Math.max(0, nowMs - (untilMs ?? nowMs)),
      toAgeMs: sinceMs === undefined ? 400 * DAY_MS : Math.max(0, nowMs - sinceMs),
      limit: 500,
      ...(after ? { after } : {}),
    });
    for (const data of page.items) {
      const line = decodeLine(data);
      if (line) yield `${JSON.stringify({ destinationId, at: new Date(line.atMs).toISOString(), ...line })}\n`;
    }
    after = page.after;
  } while (after !== undefined);
}

/** An engine may have stored a line twice. */
function addLines(lines: Map<string, JournalLine>, stored: readonly Uint8Array[]): Map<string, JournalLine> {
  for (const data of stored) {
    const line = decodeLine(data);
    if (line) lines.set(line.id, line);
  }
  return lines;
}

function assemble(lines: ReadonlyMap<string, JournalLine>): EventReceipt[] {
  const receipts = new Map<string, EventReceipt>();
  const hosts = new Map<string, string>();
  const of = (eventId: string): EventReceipt => {
    let receipt = receipts.get(eventId);
    if (!receipt) {
      receipt = { eventId, status: "unknown", entries: [] };
      receipts.set(eventId, receipt);
    }
    return receipt;
  };
  for (const line of lines.values()) {
    if (line.type !== "ingest") continue;
    for (const { eventId, orderId, parts } of line.events) {
      const receipt = of(eventId);
      if (orderId !== undefined) receipt.orderId = orderId;
      const { atMs, inTransaction } = line;
      for (const part of parts) {
        receipt.entries.push({ type: "decision", atMs, ...part, ...(inTransaction ? { inTransaction } : {}) });
        if (part.channel === "server") hosts.set(`${eventId}.${part.target}`, eventId);
      }
    }
  }
  for (const line of lines.values()) {
    if (line.type === "ingest") continue;
    const { atMs, group, requestId } = line;
    if (line.type === "end") {
      const { outcome, reason, message } = line;
      for (const id of line.eventIds) {
        of(hosts.get(id) ?? id).entries.push({ type: "end", atMs, group, outcome, reason, message, requestId });
      }
      continue;
    }
    const { purpose, httpStatus, durationMs } = line;
    for (const { status: answer, code, message, eventIds } of line.answers) {
      const entry: ReceiptEntry = {
        type: "attempt",
        atMs,
        purpose,
        group,
        answer,
        httpStatus,
        requestId,
        durationMs,
        code,
        message,
      };
      for (const id of eventIds) of(hosts.get(id) ?? id).entries.push(entry);
    }
  }
  for (const receipt of receipts.values()) {
    receipt.entries.sort((a, b) => a.atMs - b.atMs || ORDER[a.type] - ORDER[b.type]);
    receipt.status = statusOf(receipt.entries);
  }
  return [...receipts.values()];
}

const ORDER = { decision: 0, attempt: 1, end: 2 } as const;

function statusOf(entries: readonly ReceiptEntry[]): string {
  // A segment that was made, or was not, says nothing about who was to enter it; where nobody was, it is all there is to say.
  const says = (entry: ReceiptEntry) => entry.type === "end" || (entry.type === "attempt" && entry.purpose !== MADE);
  const told = entries.findLast(says) ?? (entries.every(({ type }) => type === "attempt") ? entries.at(-1) : undefined);
  if (told?.type === "end") return told.outcome === "unchanged" ? "delivered" : told.outcome;
  if (told?.type === "attempt") return told.answer === "retry" ? "queued" : told.answer;
  for (const status of ["rejected", "queued", "duplicate"]) {
    if (entries.some((entry) => entry.type === "decision" && entry.status === status)) return status;
  }
  return "skipped";
}

function noJournal(): SnapchatError {
  return new SnapchatError({
    code: "capability_missing",
    kind: "fix_configuration",
    message: "This storage keeps no journal, so there are no receipts to find.",
    fix: "Use a storage with the journal port, or keep receipts yourself with the `receipts` plugin hook.",
  });
}
