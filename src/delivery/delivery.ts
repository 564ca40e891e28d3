import { type Clock, systemClock } from "../clock.ts";
import type { Group, Page, Storage, Target } from "../storage/ports.ts";
import { recordSlots } from "../storage/record-slots.ts";
import { type AppendOptions, createAppender, type Queued } from "./append.ts";
import type { Random } from "./backoff.ts";
import { createCircuits } from "./circuit.ts";
import { type Context, guarded } from "./context.ts";
import { createControl } from "./control.ts";
import { type Counters, newCounters } from "./counters.ts";
import {
  type DeadLetterFilter,
  type DeadLetterInfo,
  type DeadLetterListOptions,
  listDeadLetters,
  purgeDeadLetters,
} from "./dead-letters.ts";
import type { Emit, OnSettled } from "./emitted.ts";
import type { Consent, Credentials, EventSender, Sealer, SegmentSender } from "./interfaces.ts";
import type { DeliveryItem } from "./item.ts";
import { createJournalWriter } from "./journal.ts";
import type { JournalLine } from "./journal-line.ts";
import { createLimits } from "./limits.ts";
import { createListQueue, type ListQueue } from "./list-queue.ts";
import type { NowOutcome } from "./now-outcome.ts";
import { oldestPayload } from "./oldest-payload.ts";
import { type PreparedEntry, type PrepareOptions, prepareItems } from "./prepare.ts";
import { type EventReceipt, exportReceipts, findReceipts, type ReceiptQuery } from "./receipts.ts";
import { type ReplayOptions, type ReplayReport, replay } from "./replay.ts";
import { createSendNow, type SendNowOptions } from "./send-now.ts";
import { type DeliverySettings, probeBounds, settingsOf } from "./settings.ts";
import { type DeliveryStats, type Health, healthOf, statsOf } from "./stats.ts";
import { keepSwept, sweep, sweepWithin } from "./sweep.ts";
import { startLoop, type Worker, type WorkerOptions } from "./worker.ts";

export interface DeliveryOptions {
  storage: Storage;
  credentials: Credentials;
  /** Sends events. Absent: events groups wait. */
  events?: EventSender;
  /** Makes segments and changes members. Absent: members groups wait. */
  segments?: SegmentSender;
  /** Seals what is stored. Absent: payloads are stored in plain. */
  sealer?: Sealer | undefined;
  /** Asked again before each item leaves. Absent: everything that was accepted is sent. */
  consent?: Consent;
  /** The whole group for one the outbox does not know yet, credential included. */
  openGroup?: AppendOptions["openGroup"];
  emit?: Emit;
  onSettled?: OnSettled;
  settings?: Partial<DeliverySettings>;
  clock?: Clock;
  random?: Random;
}

/** What a drain has done. */
export interface DrainReport {
  delivered: number;
  /** Waiting for another try. */
  retrying: number;
  dead: number;
  requests: number;
  /** Items that still wait: not due yet (members for `memberLingerMs`), paused, or out of time. Approximate. */
  left: number;
}

export interface Delivery {
  /** Groups items into entries of the outbox, for a host that appends them itself. The same items give the same ids. */
  prepareEntries(items: readonly DeliveryItem[]): Promise<PreparedEntry[]>;
  /**
   * Stores items; resolves when they are stored, one answer for each, in order. The same call again answers `duplicate`.
   *
   * @param options.tx the host's own open transaction, where the engine takes part in one
   * @throws {SnapchatError} `outbox_full` (capacity): too much waits for a destination already; what goes elsewhere is
   * stored, with `tx` nothing is, and the same call again stores the rest; `capability_missing` (fix_configuration): `tx` with an engine that has none; the engine's own errors.
   */
  append(items: readonly DeliveryItem[], options?: { tx?: unknown }): Promise<Queued[]>;
  /** Makes groups known to the outbox. */
  open(groups: Group[]): Promise<void>;
  /** Sends items at once and stores nothing: for hosts with a queue of their own. One outcome each, in order. */
  sendNow(items: readonly DeliveryItem[], options: SendNowOptions): Promise<NowOutcome[]>;
  /** Delivers in the background until it is stopped. */
  startWorker(options?: WorkerOptions): Worker;
  /** Delivers what is due and what comes due again within a second, then returns: for cron and serverless. */
  drain(options: { maxMs: number } & Pick<WorkerOptions, "concurrency" | "signal">): Promise<DrainReport>;
  /** Holds the work of a destination, a group, a credential, or of everybody. Reasons are a set. Default `operator`. */
  pause(target?: Target, reason?: string): Promise<void>;
  /** Takes one reason back. Work goes on when the last is gone. */
  resume(target?: Target, reason?: string): Promise<void>;
  /** To be called once after a database was brought back from a backup, before a worker starts. */
  restored(options: { backupTakenAtMs: number }): Promise<void>;
  /** Removes what is past its retention now. A running worker does so by itself. */
  sweep(): Promise<void>;
  stats(): Promise<DeliveryStats>;
  /** When the oldest payload that is still stored was sealed, at the latest; `undefined`: none is. Ms since 1970. */
  oldestPayloadMs(): Promise<number | undefined>;
  health(): Promise<Health>;
  readonly deadLetters: {
    list(options: DeadLetterListOptions): Promise<Page<DeadLetterInfo>>;
    replay(options: ReplayOptions): Promise<ReplayReport>;
    purge(filter: DeadLetterFilter): Promise<number>;
  };
  /** Whole lists on their way into segments. */
  readonly lists: ListQueue;
  readonly counters: Readonly<Counters>;
  /** What happened to events, from the journal. */
  readonly receipts: {
    find(destinationId: string, query: ReceiptQuery): Promise<Page<EventReceipt>>;
    export(destinationId: string, query: Pick<ReceiptQuery, "sinceMs" | "untilMs">): AsyncGenerator<string>;
    /** Writes a line about a call of `track`, beside everything else; lines that cannot be written are counted. */
    write(destinationId: string, ids: readonly string[], line: JournalLine): void;
    /** Waits until what was written is with the engine. */
    flush(): Promise<void>;
  };
}

/**
 * The delivery core: what is appended reaches Snapchat, or becomes a dead letter that says why not.
 *
 * @throws {SnapchatError} `delivery_settings_invalid` (fix_configuration): a number that cannot work
 */
export function createDelivery(options: DeliveryOptions): Delivery {
  const { storage, clock = systemClock, random = Math.random } = options;
  const settings = settingsOf(options.settings);
  const slots = storage.slots ?? recordSlots(storage.records);
  const control = createControl(storage.records, { clock });
  const lists = createListQueue({
    storage,
    sealer: options.sealer,
    clock,
    random,
    identifiersPerRequest: settings.identifiersPerRequest,
    dedupeMs: settings.dedupeMs,
  });
  const context: Context = {
    storage,
    lists,
    clock,
    random,
    settings,
    credentials: options.credentials,
    consent: options.consent,
    events: options.events,
    segments: options.segments,
    sealer: options.sealer,
    limits: createLimits({ slots, clock, random, share: settings.limitShare }),
    circuits: createCircuits({ clock, random, retry: probeBounds(settings) }),
    counters: newCounters(),
    journal: createJournalWriter(storage.journal),
    emit: guarded(options.emit),
    onSettled: options.onSettled && guarded(options.onSettled),
    restored: control.restored,
  };
  const { counters } = context;
  let { lingerMs } = settings;
  const prepare = (): PrepareOptions => ({
    sealer: options.sealer,
    maxEntryBytes: storage.capabilities.maxEntryBytes,
    lingerMs,
    memberLingerMs: settings.memberLingerMs,
    dedupeMs: settings.dedupeMs,
  });
  const appender = createAppender({ storage, clock, random, settings, prepare, openGroup: options.openGroup });
  const instance = Math.floor(random() * 2 ** 48).toString(36);
  let workers = 0;
  const loopOptions = () => ({ owner: `${instance}-${workers++}`, pausedMs: control.pausedMs });

  return {
    prepareEntries: async (items) => (await prepareItems(items, prepare())).entries,
    append: appender.append,
    open: (groups) => storage.outbox.open(groups),
    sendNow: createSendNow(context, control),
    startWorker(workerOptions = {}) {
      lingerMs = workerOptions.lingerMs ?? lingerMs;
      const worker = startLoop(context, { ...workerOptions, ...loopOptions() });
      const ended = new AbortController();
      const sweeping = keepSwept(context, ended.signal);
      const stop = async () => {
        ended.abort();
        await worker.stop();
        await sweeping;
      };
      return { stop, [Symbol.asyncDispose]: stop };
    },
    async drain({ maxMs, ...workerOptions }) {
      const before = structuredClone(counters);
      const until = { atMs: clock.monotonic() + maxMs, quietMs: lingerMs + 50 };
      // Beside the work: where there is always more than fits, old rows have to go, too.
      const swept = sweepWithin(context, maxMs);
      await startLoop(context, { ...workerOptions, ...loopOptions(), until }).ended;
      await swept;
      const depths = await storage.outbox.depth();
      return {
        delivered: counters.delivered - before.delivered,
        retrying: counters.retried - before.retried,
        dead: sum(counters.dead) - sum(before.dead),
        requests: counters.requests - before.requests,
        left: depths.reduce((total, { items }) => total + items, 0),
      };
    },
    pause: (target, reason = "operator") => (target ? storage.outbox.pause(target, reason) : control.pauseAll(reason)),
    resume: (target, reason = "operator") =>
      target ? storage.outbox.resume(target, reason) : control.resumeAll(reason),
    restored: ({ backupTakenAtMs }) => control.markRestored(backupTakenAtMs),
    sweep: () => sweep(context),
    stats: () => statsOf(context, control),
    oldestPayloadMs: () => oldestPayload(context),
    health: () => healthOf(context, control),
    deadLetters: {
      list: (o) => listDeadLetters(context, o),
      async replay(o) {
        // Whether the database came from a backup is known once the control record was read.
        await control.paused();
        return replay(context, o);
      },
      purge: (filter) => purgeDeadLetters(context, filter),
    },
    lists,
    counters,
    receipts: {
      find: (destinationId, query) => findReceipts(storage.journal, destinationId, query, clock.now()),
      export: (destinationId, query) => exportReceipts(storage.journal, destinationId, query, () => clock.now()),
      write: (destinationId, ids, line) => context.journal.add(destinationId, ids, line),
      flush: () => context.journal.flush(),
    },
  };
}

const sum = (counts: Record<string, number>) => Object.values(counts).reduce((total, count) => total + count, 0);
