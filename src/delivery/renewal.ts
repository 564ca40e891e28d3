import type { Records, SegmentRef, Storage } from "../storage/ports.ts";
import type { ListQueue } from "./list-queue.ts";
import { changeSegmentLink, type SegmentLink, segmentLinks } from "./segment-link.ts";
import { isStorageError } from "./storage-call.ts";

const DAY_MS = 86_400_000;

/** Snapchat drops a member this long after it was last added. `undefined`: never. */
function retentionMs({ retentionInDays }: Pick<SegmentLink, "retentionInDays">): number | undefined {
  if (!retentionInDays || retentionInDays >= 9_999) return undefined;
  return retentionInDays * DAY_MS;
}

/** A member is sent again when it was last sent this long ago: five eighths of the retention. */
export function renewAfterMs(link: Pick<SegmentLink, "retentionInDays">): number | undefined {
  const retention = retentionMs(link);
  return retention === undefined ? undefined : (retention * 5) / 8;
}

/** How often a segment is looked through. With the above nobody gets older than six eighths; the rest is for outages. */
function renewEveryMs(link: SegmentLink): number | undefined {
  const retention = retentionMs(link);
  return retention === undefined ? undefined : retention / 8;
}

/** Notes when the segment has to be looked through next. */
export async function scheduleRenewal(records: Records, segment: SegmentRef): Promise<void> {
  const now = await records.now();
  await changeSegmentLink(records, segment, (link) => {
    const every = renewEveryMs(link);
    return every === undefined ? link : { ...link, renewAtMs: now + every };
  });
}

/** Queues a look through every segment whose time has come: once, however many processes ask. */
export async function queueRenewals(
  { records, members }: Pick<Storage, "records" | "members">,
  lists: Pick<ListQueue, "task">,
  signal?: AbortSignal,
): Promise<void> {
  if (!members) return;
  const now = await records.now();
  for await (const { ref, link } of segmentLinks(records)) {
    if (signal?.aborted) return;
    if (link.state !== "ready" || link.released || renewEveryMs(link) === undefined) continue;
    if (link.renewAtMs === undefined) await scheduleRenewal(records, ref);
    else if (link.renewAtMs <= now) {
      try {
        await lists.task(ref, `renew ${link.renewAtMs}`, { task: "renew" });
      } catch (error) {
        // Its destination is going.
        if (!isStorageError(error) || error.code !== "unknown_group") throw error;
      }
    }
  }
}
