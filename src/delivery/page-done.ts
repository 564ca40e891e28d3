import type { Records, SegmentRef } from "../storage/ports.ts";
import { segmentLinkKey } from "./segment-link.ts";

/** What became of one page or task of a run. */
export interface PageDone {
  /** Identifiers sent to enter. */
  added: number;
  removed: number;
  /** Identifiers that Snapchat says it took. */
  accepted: number;
  requests: number;
}

const FORMAT = 1;
/** As long as an entry may wait: whoever asks later has to begin anew. Milliseconds. */
const KEEP_MS = 40 * 86_400_000;

/** Entry ids are made from the run, so no two runs share one. */
export function pageDoneKey(segment: SegmentRef, entryId: string): string {
  return `~done/${segmentLinkKey(segment)}/${entryId}`;
}

/** A repeat of a page finds nothing to do: what the first try did stays in the count. */
export async function writePageDone(
  records: Records,
  segment: SegmentRef,
  entryId: string,
  done: PageDone,
): Promise<void> {
  const key = pageDoneKey(segment, entryId);
  const before = await readPageDone(records, segment, entryId);
  const total = before ? sum(before, done) : done;
  const value = Buffer.concat([Buffer.of(FORMAT), Buffer.from(JSON.stringify(total), "utf8")]);
  await records.put(key, value, { ttlMs: KEEP_MS });
}

export function sum(a: PageDone, b: PageDone): PageDone {
  return {
    added: a.added + b.added,
    removed: a.removed + b.removed,
    accepted: a.accepted + b.accepted,
    requests: a.requests + b.requests,
  };
}

export async function readPageDone(
  records: Records,
  segment: SegmentRef,
  entryId: string,
): Promise<PageDone | undefined> {
  const record = await records.get(pageDoneKey(segment, entryId));
  if (!record || record.value[0] !== FORMAT) return undefined;
  return JSON.parse(Buffer.from(record.value.subarray(1)).toString("utf8")) as PageDone;
}
