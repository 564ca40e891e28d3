import { checkId } from "../checks.ts";
import { storageError } from "../errors.ts";
import type { Journal, Page, Record_, Records } from "../ports.ts";
import { decode, encode } from "./codec.ts";
import { createTicks, keys, newestFirst, newToken } from "./keys.ts";

/** Lines of one write, oldest first. */
interface Block {
  at: number;
  lines: { ids: string[] /** Base64. */; data: string }[];
}

const PAGE = 100;

/** A record for each write and destination, its key newest first. By id: the records of the time asked for are looked through. */
export function recordsJournal(records: Records, maxValueBytes: number): Journal {
  const ticks = createTicks();

  async function store(destinationId: string, lines: Block["lines"], at: number): Promise<void> {
    const value = encode({ at, lines } satisfies Block);
    if (value.byteLength > maxValueBytes) {
      if (lines.length === 1) throw tooLarge(value.byteLength, maxValueBytes);
      const half = lines.length >> 1;
      await store(destinationId, lines.slice(0, half), at);
      await store(destinationId, lines.slice(half), at);
      return;
    }
    const tick = String(4_095 - ticks(at)).padStart(4, "0");
    await records.put(`${keys.journalOf(destinationId)}${newestFirst(at)}${tick}-${newToken()}`, value);
  }

  return {
    async write(lines) {
      for (const line of lines) for (const id of line.ids) checkId("journal id", id);
      const at = await records.now();
      for (const [destinationId, own] of Map.groupBy(lines, (line) => line.destinationId)) {
        const list = own.map(({ ids, data }) => ({ ids: [...ids], data: Buffer.from(data).toString("base64") }));
        await store(destinationId, list, at);
      }
    },

    async find(o): Promise<Page<Uint8Array>> {
      const at = await records.now();
      const prefix = keys.journalOf(o.destinationId);
      const cursor = o.after === undefined ? undefined : parse(o.after);
      const items: { place: string; data: string }[] = [];
      const take = (key: string, block: Block, below: number): boolean => {
        const age = at - block.at;
        if (age > o.toAgeMs) return false;
        if (age < o.fromAgeMs) return true;
        for (let index = Math.min(below, block.lines.length) - 1; index >= 0; index--) {
          const line = block.lines[index];
          if (!line || (o.id !== undefined && !line.ids.includes(o.id))) continue;
          items.push({ place: `${key.slice(prefix.length)}.${index}`, data: line.data });
        }
        return items.length <= o.limit;
      };
      // The page ended within this one.
      const begun = cursor && (await records.get(prefix + cursor.key));
      let more = !begun || take(begun.key, decode(begun.value), cursor.index);
      // Keys go from new to old: those before this one are younger than asked for.
      const younger = `${prefix}${newestFirst(at - o.fromAgeMs + 1)}~`;
      let after = cursor ? prefix + cursor.key : o.fromAgeMs > 0 ? younger : undefined;
      for (let page: Record_[] = []; more; after = page.at(-1)?.key) {
        page = await records.list(prefix, { limit: PAGE, ...(after === undefined ? {} : { after }) });
        more = page.length === PAGE;
        for (const { key, value } of page) {
          if (take(key, decode(value), Infinity)) continue;
          more = false;
          break;
        }
      }
      const page = items.slice(0, o.limit);
      const last = page.at(-1);
      return {
        items: page.map(({ data }) => new Uint8Array(Buffer.from(data, "base64"))),
        ...(items.length > page.length && last ? { after: last.place } : {}),
      };
    },

    async expire(olderThanMs, o) {
      const at = await records.now();
      let left = o.limit;
      let after: string = keys.journals;
      for (;;) {
        // One of the next destination, whichever that is.
        const [first] = await records.list(keys.journals, { after, limit: 1 });
        if (!first) return true;
        const prefix = first.key.slice(0, first.key.lastIndexOf("/") + 1);
        const old = await records.list(prefix, {
          after: `${prefix}${newestFirst(at - olderThanMs)}~`,
          limit: left + 1,
        });
        for (const { key, value } of old) {
          if (left === 0) return false;
          const { lines, ...block } = decode<Block>(value);
          const rest = lines.slice(left);
          if (rest.length === 0) await records.delete(key);
          else await records.put(key, encode({ ...block, lines: rest } satisfies Block));
          left -= lines.length - rest.length;
          if (rest.length > 0) return false;
        }
        after = `${prefix}~`;
      }
    },
  };
}

function parse(after: string): { key: string; index: number } {
  const dot = after.lastIndexOf(".");
  return { key: after.slice(0, dot), index: Number(after.slice(dot + 1)) };
}

const tooLarge = (bytes: number, maxValueBytes: number) =>
  storageError(
    "too_large",
    `A journal line takes ${bytes} bytes; the engine takes ${maxValueBytes}.`,
    "Store less in one record: capabilities.maxValueBytes says how much.",
    { details: { bytes, maxValueBytes } },
  );
