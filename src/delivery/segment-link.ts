import { hash } from "node:crypto";
import type { Group, Records } from "../storage/ports.ts";
import type { MEMBER_KINDS } from "./interfaces.ts";
import { membersGroup } from "./item.ts";
import { isVersionConflict } from "./storage-call.ts";

/** A segment of the CDP and the one at Snapchat it is linked with. */
export interface SegmentLink {
  /** The CDP's key of the segment. */
  key: string;
  /** Its name in Ads Manager. */
  name: string;
  adAccountId: string;
  description?: string | undefined;
  /** Days a member stays; absent: for ever. */
  retentionInDays?: number | undefined;
  /** Snapchat's id, once it is known. */
  segmentId?: string | undefined;
  /**
   * - `new`: to be made on first use.
   * - `creating`: somebody asked Snapchat to make it; before anybody asks again the marker is looked for.
   * - `ready`.
   * - `deleted`: gone at Snapchat; its work waits until a person decides.
   * - `stopped`: a person decided that it is no longer kept in step; its work is dropped.
   */
  state: "new" | "creating" | "ready" | "deleted" | "stopped";
  /** How often it has been made anew: part of the marker. */
  generation: number;
  /** The name that Snapchat was last told; another one there was given by a person in Ads Manager. */
  givenName?: string | undefined;
  /** Kinds of identifiers that may enter. Absent: all that the destination sends. */
  identifiers?: readonly (typeof MEMBER_KINDS)[number][] | undefined;
  /** Position of the last whole list that was mirrored. What was said before and comes later says nothing any more. */
  mirroredAt?: number | undefined;
  /** When members have to be looked through for renewal, on the engine's clock. */
  renewAtMs?: number | undefined;
  /** Segments that were made by whoever had lost its turn meanwhile: empty, linked with nothing, to be deleted. */
  surplus?: readonly string[] | undefined;
  /** The destination uses another ad account now: queued work still goes here, nothing else. */
  released?: true | undefined;
  /** Why Snapchat last refused the segment's work, or that it did not take all of it. */
  problem?: SegmentProblem | undefined;
}

/** What keeps a segment from following, in words for a person. */
export interface SegmentProblem {
  code: string;
  message: string;
  fix: string;
}

export interface SegmentLinkRef {
  tenantId: string;
  destinationId: string;
  link: string;
}

export interface StoredSegmentLink {
  link: SegmentLink;
  version: number;
}

/** Why the group of a deleted segment is paused. */
export const SEGMENT_DELETED = "segment_deleted";

const FORMAT = 1;
const PREFIX = "segment/";
const PAGE = 500;
const MARKER_KEY_LENGTH = 100;

export function segmentLinkKey({ tenantId, destinationId, link }: SegmentLinkRef): string {
  return `${PREFIX}${encodeURIComponent(tenantId)}/${encodeURIComponent(destinationId)}/${encodeURIComponent(link)}`;
}

/** The link id of a CDP's segment key: the key itself where it is short, else a digest of it. */
export function segmentLinkId(key: string): string {
  return Buffer.byteLength(key) <= 120 ? key : `sha256-${hash("sha256", key, "hex")}`;
}

/** The group of a link, as the outbox opens it. */
export function segmentGroup(ref: SegmentLinkRef, credentialId: string): Group {
  const { tenantId, destinationId, link } = ref;
  return { tenantId, destinationId, name: membersGroup(link), exclusive: true, credentialId };
}

/** In the segment's description: finds it again when the answer to its creation was lost. */
export function segmentMarker(ref: SegmentLinkRef, { key, generation }: SegmentLink): string {
  const id = hash("sha256", JSON.stringify([ref.tenantId, ref.destinationId, ref.link, generation]), "hex").slice(
    0,
    16,
  );
  return `cdp:${key.slice(0, MARKER_KEY_LENGTH)}#${id}`;
}

export async function readSegmentLink(records: Records, ref: SegmentLinkRef): Promise<StoredSegmentLink | undefined> {
  const record = await records.get(segmentLinkKey(ref));
  const link = record && decodeLink(record.value);
  return link && { link, version: record.version };
}

function decodeLink(value: Uint8Array): SegmentLink | undefined {
  if (value[0] !== FORMAT) return undefined;
  return JSON.parse(Buffer.from(value.subarray(1)).toString("utf8")) as SegmentLink;
}

/** @throws a storage error `version_conflict` where somebody else was faster. */
export async function writeSegmentLink(
  records: Records,
  ref: SegmentLinkRef,
  link: SegmentLink,
  ifVersion: number,
): Promise<number> {
  const value = Buffer.concat([Buffer.of(FORMAT), Buffer.from(JSON.stringify(link), "utf8")]);
  return records.put(segmentLinkKey(ref), value, { ifVersion });
}

/** Changes a stored link, whatever others do to it meanwhile. `undefined`: there is none. */
export async function changeSegmentLink(
  records: Records,
  ref: SegmentLinkRef,
  change: (link: SegmentLink) => SegmentLink,
): Promise<SegmentLink | undefined> {
  for (;;) {
    const stored = await readSegmentLink(records, ref);
    if (!stored) return undefined;
    const next = change(stored.link);
    if (next === stored.link) return next;
    try {
      await writeSegmentLink(records, ref, next, stored.version);
      return next;
    } catch (error) {
      if (!isVersionConflict(error)) throw error;
    }
  }
}

/** Every link whose key begins with `prefix`, or all there are. */
export async function* segmentLinks(
  records: Records,
  prefix = PREFIX,
): AsyncGenerator<{ ref: SegmentLinkRef; link: SegmentLink }> {
  let after: string | undefined;
  for (;;) {
    const page = await records.list(prefix, { ...(after === undefined ? {} : { after }), limit: PAGE });
    for (const record of page) {
      const link = decodeLink(record.value);
      const [tenantId = "", destinationId = "", own = ""] = record.key
        .slice(PREFIX.length)
        .split("/")
        .map(decodeURIComponent);
      if (link) yield { ref: { tenantId, destinationId, link: own }, link };
    }
    after = page.at(-1)?.key;
    if (page.length < PAGE || after === undefined) return;
  }
}
