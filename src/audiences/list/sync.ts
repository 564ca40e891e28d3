import { createHash } from "node:crypto";
import type { Clock } from "../../clock.ts";
import { SnapchatError } from "../../errors.ts";
import type { Records } from "../../storage/ports.ts";
import type { KindNumber, Lists, ListWork, QueuedPage, SegmentPlace } from "./interfaces.ts";
import { countOf, createPageBuffer, joinedPages, onlyPlaces, type PageBuffer, slicePage } from "./page-buffer.ts";
import type { SyncMode, SyncProgress } from "./progress.ts";
import { type ReadOptions, readList } from "./read.ts";
import type { ListRow } from "./row.ts";
import { type RunRecord, readRun, runKeyOf, writeRun } from "./run-record.ts";

/** One run of a whole list into a segment. */
export interface ListSync {
  segment: SegmentPlace;
  runId: string;
  /** `hold`: Snapchat holds them already; they are written down and not sent. */
  mode: SyncMode | "hold";
  rows: AsyncIterable<ListRow> | Iterable<ListRow>;
  read: ReadOptions;
  /** The share of the segment that a mirror may remove without being told to, 0 to 1. */
  maxRemovedShare: number;
  /** Lines to be read, for the estimate. */
  size?: number | undefined;
  /** The segment's retention: who would soon be dropped is sent again. */
  retentionInDays?: number | undefined;
  /** Told after every page, and when the phase changes. */
  onProgress?: ((progress: SyncProgress) => void) | undefined;
  /** Why nothing can be delivered now, asked every five seconds while the run waits, and told for how long; throws. */
  checkDelivery?: ((waitedMs: number) => Promise<void>) | undefined;
}

/** What {@link syncList} works with. */
export interface ListSyncDependencies {
  records: Records;
  lists: Lists;
  clock: Clock;
  /** Without a members port a mirror cannot know who is not in the list. */
  membersKept: boolean;
}

/** Pages that wait for delivery before reading goes on. */
const MAX_WAITING = 4;
const POLL_MIN_MS = 50;
const POLL_MAX_MS = 1_000;
const CHECK_EVERY_MS = 5_000;
const SWEEP = "sweep";

/**
 * Brings a whole list into a segment: read piece by piece, compared with what Snapchat holds, what differs sent a request's
 * worth at a time; then, in a mirror, whoever was not in it leaves. Cut off, the same call with the same run id goes on.
 *
 * @throws {SnapchatError} `mirror_removes_too_many` (fix_data), `capability_missing`, what the list or the wait throw
 * @example
 * ```ts
 * import { createHmac } from "node:crypto";
 * import { type ListSync, type ListSyncDependencies, syncList } from "snapchat-destination/audiences";
 *
 * const personOf = (key: string) => createHmac("sha256", "a secret of yours").update(key).digest().subarray(0, 16);
 *
 * // A night's export, made whole again: who is not in it leaves, unless that would be more than a fifth.
 * export const mirror = (dependencies: ListSyncDependencies, segment: ListSync["segment"], addresses: string[]) =>
 *   syncList(dependencies, {
 *     segment,
 *     runId: "2026-11-26",
 *     mode: "mirror",
 *     rows: addresses.map((email) => ({ email })),
 *     read: { identifiers: ["email"], personOf },
 *     maxRemovedShare: 0.2,
 *   });
 * ```
 */
export async function syncList(dependencies: ListSyncDependencies, sync: ListSync): Promise<SyncProgress> {
  const { records } = dependencies;
  if (!dependencies.membersKept && sync.mode !== "add" && sync.mode !== "remove") throw capabilityMissing();
  const run = (await readRun(records, sync.segment, sync.runId)) ?? (await begin(dependencies, sync));
  if (run.mode !== sync.mode) throw otherMode(run.mode);
  if (run.phase === "done") return run.progress;
  if (run.phase === "reading") {
    await readAll(dependencies, sync, run);
    if (sync.mode === "mirror") await enter(dependencies, sync, run, "removing");
  }
  if (sync.mode === "mirror") await removeOthers(dependencies, sync, run);
  await enter(dependencies, sync, run, "done");
  return run.progress;
}

/** The place in the segment's order is taken before the list is read: a later event has the last word. */
async function begin({ records, lists, clock }: ListSyncDependencies, sync: ListSync): Promise<RunRecord> {
  const { segment, runId, mode, size } = sync;
  const position = await lists.task(segment, `run ${runKeyOf(runId)}`, { task: "make" });
  const progress: SyncProgress = {
    runId,
    mode: mode === "hold" ? "add" : mode,
    phase: "reading",
    read: 0,
    unusable: {},
    identifiers: 0,
    new: 0,
    removed: 0,
    sent: 0,
    accepted: 0,
    requests: 0,
    size,
    etaMs: undefined,
  };
  const run: RunRecord = { mode, position, startedAtMs: clock.now(), phase: "reading", progress };
  await writeRun(records, segment, runId, run);
  return run;
}

async function enter(
  { records }: ListSyncDependencies,
  { segment, runId, onProgress }: ListSync,
  run: RunRecord,
  phase: RunRecord["phase"],
): Promise<void> {
  run.phase = phase;
  run.progress = { ...run.progress, phase, etaMs: phase === "done" ? 0 : undefined };
  await writeRun(records, segment, runId, run);
  onProgress?.(run.progress);
}

async function readAll(dependencies: ListSyncDependencies, sync: ListSync, run: RunRecord): Promise<void> {
  const { lists, clock } = dependencies;
  const { segment, mode, read, size, onProgress } = sync;
  const started = clock.monotonic();
  const unusable: Record<string, number> = {};
  const count = { read: 0, identifiers: 0, new: 0 };
  let work: ListWork = { added: 0, removed: 0, accepted: 0, requests: 0 };
  const op = mode === "remove" ? "remove" : mode === "hold" ? "hold" : "add";
  const waiting: string[] = [];
  const buffers = new Map<string, { fresh: PageBuffer; changed: QueuedPage[] }>();

  const tell = () => {
    const elapsed = clock.monotonic() - started;
    const left =
      size === undefined || count.read === 0 ? undefined : (elapsed / count.read) * Math.max(0, size - count.read);
    run.progress = {
      ...run.progress,
      read: count.read,
      unusable: { ...unusable },
      identifiers: count.identifiers,
      new: count.new,
      removed: work.removed,
      sent: work.added + work.removed,
      accepted: work.accepted,
      requests: work.requests,
      etaMs: left,
    };
    onProgress?.(run.progress);
  };

  async function takeDone(most: number): Promise<void> {
    while (waiting.length > most) {
      work = addWork(work, await waitFor(dependencies, sync, waiting[0] as string));
      waiting.shift();
      tell();
    }
  }

  async function queue(page: QueuedPage): Promise<void> {
    if (countOf(page) === 0) return;
    await takeDone(MAX_WAITING - 1);
    const id = pageId(sync.runId, page);
    await lists.page(segment, id, page, run.position);
    if (!waiting.includes(id)) waiting.push(id);
  }

  /** What differs travels together: a list with one change in a hundred makes one request of them, not one a page. */
  async function sort(entry: { fresh: PageBuffer; changed: QueuedPage[] }): Promise<void> {
    const page = entry.fresh.take(op, run.startedAtMs);
    const places =
      op === "hold"
        ? undefined
        : await lists.changing(segment, page, run.position, { retentionInDays: sync.retentionInDays });
    const total = countOf(page);
    count.new += op === "add" ? (places?.size ?? total) : 0;
    if (!places || places.size === total || places.size === 0) {
      await queue(page);
      return;
    }
    const others = Array.from({ length: total }, (_, place) => place).filter((place) => !places.has(place));
    await queue(onlyPlaces(page, others));
    entry.changed.push(onlyPlaces(page, places));
    await flush(entry, lists.pageSize);
  }

  async function flush(entry: { changed: QueuedPage[] }, atLeast: number): Promise<void> {
    if (entry.changed.length === 0 || entry.changed.reduce((sum, page) => sum + countOf(page), 0) < atLeast) return;
    const all = joinedPages(entry.changed);
    const total = countOf(all);
    entry.changed = [];
    let from = 0;
    for (; total - from >= Math.max(1, atLeast); from += lists.pageSize) {
      await queue(slicePage(all, from, Math.min(total, from + lists.pageSize)));
    }
    if (from < total) entry.changed = [slicePage(all, from, total)];
  }

  function bufferOf(kind: KindNumber, named: boolean) {
    const key = `${kind} ${named}`;
    let entry = buffers.get(key);
    if (!entry) {
      entry = { fresh: createPageBuffer(kind, named, lists.pageSize), changed: [] };
      buffers.set(key, entry);
    }
    return entry;
  }

  await readList(sync.rows, read, {
    line: () => {
      count.read++;
    },
    unusable: (reason) => {
      unusable[reason] = (unusable[reason] ?? 0) + 1;
    },
    identifier(kind, digest, person) {
      const entry = bufferOf(kind, person !== undefined);
      entry.fresh.add(digest, person);
      count.identifiers++;
      return entry.fresh.full ? sort(entry) : undefined;
    },
  });
  for (const entry of buffers.values()) {
    if (entry.fresh.count > 0) await sort(entry);
    await flush(entry, 1);
  }
  await takeDone(0);
  tell();
}

async function removeOthers(dependencies: ListSyncDependencies, sync: ListSync, run: RunRecord): Promise<void> {
  const { lists } = dependencies;
  const { segment, runId, maxRemovedShare } = sync;
  const id = `${SWEEP} ${runKeyOf(runId)}`;
  if (!(await lists.done(segment, id))) {
    const { leaving, held } = await lists.leaving(segment, run.position);
    if (leaving > 0 && leaving > maxRemovedShare * held) {
      await enter(dependencies, sync, run, "stopped");
      throw tooMany(leaving, held, maxRemovedShare);
    }
    await lists.task(segment, id, { task: "sweep" }, { position: run.position });
  }
  const done = await waitFor(dependencies, sync, id);
  const { progress } = run;
  run.progress = {
    ...progress,
    removed: progress.removed + done.removed,
    sent: progress.sent + done.added + done.removed,
    accepted: progress.accepted + done.accepted,
    requests: progress.requests + done.requests,
  };
}

/** Until a page or task is delivered, by whichever process. */
async function waitFor({ lists, clock }: ListSyncDependencies, sync: ListSync, id: string): Promise<ListWork> {
  const { segment, read, checkDelivery } = sync;
  let pauseMs = POLL_MIN_MS;
  const began = clock.monotonic();
  let checkAt = began + CHECK_EVERY_MS;
  for (;;) {
    const done = await lists.done(segment, id);
    if (done) return done;
    read.signal?.throwIfAborted();
    if (clock.monotonic() >= checkAt) {
      checkAt = clock.monotonic() + CHECK_EVERY_MS;
      const reason = await lists.dead(segment, id);
      if (reason !== undefined) throw pageDead(reason);
      await checkDelivery?.(clock.monotonic() - began);
    }
    await clock.sleep(pauseMs, read.signal);
    pauseMs = Math.min(POLL_MAX_MS, pauseMs * 2);
  }
}

/** The same identifiers again are the same page, whatever stood before them. */
function pageId(runId: string, { kind, hashes, persons }: QueuedPage): string {
  const digest = createHash("sha256").update(hashes);
  if (persons) digest.update(persons);
  return `page ${runKeyOf(runId)} ${kind} ${digest.digest("base64url")}`;
}

function addWork(a: ListWork, b: ListWork): ListWork {
  return {
    added: a.added + b.added,
    removed: a.removed + b.removed,
    accepted: a.accepted + b.accepted,
    requests: a.requests + b.requests,
  };
}

function tooMany(leaving: number, held: number, share: number): SnapchatError {
  return new SnapchatError({
    code: "mirror_removes_too_many",
    kind: "fix_data",
    message: `${leaving} of ${held} identifiers are not in the list and would leave the segment; more than ${Math.round(share * 100)} % may not without being told to. Nobody was removed.`,
    fix: "If the list is right, call again with the same runId and a larger maxRemovedShare: the list is not read again. If not, sync the right one under another runId.",
    details: { leaving, held, share },
  });
}

function pageDead(reason: string): SnapchatError {
  return new SnapchatError({
    code: "sync_given_up",
    kind: "fix_configuration",
    message: `A part of the list became a dead letter: ${reason}.`,
    fix: "Look at deadLetters.list(), mend the cause, then sync again under another runId.",
    details: { reason },
  });
}

function otherMode(mode: string): SnapchatError {
  return new SnapchatError({
    code: "run_mode_differs",
    kind: "fix_data",
    message: `A run of this id has begun with the mode ${mode}.`,
    fix: "Give every run an id of its own; the same id goes on with the same run.",
    details: { mode },
  });
}

function capabilityMissing(): SnapchatError {
  return new SnapchatError({
    code: "capability_missing",
    kind: "fix_configuration",
    message: "This storage does not keep who is in which segment, so nobody can be found who is not in the list.",
    fix: "Use a storage with the members port, or the modes add and remove.",
  });
}
