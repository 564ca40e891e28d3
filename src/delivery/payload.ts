import { SnapchatError } from "../errors.ts";
import type { MemberKind, Sealer } from "./interfaces.ts";
import type { EventItem, MemberItem } from "./item.ts";

/**
 * The bytes of an entry: `[format version][0 plain | 1 sealed][content]`.
 *
 * Content: one line of JSON with a row for each item, then what the rows count out: the events' JSON texts one after the
 * other, or 32 bytes for each identifier and 16 for a person. One decode and a few slices open 2,000 events.
 */
const FORMAT = 1;
const PLAIN = 0;
const SEALED = 1;
const NEWLINE = 10;
const HASH_BYTES = 32;
const PERSON_BYTES = 16;

/** An event as an entry holds it. */
export interface StoredEvent extends Omit<EventItem, "type" | "tenantId" | "destinationId" | "assetId"> {
  /** Replayed: for how long Snapchat may have had it when it was queued again. Milliseconds. */
  doubtMs?: number | undefined;
}

/** A change of membership as an entry holds it. `assert`: send again what Snapchat should hold, whatever that is. */
export interface StoredMember {
  op: "add" | "remove" | "assert";
  identifiers: { kind: MemberKind; hash: Uint8Array }[];
  person: Uint8Array | undefined;
  subjects: readonly string[];
  acceptedAtMs: number;
  eventId: string | undefined;
}

type EventRow = [
  length: number,
  eventId: string,
  eventName: string,
  eventTime: number,
  acceptedAtMs: number,
  subjects: readonly string[],
  more?: Partial<Record<"o" | "t" | "r", string | undefined> & Record<"a" | "v" | "d", number | undefined>>,
];
type MemberRow = [
  op: 0 | 1 | 2,
  kinds: string,
  person: 0 | 1,
  acceptedAtMs: number,
  subjects: readonly string[],
  eventId?: string,
];

const OPS = ["add", "remove", "assert"] as const;

/** Bytes of the content, not sealed yet. */
export function encodeEvents(events: readonly StoredEvent[]): Uint8Array {
  const rows: EventRow[] = [];
  let texts = "";
  for (const event of events) {
    texts += event.json;
    const { orderId, maxAgeMs, validateOnly, testEventCode, doubtMs, rule } = event;
    const row: EventRow = [
      event.json.length,
      event.eventId,
      event.eventName,
      event.eventTime,
      event.acceptedAtMs,
      event.subjects,
    ];
    const plain = orderId === undefined && maxAgeMs === undefined && !validateOnly && testEventCode === undefined;
    if (!plain || doubtMs !== undefined || rule !== undefined) {
      const v = validateOnly ? 1 : undefined;
      const d = doubtMs === undefined ? undefined : Math.round(doubtMs);
      row.push({ o: orderId, a: maxAgeMs, v, t: testEventCode, d, r: rule });
    }
    rows.push(row);
  }
  return Buffer.from(`${JSON.stringify(rows)}\n${texts}`);
}

export function decodeEvents(content: Uint8Array): StoredEvent[] {
  const text = buffer(content).toString("utf8");
  const end = text.indexOf("\n");
  let at = end + 1;
  return (JSON.parse(text.slice(0, end)) as EventRow[]).map(
    ([length, eventId, eventName, eventTime, acceptedAtMs, subjects, more]) => {
      const json = text.slice(at, at + length);
      at += length;
      return {
        json,
        eventId,
        eventName,
        eventTime,
        acceptedAtMs,
        subjects,
        orderId: more?.o,
        maxAgeMs: more?.a,
        validateOnly: more?.v === 1,
        testEventCode: more?.t,
        doubtMs: more?.d,
        rule: more?.r,
      };
    },
  );
}

/** The numbers and the punctuation of a row, at most. */
const EVENT_ROW_BYTES = 100;
const MEMBER_ROW_BYTES = 32;

/** An event's bytes in an entry, at most: for splitting before anything is encoded. */
export function eventBytes({ json, eventId, eventName, subjects, orderId, testEventCode, rule }: EventItem): number {
  const row = JSON.stringify([eventId, eventName, subjects, orderId, testEventCode, rule]);
  return EVENT_ROW_BYTES + Buffer.byteLength(row) + Buffer.byteLength(json);
}

/** The same of a change of membership, one row for each key of the person; a byte of the row says an identifier's kind. */
export function memberBytes({ identifiers, subjects, eventId, alsoPersons = [] }: MemberItem): number {
  const row = MEMBER_ROW_BYTES + Buffer.byteLength(JSON.stringify([subjects, eventId]));
  return (row + identifiers.length * (1 + HASH_BYTES) + PERSON_BYTES) * (1 + alsoPersons.length);
}

/** An item as an entry holds it: once for each key of the person. */
export function storedMembers(item: MemberItem): StoredMember[] {
  const { op, person, alsoPersons = [], subjects, acceptedAtMs, eventId } = item;
  const identifiers = item.identifiers.map(({ kind, hash }) => ({ kind, hash: hashBytes(hash) }));
  const first: StoredMember = { op, identifiers, person, subjects, acceptedAtMs, eventId };
  return [first, ...alsoPersons.map((other) => ({ ...first, person: other, eventId: undefined }))];
}

export function encodeMembers(members: readonly StoredMember[]): Uint8Array {
  const rows: MemberRow[] = [];
  const parts: Uint8Array[] = [];
  for (const { op, identifiers, person, acceptedAtMs, subjects, eventId } of members) {
    const row: MemberRow = [OPS.indexOf(op) as 0 | 1 | 2, "", person ? 1 : 0, acceptedAtMs, subjects];
    for (const { kind, hash } of identifiers) {
      row[1] += kind;
      parts.push(hash);
    }
    if (person) parts.push(person);
    if (eventId !== undefined) row.push(eventId);
    rows.push(row);
  }
  return Buffer.concat([Buffer.from(`${JSON.stringify(rows)}\n`), ...parts]);
}

export function decodeMembers(content: Uint8Array): StoredMember[] {
  const end = content.indexOf(NEWLINE);
  let at = end + 1;
  const take = (bytes: number) => {
    at += bytes;
    return content.subarray(at - bytes, at);
  };
  return (JSON.parse(buffer(content.subarray(0, end)).toString("utf8")) as MemberRow[]).map(
    ([op, kinds, person, acceptedAtMs, subjects, eventId]) => ({
      op: OPS[op],
      identifiers: Array.from(kinds, (kind) => ({ kind: Number(kind) as MemberKind, hash: take(HASH_BYTES) })),
      person: person === 1 ? take(PERSON_BYTES) : undefined,
      acceptedAtMs,
      subjects,
      eventId,
    }),
  );
}

/** Associated data: an entry of one group does not open in another. The tenant comes first, as the key ring wants it. */
export function payloadAad(tenantId: string, destinationId: string, group: string): string {
  return `${encodeURIComponent(tenantId)}/${encodeURIComponent(destinationId)}/outbox/${encodeURIComponent(group)}`;
}

export async function sealPayload(content: Uint8Array, aad: string, sealer: Sealer | undefined): Promise<Uint8Array> {
  if (!sealer) return withHead(PLAIN, content);
  const sealed = sealer.seal(content, aad);
  return withHead(SEALED, sealed instanceof Promise ? await sealed : sealed);
}

/** True for a payload that this version of the package can read. A newer one's is left alone. */
export function isKnownFormat(payload: Uint8Array): boolean {
  return payload[0] === FORMAT && (payload[1] === PLAIN || payload[1] === SEALED);
}

/** @throws {SnapchatError} `payload_unreadable` where it does not open with the keys at hand. */
export async function openPayload(payload: Uint8Array, aad: string, sealer: Sealer | undefined): Promise<Uint8Array> {
  const content = payload.subarray(2);
  if (payload[1] === PLAIN) return content;
  if (!sealer) throw unreadable("it is sealed, and this instance has no keys");
  const opened = sealer.open(content, aad);
  return opened instanceof Promise ? await opened : opened;
}

export function unreadable(why: string): SnapchatError {
  return new SnapchatError({
    code: "payload_unreadable",
    kind: "fix_configuration",
    message: `A stored entry does not open: ${why}.`,
    fix: "Give the instance every key that sealed what is stored; the entry waits until then.",
  });
}

/** 32 bytes of a hash that came as bytes or hexadecimal text. */
function hashBytes(hash: Uint8Array | string): Uint8Array {
  const bytes = typeof hash === "string" ? Buffer.from(hash, "hex") : hash;
  if (bytes.length === HASH_BYTES) return bytes;
  throw new SnapchatError({
    code: "identifier_invalid",
    kind: "fix_data",
    message: `An identifier has ${bytes.length} bytes instead of ${HASH_BYTES}.`,
    fix: "Pass SHA-256 digests: 32 bytes, or 64 hexadecimal characters.",
  });
}

function withHead(form: number, content: Uint8Array): Uint8Array {
  const payload = Buffer.allocUnsafe(content.length + 2);
  payload[0] = FORMAT;
  payload[1] = form;
  payload.set(content, 2);
  return payload;
}

function buffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
