import { hash } from "node:crypto";
import type { DeadLetter, NewEntry } from "../storage/ports.ts";
import { hasBit } from "./bits.ts";
import type { Context } from "./context.ts";
import type { DeadDetail } from "./dead.ts";
import { type DeadLetterFilter, detailOf, matching } from "./dead-letters.ts";
import { parseGroup } from "./item.ts";
import { isList } from "./list-payload.ts";
import {
  decodeEvents,
  decodeMembers,
  encodeEvents,
  encodeMembers,
  isKnownFormat,
  openPayload,
  payloadAad,
  type StoredEvent,
  type StoredMember,
  sealPayload,
} from "./payload.ts";
import { type Progress, readProgress, unknownSince } from "./progress.ts";
import { isStorageError, storageCall } from "./storage-call.ts";

export interface ReplayOptions extends DeadLetterFilter {
  /** Says what would happen and changes nothing. */
  dryRun?: boolean | undefined;
  /**
   * Sends also what Snapchat may have taken longer ago than it remembers: such an event may count twice.
   * Without it those stay where they are.
   */
  resendUnknown?: boolean | undefined;
}

/** What a replay sent again, and what it left. */
export interface ReplayReport {
  /** Dead letters that matched. */
  matched: number;
  /** Queued again, behind live traffic. In a dry run: would be. */
  replayed: number;
  /** Items of those. */
  items: number;
  /** Left as they are, by reason. */
  skipped: Record<string, number>;
  /** Removed, because the person may not be contacted any more. */
  withdrawn: number;
}

/** Behind live events, membership and bulk work. */
const REPLAY_PRIORITY = 3;

/**
 * Queues dead letters again, behind live traffic. Safe to repeat: an interrupted replay goes on where it was. What is
 * too old for Snapchat, what is delivered, and what may not be sent any more stays out.
 */
export async function replay(context: Context, options: ReplayOptions): Promise<ReplayReport> {
  const report: ReplayReport = { matched: 0, replayed: 0, items: 0, skipped: {}, withdrawn: 0 };
  const { outbox } = context.storage;
  const { destinationId, dryRun } = options;
  for await (const letters of matching(context.storage, options)) {
    report.matched += letters.length;
    const again: { letter: DeadLetter; entry: NewEntry }[] = [];
    const withdrawn: string[] = [];
    for (const letter of letters) {
      const judged = await judge(context, letter, options);
      if (typeof judged === "string") report.skipped[judged] = (report.skipped[judged] ?? 0) + 1;
      else if (judged === undefined) withdrawn.push(letter.id);
      else again.push({ letter, entry: judged });
    }
    report.withdrawn += withdrawn.length;
    report.replayed += again.length;
    report.items += again.reduce((sum, { entry }) => sum + entry.items, 0);
    if (dryRun) continue;
    if (withdrawn.length > 0) await outbox.dead.delete({ destinationId, ids: withdrawn });
    if (again.length > 0) await queue(context, destinationId, again, report);
  }
  return report;
}

/** First stored as an entry, then removed as a dead letter: a crash between the two finds the entry as a duplicate. */
async function queue(
  context: Context,
  destinationId: string,
  again: readonly { letter: DeadLetter; entry: NewEntry }[],
  report: ReplayReport,
): Promise<void> {
  const { storage, clock, random } = context;
  try {
    const entries = again.map(({ entry }) => entry);
    await storageCall(() => storage.outbox.append(entries), { clock, random, maxMs: 5_000 });
  } catch (error) {
    if (!isStorageError(error) || error.code !== "unknown_group") throw error;
    report.replayed -= again.length;
    report.items -= again.reduce((sum, { entry }) => sum + entry.items, 0);
    report.skipped.group_closed = (report.skipped.group_closed ?? 0) + again.length;
    return;
  }
  await storage.outbox.dead.delete({ destinationId, ids: again.map(({ letter }) => letter.id) });
}

/** An entry to queue, a reason to leave the letter, or `undefined`: nothing of it may be sent any more. */
async function judge(
  context: Context,
  letter: DeadLetter,
  options: ReplayOptions,
): Promise<NewEntry | string | undefined> {
  const { group, payload } = letter;
  const kind = parseGroup(group.name);
  if (!kind || !isKnownFormat(payload)) return "unknown_format";
  const aad = payloadAad(group.tenantId, group.destinationId, group.name);
  let content: Uint8Array;
  let detail: DeadDetail | undefined;
  try {
    content = await openPayload(payload, aad, context.sealer);
    detail = await detailOf(context, letter);
  } catch {
    return "payload_unreadable";
  }
  // What of it was delivered, or may have been, is not known here.
  if (!detail) return "unknown_format";
  const built =
    kind.type === "event"
      ? await eventsAgain(context, letter, decodeEvents(content), detail, options)
      : isList(content)
        ? listAgain(context, content)
        : await membersAgain(context, letter, decodeMembers(content));
  if (typeof built === "string" || built === undefined) return built;
  return {
    id: hash("sha256", JSON.stringify([group.destinationId, group.name, letter.id]), "base64url"),
    group: { destinationId: group.destinationId, name: group.name },
    priority: REPLAY_PRIORITY,
    items: built.items,
    payload: await sealPayload(built.content, aad, context.sealer),
    position: letter.position,
    // As long as the letter may still be here: a replay that was cut off before its end does not send it twice.
    dedupeMs: Math.max(context.settings.dedupeMs, context.settings.deadLetterRetentionMs),
  };
}

interface Built {
  content: Uint8Array;
  items: number;
}

async function eventsAgain(
  context: Context,
  letter: DeadLetter,
  events: readonly StoredEvent[],
  detail: DeadDetail,
  { resendUnknown }: ReplayOptions,
): Promise<Built | string | undefined> {
  const { settings, clock, consent } = context;
  const { tenantId, destinationId } = letter.group;
  const progress = wholeProgress(letter, detail, events.length);
  const kept: StoredEvent[] = [];
  let left: string | undefined;
  let withdrawn = 0;
  for (const [index, event] of events.entries()) {
    if (progress && hasBit(progress.done, index)) continue;
    const doubtMs = longer(doubtOf(context, letter, { event, detail, progress, index }), sinceBackup(context, letter));
    if (clock.now() - event.eventTime * 1_000 > (event.maxAgeMs ?? settings.entryRetentionMs)) left = "event_too_old";
    else if (doubtMs !== undefined && doubtMs > settings.unknownMs && !resendUnknown) left = "outcome_unknown";
    else if (await (consent?.allowed(tenantId, destinationId, event.subjects, event.acceptedAtMs, event) ?? true)) {
      kept.push({ ...event, doubtMs: resendUnknown ? undefined : doubtMs });
    } else withdrawn++;
  }
  // A letter of several items goes again as a whole or stays: what is left out of it would be forgotten.
  if (left !== undefined) return left;
  if (kept.length === 0) return withdrawn > 0 ? undefined : "delivered";
  return { content: encodeEvents(kept), items: kept.length };
}

/**
 * For how long Snapchat may have had the item by now. An entry that the engine buried says how old it was when something
 * of it may have been sent, not how old it was when it died: it is as old now as the time since it was accepted.
 */
function doubtOf(
  { clock }: Context,
  letter: DeadLetter,
  item: { event: StoredEvent; detail: DeadDetail; progress: Progress | undefined; index: number },
): number | undefined {
  const { event, detail, progress, index } = item;
  if (detail.unknownForMs !== undefined) return detail.unknownForMs + letter.ageMs;
  if (letter.itemIndex !== -1) return undefined;
  const ageMs = Math.max(letter.ageMs, clock.now() - event.acceptedAtMs);
  if (event.doubtMs !== undefined) return ageMs;
  const since = progress && unknownSince(progress, index);
  if (since !== undefined) return Math.max(0, ageMs - since);
  // Somebody had it in hand and never said what became of it.
  return letter.claims > 0 ? Math.max(0, ageMs - (progress?.writtenAgeMs ?? 0)) : undefined;
}

/** A letter that came back with a backup may have been replayed and delivered since the backup was taken. */
function sinceBackup(context: Context, letter: DeadLetter): number | undefined {
  const restored = context.restored();
  return restored && letter.ageMs > restored.restoredAgeMs ? restored.backupAgeMs : undefined;
}

const longer = (a: number | undefined, b: number | undefined) =>
  a === undefined || b === undefined ? (a ?? b) : Math.max(a, b);

/** Of an entry that was given up whole: which of its items are done. Of a single item there is nothing to say. */
function wholeProgress(letter: DeadLetter, detail: DeadDetail, items: number): Progress | undefined {
  if (detail.done !== undefined) {
    const done = Buffer.from(detail.done, "base64");
    return { attempts: detail.attempts, delayMs: undefined, done, unknown: [], writtenAgeMs: 0 };
  }
  return isKnownFormat(letter.detail) ? undefined : readProgress(letter.detail, items);
}

/** A page of a list or a task goes again as it is: its position says what it may still change. */
function listAgain(context: Context, content: Uint8Array): Built | string {
  return context.storage.members ? { content, items: 1 } : "members_not_kept";
}

async function membersAgain(
  context: Context,
  letter: DeadLetter,
  members: readonly StoredMember[],
): Promise<Built | string | undefined> {
  // Without a memory of positions an old change would undo what came after it.
  if (!context.storage.members) return "members_not_kept";
  const { tenantId, destinationId } = letter.group;
  const kept: StoredMember[] = [];
  for (const member of members) {
    const { subjects, acceptedAtMs } = member;
    const allowed =
      member.op !== "add" ||
      (await (context.consent?.allowed(tenantId, destinationId, subjects, acceptedAtMs, member) ?? true));
    if (allowed) kept.push(member);
    // It may have reached Snapchat before it died: what Snapchat should hold is told again.
    kept.push({ ...member, op: "assert", subjects: [] });
  }
  return { content: encodeMembers(kept), items: Math.max(1, Math.ceil(kept.length / 50)) };
}
