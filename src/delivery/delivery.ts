import { type Clock, systemClock } from "../clock.ts";
import type { Group, Storage, Target } from "../storage/ports.ts";
import { type AppendOptions, createAppender, type Queued } from "./append.ts";
import type { Random } from "./backoff.ts";
import { createCircuits } from "./circuit.ts";
import { type Context, guarded } from "./context.ts";
import { type Counters, newCounters } from "./counters.ts";
import type { Emit, OnSettled } from "./emitted.ts";
import type { Consent, Credentials, EventSender, Sealer, SegmentSender } from "./interfaces.ts";
import type { DeliveryItem } from "./item.ts";
import { createJournalWriter } from "./journal.ts";
import { createLimits } from "./limits.ts";
import { type PreparedEntry, type PrepareOptions, prepareItems } from "./prepare.ts";
import { DEFAULT_SETTINGS, type DeliverySettings } from "./settings.ts";
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

export interface Delivery {
  /** Groups items into entries of the outbox, for a host that appends them itself. The same items give the same ids. */
  prepareEntries(items: readonly DeliveryItem[]): Promise<PreparedEntry[]>;
  append(items: readonly DeliveryItem[], options?: { tx?: unknown }): Promise<Queued[]>;
  open(groups: Group[]): Promise<void>;
  startWorker(options?: WorkerOptions): Worker;
  drain(options: { maxMs: number } & Pick<WorkerOptions, "concurrency" | "signal">): Promise<void>;
  pause(target: Target, reason: string): Promise<void>;
  resume(target: Target, reason: string): Promise<void>;
  readonly counters: Readonly<Counters>;
}

/** The delivery core: what is appended reaches Snapchat once, or says why not. */
export function createDelivery(options: DeliveryOptions): Delivery {
  const { storage, clock = systemClock, random = Math.random } = options;
  const settings: DeliverySettings = { ...DEFAULT_SETTINGS, ...options.settings };
  const context: Context = {
    storage,
    clock,
    random,
    settings,
    credentials: options.credentials,
    consent: options.consent,
    events: options.events,
    segments: options.segments,
    sealer: options.sealer,
    limits: createLimits({ slots: storage.slots!, clock, random, share: settings.limitShare }),
    circuits: createCircuits({ clock, random }),
    counters: newCounters(),
    journal: createJournalWriter(storage.journal),
    emit: guarded(options.emit),
    onSettled: options.onSettled && guarded(options.onSettled),
    restored: () => undefined,
  };
  let { lingerMs } = settings;
  const prepare = (): PrepareOptions => ({
    sealer: options.sealer,
    maxEntryBytes: storage.capabilities.maxEntryBytes,
    lingerMs,
    memberLingerMs: settings.memberLingerMs,
    dedupeMs: settings.dedupeMs,
  });
  const appender = createAppender({ storage, clock, random, settings, prepare, openGroup: options.openGroup });
  let workers = 0;
  const owner = `${Math.floor(random() * 2 ** 48).toString(36)}`;

  return {
    prepareEntries: async (items) => (await prepareItems(items, prepare())).entries,
    append: appender.append,
    open: (groups) => storage.outbox.open(groups),
    startWorker(workerOptions = {}) {
      lingerMs = workerOptions.lingerMs ?? lingerMs;
      return startLoop(context, { ...workerOptions, owner: `${owner}-${workers++}`, pausedMs: async () => 0 });
    },
    async drain({ maxMs, ...workerOptions }) {
      const until = { atMs: clock.monotonic() + maxMs, quietMs: lingerMs + 50 };
      const loop = startLoop(context, {
        ...workerOptions,
        until,
        owner: `${owner}-${workers++}`,
        pausedMs: async () => 0,
      });
      await loop.ended;
    },
    pause: (target, reason) => storage.outbox.pause(target, reason),
    resume: (target, reason) => storage.outbox.resume(target, reason),
    counters: context.counters,
  };
}
