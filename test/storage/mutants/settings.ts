import type { memory } from "../../../src/memory/index.ts";
import type { NewEntry, Storage } from "../../../src/storage/ports.ts";
import { runJob, type StorageKitOptions } from "../../../src/testing/storage-kit/index.ts";
import { type Mutant, settings } from "./mutant.ts";

interface Held {
  appended: NewEntry[];
}

/** Memory that plays what memory cannot: restarts, other processes and the host's transactions. The kit finds nothing wrong with it. */
export function playingMemory(create: typeof memory): StorageKitOptions {
  return {
    create: async ({ clock }) => withTransactions(create(clock ? { clock } : {})),
    reopen: async (storage) => storage,
    destroy: async () => {},
    spawn: (storage, job) => runJob(storage, job),
    transaction: async (storage) => {
      const held: Held = { appended: [] };
      return {
        tx: held,
        commit: async () => {
          for (const entry of held.appended) await storage.outbox.append([entry]);
        },
        rollback: async () => {},
      };
    },
  };
}

function withTransactions(storage: Storage): Storage {
  const { append } = storage.outbox;
  return {
    ...storage,
    capabilities: { ...storage.capabilities, durability: "process", transactions: true },
    outbox: {
      ...storage.outbox,
      append: async (entries, o) => {
        if (!o?.tx) return append(entries);
        (o.tx as Held).appended.push(...entries);
        return entries.map((_, index) => ({ status: "stored", position: index }));
      },
    },
  };
}

/** Opens an empty storage instead of the same one: nothing survives. */
const forgetful = (o: StorageKitOptions): StorageKitOptions => ({ ...o, reopen: (_storage, given) => o.create(given) });
/** Another process that works on data of its own, by a clock of its own. */
const apart = (o: StorageKitOptions): StorageKitOptions => ({
  ...o,
  spawn: async (_storage, job, { skewMs }) =>
    runJob(await o.create({ clock: { now: () => Date.now() + skewMs } }), job),
});
/** Another process that works on data of its own. */
const alone = (o: StorageKitOptions): StorageKitOptions => ({
  ...o,
  spawn: async (_, job) => runJob(await o.create({}), job),
});
const throughTransaction =
  (change: (held: { tx: unknown; commit(): Promise<void>; rollback(): Promise<void> }) => Partial<typeof held>) =>
  (o: StorageKitOptions): StorageKitOptions => ({
    ...o,
    transaction: async (storage) => {
      const held = (await o.transaction?.(storage)) ?? { tx: {}, commit: async () => {}, rollback: async () => {} };
      return { ...held, ...change(held) };
    },
  });
const withoutTransactions = (o: StorageKitOptions): StorageKitOptions => {
  const { transaction: _, ...rest } = o;
  return {
    ...rest,
    create: async (given) => {
      const storage = await o.create(given);
      return { ...storage, capabilities: { ...storage.capabilities, transactions: false } };
    },
  };
};

export const harness: Mutant[] = settings({
  "rules: nothing is acknowledged before it is stored": forgetful,
  "records: a version is never used again after a restart": forgetful,
  "outbox: dedupe survives a restart": forgetful,
  "outbox: a pause survives a restart": forgetful,
  "members: rows survive a restart": forgetful,
  "journal: lines survive a restart": forgetful,
  "slots: slots survive a restart": forgetful,
  "rules: no caller clock crosses a port: the engine's decides, however far a process's own is off": apart,
  "records: of puts at once with one version in several processes exactly one wins": apart,
  "outbox: where wakes is true, wait hears what another process has appended": alone,
  "outbox: what was settled survives a restart: dead letters, progress, the time of a retry and a hold": forgetful,
  "rules: the storage says which port it keeps and what it can": (o) => ({
    ...o,
    create: async (given) => ({ ...(await o.create(given)), portVersion: 2 as never }),
  }),
  "outbox: processes append and consume one database together: nothing lost, nothing twice": apart,
  "slots: processes whose clocks are two seconds apart keep one limit": alone,
  "outbox: with tx the entry exists when the host commits": throughTransaction(() => ({ commit: async () => {} })),
  "outbox: with tx nothing exists when the host rolls back": throughTransaction((held) => ({ rollback: held.commit })),
  "outbox: with tx no other append waits": throughTransaction((held) => ({ tx: undefined, commit: held.commit })),
  "outbox: tx is refused with capability_missing where the engine has no transactions": withoutTransactions,
});
