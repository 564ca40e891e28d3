import { createHash } from "node:crypto";

/** What became of one host event by one rule at one destination. */
export interface JournalPart {
  rule: string;
  channel: "server" | "client" | "audience";
  target: string;
  status: string;
  reason?: string | undefined;
  /** The field that made it be rejected. */
  path?: string | undefined;
}

/** A host event as `track` decided it. */
export interface JournalEvent {
  eventId: string;
  orderId?: string | undefined;
  parts: readonly JournalPart[];
}

interface LineBase {
  /** The line's own id: a repeated write may store it twice. */
  id: string;
  /** Milliseconds since 1970, by the process that wrote it. */
  atMs: number;
}

/** What one call of `track` decided for one destination. */
export interface IngestLine extends LineBase {
  type: "ingest";
  /** Events of the call, those left out by sampling included. */
  offered: number;
  events: readonly JournalEvent[];
  /** Stored in the host's own transaction, which may still have been rolled back. */
  inTransaction?: boolean | undefined;
}

/** Events of one request that got the same answer. */
export interface JournalAnswer {
  status: "delivered" | "validated" | "rejected" | "retry" | "unauthorized" | "forbidden";
  /** Items of the request with this answer, those left out by sampling included. */
  items: number;
  eventIds: readonly string[];
  code?: string | undefined;
  /** Snapchat's words, redacted. */
  message?: string | undefined;
}

/** One request to Snapchat. */
export interface RequestLine extends LineBase {
  type: "request";
  group: string;
  /** HTTP status; absent where no answer came. */
  httpStatus?: number | undefined;
  /** Snapchat's `X-Request-Id`. */
  requestId?: string | undefined;
  durationMs?: number | undefined;
  /** Events or identifiers in its body. */
  items: number;
  /** `events`, `validate`, `members/add`, `members/remove`, `segments/create`. */
  purpose: string;
  answers: readonly JournalAnswer[];
}

/** Items that ended without a request: dead, withdrawn, or nothing at Snapchat had to change. */
export interface EndLine extends LineBase {
  type: "end";
  group: string;
  outcome: "dead" | "withdrawn" | "unchanged";
  reason?: string | undefined;
  message?: string | undefined;
  requestId?: string | undefined;
  eventIds: readonly string[];
}

/** One line of the journal: ids and outcomes, never an identifier of a person. */
export type JournalLine = IngestLine | RequestLine | EndLine;

const FORMAT = 1;

export function encodeLine(line: JournalLine): Uint8Array {
  return Buffer.concat([Buffer.of(FORMAT), Buffer.from(JSON.stringify(line), "utf8")]);
}

/** `undefined`: a newer version wrote it. */
export function decodeLine(data: Uint8Array): JournalLine | undefined {
  if (data[0] !== FORMAT) return undefined;
  return JSON.parse(Buffer.from(data.subarray(1)).toString("utf8")) as JournalLine;
}

const MAX_ID_BYTES = 200;

/** An event's or order's id as the journal's engine takes it: long ones by their digest. */
export function journalId(id: string): string {
  if (Buffer.byteLength(id, "utf8") <= MAX_ID_BYTES) return id;
  return `sha256:${createHash("sha256").update(id).digest("hex")}`;
}

/**
 * Whether an id is in the sample of this share, 0 to 1. A function of the id alone, so that an event has either every
 * line of its way or none.
 */
export function sampled(id: string, share: number): boolean {
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  // FNV-1a alone leaves ids that differ at the end close together.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0 < share * 2 ** 32;
}
