import { checkEntries } from "../checks.ts";
import { missingTransactions, unknownGroup } from "../errors.ts";
import type { Appended, NewEntry, Outbox, Records } from "../ports.ts";
import { decode, encode } from "./codec.ts";
import { ABANDONED_MS } from "./dead-store.ts";
import type { EntryState, GroupState } from "./group.ts";
import { each, type GroupStore } from "./group-store.ts";
import { createTicks, groupId, keys, newToken } from "./keys.ts";

interface Offered {
  entry: NewEntry;
  payload: Uint8Array;
  /** Of the payload's record, once that is stored. */
  key: string | undefined;
}

/** Payloads first, then one compare-and-set of the group's state: with it the entries exist, or none of them. */
export function createAppend(
  records: Records,
  groups: GroupStore,
  o: { name: string; maxEntryBytes: number },
): Outbox["append"] {
  const ticks = createTicks();

  return async (entries, { tx } = {}) => {
    if (tx !== undefined) throw missingTransactions(o.name);
    checkEntries(entries, o.maxEntryBytes);
    const offered = entries.map((entry): Offered => ({ entry, payload: entry.payload.slice(), key: undefined }));
    const byGroup = Map.groupBy(offered, ({ entry: { group } }) => groupId(group.destinationId, group.name));
    const parts = [...byGroup];
    // One group says so itself; of several none is stored where one is unknown.
    await each(parts.length > 1 ? parts.length : 0, async (index) => {
      const [, [first]] = parts[index] as [string, [Offered]];
      const { destinationId, name } = first.entry.group;
      if (!(await records.get(keys.group(destinationId, name)))) throw unknownGroup(destinationId, name);
    });
    const answers = new Map<Offered, Appended>();
    await each(parts.length, async (index) => {
      const [gid, own] = parts[index] as (typeof parts)[number];
      for (const [one, answer] of await appendToGroup(gid, own)) answers.set(one, answer);
    });
    return offered.map((one) => answers.get(one) as Appended);
  };

  async function appendToGroup(gid: string, own: readonly Offered[]): Promise<Map<Offered, Appended>> {
    const { group } = (own[0] as Offered).entry;
    const answers = await groups.change(group, async (state, at) => {
      if (!state) throw unknownGroup(group.destinationId, group.name);
      // In this order: an id that leaves is written down before its entry goes.
      const stored = new Map(state.entries.map((entry) => [entry.id, entry]));
      const known = new Map(state.entries.map(({ id, position }) => [id, position]));
      const left = await each(own.length, async (index) => {
        const { id } = (own[index] as Offered).entry;
        return known.has(id) ? undefined : records.get(keys.left(gid, id));
      });
      for (const [index, { entry }] of own.entries()) {
        const gone = left[index];
        if (gone) known.set(entry.id, decode<number>(gone.value));
      }
      const news = own.filter(({ entry: { id } }, index) => {
        return !known.has(id) && own.findIndex(({ entry }) => entry.id === id) === index;
      });
      await each(news.length, (index) => storePayload(gid, news[index] as Offered));
      const found = new Map<Offered, Appended>();
      for (const one of own) {
        const position = known.get(one.entry.id);
        const added = position === undefined ? add(state, one, at) : undefined;
        // A try before this one was carried out, though it was answered otherwise.
        const own = one.key !== undefined && stored.get(one.entry.id)?.key === one.key;
        const status = added || own ? "stored" : "duplicate";
        found.set(one, { status, position: added?.position ?? position ?? 0 });
        if (added) known.set(added.id, added.position);
      }
      return { answer: found, write: news.length > 0 };
    });
    // Another call stored the same id while this one tried.
    const spare = own.filter((one) => one.key !== undefined && answers.get(one)?.status === "duplicate");
    await each(spare.length, (index) => records.delete(spare[index]?.key ?? "").catch(() => false));
    return answers;
  }

  async function storePayload(gid: string, one: Offered): Promise<void> {
    if (one.key !== undefined) return;
    const key = keys.payload(gid, newToken());
    await records.put(key, one.payload, { ttlMs: ABANDONED_MS });
    one.key = key;
  }

  function add(state: GroupState, { entry, payload, key }: Offered, at: number): EntryState {
    const next = state.position + 1;
    if (entry.position === undefined) state.position = next;
    const added: EntryState = {
      id: entry.id,
      key: key ?? "",
      order: at + ticks(at) / 4_096,
      position: entry.position ?? next,
      priority: entry.priority,
      items: entry.items,
      bytes: payload.byteLength,
      createdAt: at,
      dueAt: at + (entry.delayMs ?? 0),
      dedupeMs: entry.dedupeMs ?? 0,
      claims: 0,
      place: "ready",
    };
    state.entries.push(added);
    return added;
  }
}

/** Ids of entries that go still answer "duplicate" for the time they asked for. Before the state says that they went. */
export async function noteLeft(records: Records, gid: string, gone: readonly EntryState[]): Promise<void> {
  const kept = gone.filter(({ dedupeMs }) => dedupeMs > 0);
  await each(kept.length, async (index) => {
    const { id, position, dedupeMs } = kept[index] as EntryState;
    await records.put(keys.left(gid, id), encode(position), { ttlMs: dedupeMs });
  });
}
