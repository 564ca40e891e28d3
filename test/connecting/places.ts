import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Redis } from "ioredis";
import { postgres } from "../../src/postgres/index.ts";
import { redis } from "../../src/redis/index.ts";
import { sqlite } from "../../src/sqlite/index.ts";
import type { Storage } from "../../src/storage/ports.ts";
import { serviceUrl } from "../services.ts";
import { connect } from "../storage/postgres-schemas.ts";
import { freshPrefix, removeKeys } from "../storage/redis-client.ts";

/** Where an engine keeps what several processes share; goes to them as JSON. `at`: a file, a schema, a prefix of keys. */
export interface Place {
  engine: EngineName;
  url: string;
  at: string;
}

export type EngineName = "sqlite" | "postgres" | "redis";

/** Where an engine answers; `undefined` where it does not. A file needs nobody to answer. */
export const engineUrl = async (engine: EngineName): Promise<string | undefined> =>
  engine === "sqlite" ? "file:" : serviceUrl(engine);

/** A storage at a place, as one of several processes opens it. `end` leaves the place as it is. */
export function openPlace({ engine, url, at }: Place): { storage: Storage; end(): Promise<void> } {
  if (engine === "sqlite") {
    const storage = sqlite(at);
    return { storage, end: () => storage.close() };
  }
  if (engine === "postgres") {
    const pool = connect(url, { max: 4 });
    const storage = postgres(pool, { schema: at });
    return { storage, end: () => storage.close().then(() => pool.end()) };
  }
  const client = new Redis(url);
  const storage = redis(client, { prefix: at });
  return { storage, end: () => storage.close().then(() => client.disconnect()) };
}

export interface OwnPlace {
  place: Place;
  /** What somebody reads who gets hold of the files or tables. */
  dump(): Promise<Uint8Array[]>;
  remove(): Promise<void>;
}

/** An empty, migrated place of its own for one test. */
export async function makePlace(engine: EngineName): Promise<OwnPlace> {
  const own = await MAKERS[engine]((await engineUrl(engine)) ?? "");
  const { storage, end } = openPlace(own.place);
  await storage.migrate();
  await end();
  return own;
}

const MAKERS: Record<EngineName, (url: string) => Promise<OwnPlace>> = {
  async sqlite(url) {
    const directory = mkdtempSync(join(tmpdir(), "connecting-"));
    const place: Place = { engine: "sqlite", url, at: join(directory, "snapchat.db") };
    return {
      place,
      dump: async () => readdirSync(dirname(place.at)).map((file) => readFileSync(join(directory, file))),
      remove: async () => rmSync(directory, { recursive: true, maxRetries: 10 }),
    };
  },
  async postgres(url) {
    const schema = `snapchat_connecting_${process.pid}_${freshPrefix().replace("-", "_")}`;
    return {
      place: { engine: "postgres", url, at: schema },
      async dump() {
        const pool = connect(url);
        const { rows } = await pool.query<{ name: string }>(
          "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname = $1",
          [schema],
        );
        const tables = await Promise.all(
          rows.map(({ name }) => pool.query<Record<string, unknown>>(`SELECT * FROM ${name}`)),
        );
        await pool.end();
        return tables.flatMap((table) => table.rows.flatMap((row) => Object.values(row).map(bytesOf)));
      },
      async remove() {
        const pool = connect(url);
        await pool.query(`DROP SCHEMA ${schema} CASCADE`);
        await pool.end();
      },
    };
  },
  async redis(url) {
    const prefix = freshPrefix();
    return {
      place: { engine: "redis", url, at: prefix },
      async dump() {
        const client = new Redis(url);
        const all: Uint8Array[] = [];
        for await (const keys of client.scanStream({ match: `{${prefix}:*`, count: 1_000 })) {
          for (const key of keys as string[]) all.push(Buffer.from(key), ...(await valuesOf(client, key)));
        }
        client.disconnect();
        return all;
      },
      remove: () => removeKeys(url, prefix),
    };
  },
};

/** Everything under one key. The engine's own DUMP would pack it. */
async function valuesOf(client: Redis, key: string): Promise<Uint8Array[]> {
  switch (await client.type(key)) {
    case "string":
      return [(await client.getBuffer(key)) ?? Buffer.alloc(0)];
    case "hash":
      return Object.entries(await client.hgetallBuffer(key)).flatMap(([field, value]) => [Buffer.from(field), value]);
    case "list":
      return client.lrangeBuffer(key, 0, -1);
    case "set":
      return client.smembersBuffer(key);
    case "zset":
      return client.zrangeBuffer(key, 0, -1);
    default:
      return [];
  }
}

function bytesOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  return Buffer.from(typeof value === "string" ? value : (JSON.stringify(value) ?? ""));
}
