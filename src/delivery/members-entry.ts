import type { ClaimedEntry, Outcome } from "../storage/ports.ts";
import { type Context, safeError } from "./context.ts";
import type { SettledItem } from "./emitted.ts";
import type { Job, Started } from "./job.ts";
import { decodeList, isList, type ListPayload } from "./list-payload.ts";
import type { PlacedMember } from "./members-fold.ts";
import { decodeMembers, openPayload, payloadAad, type StoredMember } from "./payload.ts";
import { type Progress, writeProgress } from "./progress.ts";

/** A members entry that is open. */
export interface MemberEntry {
  entry: ClaimedEntry;
  progress: Progress;
  /** It may have reached Snapchat already. */
  doubted: boolean;
  /** A page of a list or a task; then nothing is placed. */
  list: ListPayload | undefined;
  placed: PlacedMember[];
  settled: SettledItem[];
}

const NO_BYTES = new Uint8Array();

/** Opens entries and asks once more whether each person may be added. Removes need no consent. */
export async function openMembers(
  context: Context,
  job: Job,
  started: readonly Started[],
): Promise<{ entries: MemberEntry[] | "unanswered"; waiting: Outcome[] }> {
  const { tenantId, destinationId, name } = job.claim.group;
  const aad = payloadAad(tenantId, destinationId, name);
  const entries: MemberEntry[] = [];
  const waiting: Outcome[] = [];
  for (const { entry, progress } of started) {
    let members: StoredMember[] = [];
    let list: ListPayload | undefined;
    try {
      const content = await openPayload(entry.payload, aad, context.sealer);
      if (isList(content)) {
        list = decodeList(content);
        // A page of a list is megabytes, and is held for as long as Snapchat takes: once is enough.
        entry.payload = NO_BYTES;
      } else members = decodeMembers(content);
    } catch {
      context.emit({ type: "entry_unreadable", tenantId, destinationId, group: name, reason: "payload_unreadable" });
      waiting.push({ id: entry.id, rest: { retryInMs: 5 * 60_000, progress: writeProgress(progress) } });
      continue;
    }
    const doubted = inDoubt(context, job, entry, progress);
    const open: MemberEntry = { entry, progress, doubted, list, placed: [], settled: [] };
    try {
      for (const member of members) {
        const { eventId } = member;
        if (await mayApply(context, tenantId, destinationId, member)) {
          open.placed.push({ member, position: entry.position, doubted });
          open.settled.push({ eventId, rule: `segment:${member.op}`, status: "delivered" });
        } else {
          open.settled.push({ eventId, rule: `segment:${member.op}`, status: "withdrawn" });
          // It may have been sent before consent went: what Snapchat holds has to be told again.
          if (doubted) open.placed.push({ member: { ...member, op: "assert" }, position: entry.position, doubted });
        }
      }
    } catch (error) {
      context.emit({ type: "worker_error", ...safeError(error), destinationId });
      return { entries: "unanswered", waiting };
    }
    entries.push(open);
  }
  return { entries, waiting };
}

/**
 * Entries that are told to Snapchat together, in order: single changes in a row are folded, a page or a task stands
 * alone.
 */
export function batchesOf(entries: readonly MemberEntry[]): MemberEntry[][] {
  const batches: MemberEntry[][] = [];
  for (const entry of entries) {
    const last = batches.at(-1);
    if (last && !entry.list && !last[0]?.list) last.push(entry);
    else batches.push([entry]);
  }
  return batches;
}

function mayApply(context: Context, tenantId: string, destinationId: string, member: StoredMember) {
  if (member.op !== "add") return true;
  return context.consent?.allowed(tenantId, destinationId, member.subjects, member.acceptedAtMs, member) ?? true;
}

/** A claim that nobody settled, a request without an answer, or a database from a backup. */
function inDoubt(context: Context, job: Job, entry: ClaimedEntry, progress: Progress): boolean {
  const restored = context.restored();
  const cameBack = restored !== undefined && job.ageMs(entry) > restored.restoredAgeMs;
  return progress.unknown.length > 0 || cameBack;
}
