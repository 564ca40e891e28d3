import { Redis } from "ioredis";
import { postgres } from "../../src/postgres/index.ts";
import { redis } from "../../src/redis/index.ts";
import { sqlite } from "../../src/sqlite/index.ts";
import type { Storage } from "../../src/storage/ports.ts";
import { serviceUrl } from "../services.ts";
import { connect } from "./postgres-schemas.ts";
import { recordsOverSqlite } from "./records-over-sqlite.ts";
import type { Place } from "./spawn-job.ts";

/** A connection on which nothing comes back for this long is given up. Milliseconds. */
const DEAF_MS = 5_000;

/** Opens what another process has made. `end` gives the driver back, after `storage.close()`. */
export async function openPlace(place: Place): Promise<{ storage: Storage; end(): Promise<void> }> {
  switch (place.adapter) {
    case "sqlite":
      return { storage: sqlite(place.path), end: async () => {} };
    case "records":
      return { storage: recordsOverSqlite(place.path), end: async () => {} };
    case "redis": {
      const client = new Redis(place.url ?? process.env.REDIS_URL ?? "redis://127.0.0.1:6379", {
        socketTimeout: DEAF_MS,
        commandTimeout: DEAF_MS,
      });
      client.on("error", () => {});
      return { storage: redis(client, { prefix: place.prefix }), end: async () => client.disconnect() };
    }
    case "postgres": {
      const pool = connect(place.url ?? (await serviceUrl("postgres")) ?? "", {
        max: 4,
        query_timeout: DEAF_MS,
        connectionTimeoutMillis: DEAF_MS,
      });
      // Not waited for: an idle connection that nobody answers on never says goodbye.
      return { storage: postgres(pool, { schema: place.schema }), end: async () => void pool.end() };
    }
  }
}
