import { hash } from "node:crypto";
import type { NewEntry } from "../storage/ports.ts";
import { LIMITS } from "../wire/limits.ts";
import type { Sealer } from "./interfaces.ts";
import { type DeliveryItem, type EventItem, groupOf, type MemberItem } from "./item.ts";
import {
  encodeEvents,
  encodeMembers,
  eventBytes,
  memberBytes,
  payloadAad,
  sealPayload,
  storedMembers,
} from "./payload.ts";

export interface PrepareOptions {
  sealer: Sealer | undefined;
  /** The engine's bound on one entry. Bytes. */
  maxEntryBytes: number;
  /** How long an entry waits for company before it is due. */
  lingerMs: number;
  memberLingerMs: number;
  /** An entry is known this long after it left, so that the same call answers `duplicate`. */
  dedupeMs: number;
}

/** An entry for the outbox, and which of the call's items it holds. */
export interface PreparedEntry extends NewEntry {
  readonly itemIndexes: readonly number[];
}

export interface PreparedItems {
  entries: PreparedEntry[];
  /** Items that no entry of this engine can hold. */
  tooLarge: number[];
}

/** Identifiers of a membership request that count as one item: a claim of 2,000 items is then one full request. */
export const IDENTIFIERS_PER_ITEM = LIMITS.identifiersPerRequest / LIMITS.eventsPerRequest;

/** The head, the row and what sealing adds. */
const OVERHEAD_BYTES = 512;

interface Part {
  tenantId: string;
  destinationId: string;
  group: string;
  type: DeliveryItem["type"];
  indexes: number[];
  bytes: number;
  items: number;
  bulk: boolean;
  /** What the part says of each identifier: an entry has one position, so it may not say both. */
  said: Map<string, MemberItem["op"]>;
}

/** Groups items into entries: one for each group of the call, more where one would be too large for an entry or a request. */
export async function prepareItems(items: readonly DeliveryItem[], options: PrepareOptions): Promise<PreparedItems> {
  const tooLarge: number[] = [];
  const parts = split(items, Math.min(options.maxEntryBytes, LIMITS.bytesPerRequest) - OVERHEAD_BYTES, tooLarge);
  const entries: PreparedEntry[] = new Array(parts.length);
  const waiting: Promise<void>[] = [];
  for (const [at, part] of parts.entries()) {
    const id = entryId(part, items);
    const content =
      part.type === "event"
        ? encodeEvents(part.indexes.map((index) => items[index] as EventItem))
        : encodeMembers(part.indexes.flatMap((index) => storedMembers(items[index] as MemberItem)));
    const sealing = sealPayload(
      content,
      payloadAad(part.tenantId, part.destinationId, part.group),
      options.sealer,
    ).then((payload) => {
      entries[at] = {
        id,
        group: { destinationId: part.destinationId, name: part.group },
        priority: part.type === "event" ? 0 : part.bulk ? 2 : 1,
        items: Math.max(1, Math.ceil(part.items)),
        payload,
        delayMs: part.type === "event" ? options.lingerMs : options.memberLingerMs,
        dedupeMs: options.dedupeMs,
        itemIndexes: part.indexes,
      };
    });
    waiting.push(sealing);
  }
  await Promise.all(waiting);
  return { entries, tooLarge };
}

function split(items: readonly DeliveryItem[], maxBytes: number, tooLarge: number[]): Part[] {
  const parts: Part[] = [];
  const open = new Map<string, Map<string, Part>>();
  for (const [index, item] of items.entries()) {
    const bytes = item.type === "event" ? eventBytes(item) : memberBytes(item);
    if (bytes > maxBytes) {
      tooLarge.push(index);
      continue;
    }
    const group = groupOf(item);
    const bulk = item.type === "member" && item.bulk === true;
    const weight = item.type === "event" ? 1 : item.identifiers.length / IDENTIFIERS_PER_ITEM;
    let ofDestination = open.get(item.destinationId);
    if (!ofDestination) {
      ofDestination = new Map();
      open.set(item.destinationId, ofDestination);
    }
    let part = ofDestination.get(group);
    const full =
      part && (part.bytes + bytes > maxBytes || part.items + weight > LIMITS.eventsPerRequest || part.bulk !== bulk);
    if (!part || full || (item.type === "member" && contradicts(part, item))) {
      const { tenantId, destinationId, type } = item;
      part = { tenantId, destinationId, group, type, indexes: [], bytes: 0, items: 0, bulk, said: new Map() };
      ofDestination.set(group, part);
      parts.push(part);
    }
    if (item.type === "member") for (const identifier of item.identifiers) part.said.set(saidKey(identifier), item.op);
    part.indexes.push(index);
    part.bytes += bytes;
    part.items += weight;
  }
  return parts;
}

function contradicts(part: Part, item: MemberItem): boolean {
  return item.identifiers.some((identifier) => {
    const said = part.said.get(saidKey(identifier));
    return said !== undefined && said !== item.op;
  });
}

const saidKey = ({ kind, hash: digest }: MemberItem["identifiers"][number]) =>
  kind + (typeof digest === "string" ? digest.toLowerCase() : Buffer.from(digest).toString("hex"));

/** A digest of the group and the items in order: the same call again makes the same entries. */
function entryId(part: Part, items: readonly DeliveryItem[]): string {
  let text = JSON.stringify([part.tenantId, part.destinationId, part.group]);
  for (const index of part.indexes) text += `\n${itemId(items[index] as DeliveryItem)}`;
  return hash("sha256", text, "base64url");
}

function itemId(item: DeliveryItem): string {
  if (item.type === "event") return JSON.stringify([item.eventId, item.eventName]);
  const identifiers = item.identifiers.map(saidKey).join();
  const person = item.person ? Buffer.from(item.person).toString("hex") : "";
  return JSON.stringify([item.op, identifiers, person, item.eventId ?? item.acceptedAtMs]);
}
