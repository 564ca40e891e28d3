import type { DeadLetter, Group, Outbox, Page, Record_, Records } from "../ports.ts";
import { decode, encode } from "./codec.ts";
import { type ClaimState, countDead } from "./group.ts";
import { each, type GroupStore } from "./group-store.ts";
import { createTicks, keys, newestFirst, newToken } from "./keys.ts";
import { isConflict, retryConflicts } from "./retry.ts";

export interface NewLetter {
  entryId: string;
  itemIndex: number;
  reason: string;
  claims: number;
  position: number;
  payload: Uint8Array;
  detail: Uint8Array;
}

/** Where bytes lie: part, offset, length. */
type Place = [part: number, from: number, length: number];

interface Letter extends Omit<NewLetter, "payload" | "detail"> {
  payload: Place;
  detail: Place;
}

/** The dead letters of one settle or bury. Nobody sees them before the group's state says that they count. */
interface Block {
  group: Group;
  diedAt: number;
  pending: boolean;
  token: string;
  parts: number;
  /** Oldest first; null: deleted. */
  letters: (Letter | null)[];
}

/** A block holds at most so many letters, so that it fits a value of 64 kB. */
const LETTERS = 100;
const PAGE = 50;
/** Blocks and payloads of calls that never came to their end go by themselves; others are removed long before. */
export const ABANDONED_MS = 100 * 86_400_000;

export function createDeadStore(records: Records, groups: GroupStore, maxValueBytes: number) {
  const ticks = createTicks();

  /** Stores letters that do not count yet and answers the keys to name in the group's state. */
  async function write(group: Group, letters: readonly NewLetter[], at: number): Promise<string[]> {
    const found: string[] = [];
    for (let from = 0; from < letters.length; from += LETTERS) {
      found.push(await writeBlock(group, letters.slice(from, from + LETTERS), at));
    }
    return found;
  }

  async function writeBlock(group: Group, letters: readonly NewLetter[], diedAt: number): Promise<string> {
    const token = newToken();
    const { parts, places } = pack(
      letters.flatMap(({ payload, detail }) => [payload, detail]),
      maxValueBytes,
    );
    await each(parts.length, (index) =>
      records.put(keys.deadPart(token, index), Buffer.concat(parts[index] ?? []), { ttlMs: ABANDONED_MS }),
    );
    const block: Block = {
      group,
      diedAt,
      pending: true,
      token,
      parts: parts.length,
      letters: letters.map(({ payload: _p, detail: _d, ...rest }, index) => ({
        ...rest,
        payload: places[2 * index] as Place,
        detail: places[2 * index + 1] as Place,
      })),
    };
    const tick = String(4_095 - ticks(diedAt)).padStart(4, "0");
    const key = `${keys.deadOf(group.destinationId)}${newestFirst(diedAt)}${tick}-${token}`;
    await records.put(key, encode(block), { ttlMs: ABANDONED_MS });
    return key;
  }

  /** The letters count whatever the group's state says from now on. */
  async function confirm(blocks: readonly string[]): Promise<void> {
    await each(blocks.length, async (index) => {
      const record = await records.get(blocks[index] ?? "");
      const block = record && decode<Block>(record.value);
      if (!record || !block?.pending) return;
      const o = { ifVersion: record.version, ttlMs: ABANDONED_MS };
      await records.put(record.key, encode({ ...block, pending: false }), o).catch((error: unknown) => {
        // Whoever was faster has confirmed it or deleted some.
        if (!isConflict(error)) throw error;
      });
    });
  }

  /** Takes back what was written for a state that was never stored. What counts already stays. */
  async function takeBack(blocks: readonly string[], claims: readonly ClaimState[]): Promise<void> {
    if (claims.some(({ dead }) => dead?.some((key) => blocks.includes(key)))) return;
    await each(blocks.length, async (index) => {
      const record = await records.get(blocks[index] ?? "");
      const block = record && decode<Block>(record.value);
      if (record && block?.pending) await removeBlock(record.key, block);
    });
  }

  async function removeBlock(key: string, { token, parts }: Block): Promise<void> {
    await records.delete(key);
    await each(parts, (index) => records.delete(keys.deadPart(token, index)));
  }

  async function counts(block: Block, key: string): Promise<boolean> {
    if (!block.pending) return true;
    return groups.change(block.group, (state) => ({
      answer: state?.claims.some(({ dead }) => dead?.includes(key)) ?? false,
    }));
  }

  async function* blocks(destinationId: string, after?: string): AsyncGenerator<{ key: string; block: Block }> {
    let page: Record_[];
    let last = after;
    do {
      page = await records.list(keys.deadOf(destinationId), {
        limit: PAGE,
        ...(last === undefined ? {} : { after: last }),
      });
      for (const { key, value } of page) {
        const block = decode<Block>(value);
        if (await counts(block, key)) yield { key, block };
      }
      last = page.at(-1)?.key;
    } while (page.length === PAGE);
  }

  async function list(o: Parameters<Outbox["dead"]["list"]>[0]): Promise<Page<DeadLetter>> {
    const at = await records.now();
    const prefix = keys.deadOf(o.destinationId);
    const from = o.after === undefined ? undefined : parseId(prefix, o.after);
    const found: { id: string; block: Block; letter: Letter }[] = [];
    const take = (key: string, block: Block, below: number) => {
      if (o.maxAgeMs !== undefined && at - block.diedAt > o.maxAgeMs) return;
      for (let index = Math.min(below, block.letters.length) - 1; index >= 0; index--) {
        const letter = block.letters[index];
        if (!letter || (o.reason !== undefined && letter.reason !== o.reason)) continue;
        found.push({ id: `${key.slice(prefix.length)}.${index}`, block, letter });
      }
    };
    if (from) {
      const record = await records.get(from.key);
      const block = record && decode<Block>(record.value);
      if (block && (await counts(block, from.key))) take(from.key, block, from.index);
    }
    if (found.length <= o.limit) {
      for await (const { key, block } of blocks(o.destinationId, from?.key)) {
        // Keys go from new to old.
        if (o.maxAgeMs !== undefined && at - block.diedAt > o.maxAgeMs) break;
        take(key, block, Infinity);
        if (found.length > o.limit) break;
      }
    }
    const page = found.slice(0, o.limit);
    const read = partReader();
    const items = await each(page.length, (index) => letterOf(page[index] as (typeof page)[number], at, read));
    const last = items.at(-1);
    return { items, ...(found.length > page.length && last ? { after: last.id } : {}) };
  }

  async function letterOf(
    { id, block, letter }: { id: string; block: Block; letter: Letter },
    at: number,
    read: ReturnType<typeof partReader>,
  ): Promise<DeadLetter> {
    const { payload, detail, ...rest } = letter;
    return {
      ...rest,
      id,
      group: { ...block.group },
      ageMs: at - block.diedAt,
      payload: await read(block.token, payload),
      detail: await read(block.token, detail),
    };
  }

  /** Reads each part once, however many letters lie in it. */
  function partReader() {
    const parts = new Map<string, Promise<Record_ | undefined>>();
    return async (token: string, [part, from, length]: Place): Promise<Uint8Array> => {
      if (length === 0) return new Uint8Array();
      const key = keys.deadPart(token, part);
      const record = parts.get(key) ?? records.get(key);
      parts.set(key, record);
      return (await record)?.value.slice(from, from + length) ?? new Uint8Array();
    };
  }

  /** Deletes letters of one block and takes them off the group's count. Answers how many there were. */
  async function removeLetters(key: string, which: (index: number) => boolean): Promise<number> {
    const gone = await retryConflicts(async () => {
      const record = await records.get(key);
      const block = record && decode<Block>(record.value);
      if (!record || !block || !(await counts(block, key))) return undefined;
      const reasons: string[] = [];
      const letters = block.letters.map((letter, index) => {
        if (!letter || !which(index)) return letter;
        reasons.push(letter.reason);
        return null;
      });
      if (reasons.length === 0) return undefined;
      const o = { ifVersion: record.version, ttlMs: ABANDONED_MS };
      await records.put(key, encode({ ...block, pending: false, letters }), o);
      if (letters.every((letter) => letter === null)) await removeBlock(key, block);
      return { group: block.group, reasons };
    });
    if (!gone) return 0;
    await groups.change(gone.group, (state) => {
      for (const reason of gone.reasons) if (state) countDead(state, reason, -1);
      return { answer: undefined, write: true };
    });
    return gone.reasons.length;
  }

  async function deleteLetters(o: { destinationId: string; ids: string[] }): Promise<number> {
    const prefix = keys.deadOf(o.destinationId);
    const byBlock = Map.groupBy(
      o.ids.flatMap((id) => parseId(prefix, id) ?? []),
      ({ key }) => key,
    );
    let deleted = 0;
    for (const [key, ids] of byBlock) {
      const indexes = new Set(ids.map(({ index }) => index));
      deleted += await removeLetters(key, (index) => indexes.has(index));
    }
    return deleted;
  }

  /** Removes letters that died before then; of at most `limit`. True when none is left. */
  async function expire(olderThanMs: number, limit: number): Promise<boolean> {
    const at = await records.now();
    const destinations = new Set([...(await groups.all()).values()].map(({ state }) => state.group.destinationId));
    let left = limit;
    for (const destinationId of destinations) {
      // Keys go from new to old: everything behind this one died earlier.
      const after = `${keys.deadOf(destinationId)}${newestFirst(at - olderThanMs)}~`;
      for await (const { key, block } of blocks(destinationId, after)) {
        const own = new Set(block.letters.flatMap((letter, index) => (letter ? [index] : [])));
        const some = new Set([...own].slice(0, left));
        left -= await removeLetters(key, (index) => some.has(index));
        if (some.size < own.size) return false;
      }
    }
    return true;
  }

  /** Removes blocks of the destination, whatever they say. Answers how many of `limit` are left. */
  async function purge(destinationId: string, limit: number): Promise<number> {
    const page = limit > 0 ? await records.list(keys.deadOf(destinationId), { limit }) : [];
    for (const { key, value } of page) await removeBlock(key, decode<Block>(value));
    return limit - page.length;
  }

  return { write, confirm, takeBack, list, delete: deleteLetters, expire, purge };
}

export type DeadStore = ReturnType<typeof createDeadStore>;

function parseId(prefix: string, id: string): { key: string; index: number } | undefined {
  const dot = id.lastIndexOf(".");
  const index = Number(id.slice(dot + 1));
  return dot > 0 && Number.isSafeInteger(index) ? { key: prefix + id.slice(0, dot), index } : undefined;
}

/** Lays byte strings one after the other into parts that fit a value each. */
function pack(list: readonly Uint8Array[], maxBytes: number): { parts: Uint8Array[][]; places: Place[] } {
  const parts: Uint8Array[][] = [];
  const places: Place[] = [];
  let size = Infinity;
  for (const bytes of list) {
    if (size + bytes.byteLength > maxBytes) {
      parts.push([]);
      size = 0;
    }
    parts.at(-1)?.push(bytes);
    places.push([parts.length - 1, size, bytes.byteLength]);
    size += bytes.byteLength;
  }
  return { parts, places };
}
