import { checkId, checkValue, MAX_KEY_BYTES } from "../checks.ts";
import { versionConflict } from "../errors.ts";
import type { Record_, Records } from "../ports.ts";
import type { Engine } from "./engine.ts";
import { whole } from "./frame.ts";
import { together } from "./together.ts";

/** Records by tenant: those of one stand in one partition, so that most lists read one only. */
export function redisRecords(engine: Engine, maxValueBytes: number): Records {
  const of = (number: number) => engine.partition("records", number);
  const partition = (key: string) => of(engine.numberOf(tenantPart(key) ?? key));
  const get = together((keys: readonly string[]) => getAll(engine, partition, keys));

  return {
    get,

    async put(key, value, o = {}) {
      checkValue(key, value, maxValueBytes);
      const expected = o.ifVersion === undefined ? "" : String(o.ifVersion);
      const ttl = o.ttlMs === undefined ? "" : whole(o.ttlMs);
      const args = [key, Buffer.from(value), expected, ttl];
      const [written, version] = (await engine.run("putRecord", partition(key), args)) as [number, number | Buffer];
      if (written !== 1) throw versionConflict(key, o.ifVersion ?? 0, Number(version));
      return Number(version);
    },

    async delete(key, o = {}) {
      const expected = o.ifVersion === undefined ? "" : String(o.ifVersion);
      const [done, found] = (await engine.run("removeRecord", partition(key), [key, expected])) as [number, unknown];
      if (done !== 1) throw versionConflict(key, o.ifVersion ?? 0, Number(found));
      return found === 1;
    },

    async list(prefix, o) {
      checkId("record key", prefix, MAX_KEY_BYTES);
      if (o.limit <= 0) return [];
      const [from, to] = range(prefix, o.after);
      const tenant = tenantPart(prefix, true);
      const partitions = tenant === undefined ? engine.numbers : [engine.numberOf(tenant)];
      const pages = await Promise.all(
        partitions.map(async (number) => {
          const page = (await engine.run("listRecords", of(number), [from, to, o.limit])) as Buffer[];
          return rows(page);
        }),
      );
      if (pages.length === 1) return (pages[0] ?? []).map(({ record }) => record);
      const merged = pages.flat().sort((a, b) => Buffer.compare(a.key, b.key));
      return merged.slice(0, o.limit).map(({ record }) => record);
    },

    now: async () => Number(await engine.run("time", of(0), [])),
  };
}

/** Keys of one script. */
const KEYS_A_SCRIPT = 200;

async function getAll(
  engine: Engine,
  partitionOf: (key: string) => string,
  keys: readonly string[],
): Promise<(Record_ | undefined)[]> {
  const parts = new Map<string, number[]>();
  for (const [index, key] of keys.entries()) {
    const partition = partitionOf(key);
    const part = parts.get(partition) ?? [];
    parts.set(partition, part);
    part.push(index);
  }
  const found: (Record_ | undefined)[] = [];
  for (const [partition, indices] of parts) {
    for (let from = 0; from < indices.length; from += KEYS_A_SCRIPT) {
      const page = indices.slice(from, from + KEYS_A_SCRIPT);
      const args = page.map((index) => keys[index] as string);
      const rows = (await engine.run("getRecords", partition, args)) as ([Buffer, Buffer] | null)[];
      for (const [at, index] of page.entries()) {
        const row = rows[at];
        if (row) found[index] = { key: keys[index] as string, version: Number(row[0]), value: row[1] };
      }
    }
  }
  return found;
}

/** What stands between the first and the second "/" of a key; `closed`: only if there is a second. */
function tenantPart(key: string, closed = false): string | undefined {
  const from = key.indexOf("/");
  const to = key.indexOf("/", from + 1);
  if (from < 0 || (to < 0 && closed)) return undefined;
  return key.slice(from + 1, to < 0 ? undefined : to);
}

/** Bounds of ZRANGEBYLEX: keys that begin with the prefix and come after `after`. */
function range(prefix: string, after: string | undefined): [from: Buffer, to: Buffer] {
  const start = Buffer.from(prefix);
  const past = after === undefined ? undefined : Buffer.from(after);
  const from = past && Buffer.compare(past, start) >= 0 ? ["(", past] : ["[", start];
  // No byte of UTF-8 is 255.
  return [
    Buffer.concat(from.map((part) => Buffer.from(part))),
    Buffer.concat([Buffer.from("("), start, Buffer.of(255)]),
  ];
}

function rows(page: readonly Buffer[]): { key: Buffer; record: Record_ }[] {
  const found: { key: Buffer; record: Record_ }[] = [];
  for (let at = 0; at + 2 < page.length; at += 3) {
    const [key, version, value] = page.slice(at, at + 3) as [Buffer, Buffer, Buffer];
    found.push({ key, record: { key: key.toString(), version: Number(version), value } });
  }
  return found;
}
