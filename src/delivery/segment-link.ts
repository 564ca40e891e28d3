import { hash } from "node:crypto";
import type { Group, Records } from "../storage/ports.ts";
import { membersGroup } from "./item.ts";

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
   */
  state: "new" | "creating" | "ready" | "deleted";
  /** How often it has been made anew: part of the marker. */
  generation: number;
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

const FORMAT = 1;
const MARKER_KEY_LENGTH = 100;

export function segmentLinkKey({ tenantId, destinationId, link }: SegmentLinkRef): string {
  return `segment/${encodeURIComponent(tenantId)}/${encodeURIComponent(destinationId)}/${encodeURIComponent(link)}`;
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
  if (!record || record.value[0] !== FORMAT) return undefined;
  const link = JSON.parse(Buffer.from(record.value.subarray(1)).toString("utf8")) as SegmentLink;
  return { link, version: record.version };
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
