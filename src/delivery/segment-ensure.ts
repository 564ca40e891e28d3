import { isSnapchatError } from "../errors.ts";
import type { Records } from "../storage/ports.ts";
import type { Context } from "./context.ts";
import type { Gate } from "./gate.ts";
import type { SegmentSender, SegmentSendOptions } from "./interfaces.ts";
import { judgeFailure } from "./members-failure.ts";
import { renewAfterMs } from "./renewal.ts";
import {
  changeSegmentLink,
  readSegmentLink,
  type SegmentLink,
  type SegmentLinkRef,
  type StoredSegmentLink,
  segmentLinkKey,
  segmentMarker,
  writeSegmentLink,
} from "./segment-link.ts";
import { isVersionConflict } from "./storage-call.ts";

export type EnsuredSegment =
  | ReadySegment
  /** Another process is making it. */
  | { state: "busy"; retryInMs: number }
  | { state: "deleted"; segmentId: string }
  | { state: "stopped" }
  /** No link is stored for this group. */
  | { state: "missing" };

export interface ReadySegment {
  state: "ready";
  segmentId: string;
  link: SegmentLink;
  /** It was made, or found by its marker, just now. */
  made?: true;
  /** Age at which a member is sent again, from the link's retention. Milliseconds. */
  renewAfterMs: number | undefined;
}

/** The segment of a link, made at Snapchat on first use: once, whoever asks. Failures of Snapchat are thrown. */
export async function ensureSegment(
  context: Pick<Context, "storage" | "emit" | "settings" | "restored" | "lists">,
  sender: SegmentSender,
  ref: SegmentLinkRef,
  call: SegmentSendOptions,
  gate: Gate,
): Promise<EnsuredSegment> {
  const { records } = context.storage;
  const stored = await readSegmentLink(records, ref);
  if (!stored) return { state: "missing" };
  const { link } = stored;
  if (link.state === "deleted") return { state: "deleted", segmentId: link.segmentId ?? "" };
  if (link.state === "stopped") return { state: "stopped" };
  if (link.segmentId !== undefined) return ready(link, link.segmentId);

  const lock = `~lock/${segmentLinkKey(ref)}`;
  const locked = await tryLock(records, lock, context.settings.leaseMs);
  if (locked === undefined) return { state: "busy", retryInMs: 5_000 };
  try {
    const made = await make(context, sender, ref, stored, call, gate);
    if (made.state !== "ready") return made;
    context.emit({ type: "segment_created", ...ref, segmentId: made.segmentId });
    return { ...made, made: true };
  } finally {
    await records.delete(lock, { ifVersion: locked }).catch(() => false);
  }
}

async function make(
  context: Pick<Context, "storage" | "settings" | "restored" | "lists">,
  sender: SegmentSender,
  ref: SegmentLinkRef,
  stored: StoredSegmentLink,
  call: SegmentSendOptions,
  gate: Gate,
): Promise<EnsuredSegment> {
  const { records } = context.storage;
  const { link } = stored;
  const marker = segmentMarker(ref, link);
  let { version } = stored;
  try {
    if (link.state === "creating" || mayBeMade(context)) {
      const found = await find(sender, link.adAccountId, marker, call, gate);
      if (found !== undefined) {
        const known = madeLink(link, found);
        await writeSegmentLink(records, ref, known, version);
        return ready(known, found);
      }
    }
    // Written before it is asked for: whoever comes after a crash looks for the marker first.
    version = await writeSegmentLink(records, ref, { ...link, state: "creating" }, version);
    await gate.pass();
    const { name, adAccountId, description, retentionInDays } = link;
    let segmentId: string;
    try {
      const segment = await sender.segments.create(
        adAccountId,
        {
          name,
          description: description ? `${description} ${marker}` : marker,
          ...(retentionInDays === undefined ? {} : { retentionInDays }),
        },
        { ...call, explainRefusal: true, beforeRequest: afterTheFirst(gate) },
      );
      segmentId = segment.id;
    } catch (error) {
      if (isKnownRefusal(error)) await writeSegmentLink(records, ref, { ...link, state: "new" }, version);
      throw error;
    }
    const known = madeLink(link, segmentId);
    try {
      await writeSegmentLink(records, ref, known, version);
    } catch (error) {
      if (isVersionConflict(error)) await noteSurplus(context, ref, segmentId);
      throw error;
    }
    return ready(known, segmentId);
  } catch (error) {
    if (isVersionConflict(error)) return { state: "busy", retryInMs: 1_000 };
    throw error;
  }
}

function ready(link: SegmentLink, segmentId: string): ReadySegment {
  return { state: "ready", segmentId, link, renewAfterMs: renewAfterMs(link) };
}

function madeLink({ problem: _, ...link }: SegmentLink, segmentId: string): SegmentLink {
  return { ...link, segmentId, state: "ready", givenName: link.name };
}

/**
 * The link was changed while its segment was being made: this process may have stood still for longer than its turn, and
 * another may have made one, too. Whoever has the segment's next turn knows which of them is linked.
 */
async function noteSurplus(
  { storage, lists }: Pick<Context, "storage" | "lists">,
  ref: SegmentLinkRef,
  segmentId: string,
): Promise<void> {
  const noted = await changeSegmentLink(storage.records, ref, (link) =>
    link.segmentId === segmentId ? link : { ...link, surplus: [...(link.surplus ?? []), segmentId] },
  );
  if (noted?.surplus) await lists.task(ref, `surplus ${segmentId}`, { task: "make" });
}

/**
 * Deletes what {@link noteSurplus} noted, and is not the linked segment after all. To be called under the segment's lease.
 * Throws what another try may mend; one that is gone, or that Snapchat does not delete, is left alone.
 */
export async function deleteSurplus(
  { storage, emit }: Pick<Context, "storage" | "emit">,
  sender: SegmentSender,
  ref: SegmentLinkRef,
  { link, segmentId }: ReadySegment,
  call: SegmentSendOptions,
  gate: Gate,
): Promise<void> {
  for (const id of link.surplus ?? []) {
    if (id !== segmentId) {
      await gate.pass();
      try {
        await sender.segments.delete(id, call);
        emit({ type: "segment_surplus_deleted", ...ref, segmentId: id });
      } catch (error) {
        if (!["gone", "forbidden", "refused"].includes(judgeFailure(error))) throw error;
      }
    }
    await changeSegmentLink(storage.records, ref, ({ surplus, ...other }) => {
      const left = surplus?.filter((one) => one !== id);
      return left?.length ? { ...other, surplus: left } : other;
    });
  }
}

/** The slot of the creation itself is taken already; the look into the account that may follow needs one of its own. */
function afterTheFirst(gate: Gate): () => Promise<void> {
  let first = true;
  return async () => {
    if (!first) await gate.pass();
    first = false;
  };
}

/** After a backup came back, a link that looks new may have been made since it was taken. */
function mayBeMade({ restored, settings }: Pick<Context, "settings" | "restored">): boolean {
  return (restored()?.restoredAgeMs ?? Number.POSITIVE_INFINITY) < settings.entryRetentionMs;
}

/** Snapchat said no: nothing was made. */
function isKnownRefusal(error: unknown): boolean {
  if (!isSnapchatError(error)) return false;
  const { status, sent } = error.details;
  return sent === "no" || (typeof status === "number" && status >= 400 && status < 500 && status !== 408);
}

async function find(
  sender: SegmentSender,
  adAccountId: string,
  marker: string,
  call: SegmentSendOptions,
  gate: Gate,
): Promise<string | undefined> {
  await gate.pass();
  for await (const { id, description } of sender.segments.list(adAccountId, call)) {
    if (description?.includes(marker)) return id;
  }
  return undefined;
}

/** A lock that nobody gave back is free again after `ttlMs`. */
async function tryLock(records: Records, key: string, ttlMs: number): Promise<number | undefined> {
  try {
    return await records.put(key, Buffer.of(1), { ifVersion: 0, ttlMs });
  } catch (error) {
    if (isVersionConflict(error)) return undefined;
    throw error;
  }
}
