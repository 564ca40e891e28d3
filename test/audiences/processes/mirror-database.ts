import pg from "pg";
import { postgres } from "../../../src/postgres/index.ts";
import { sqlite } from "../../../src/sqlite/index.ts";
import type { MirrorOrder } from "./mirror-order.ts";

/** The storage that an order names, and what ends its connections. */
export async function openDatabase({ database, schema }: Pick<MirrorOrder, "database" | "schema">) {
  if (!database.startsWith("postgres")) return { storage: sqlite(database), close: async () => {} };
  const pool = new pg.Pool({ connectionString: database, max: 4 });
  return { storage: postgres(pool, { schema: schema ?? "snapchat" }), close: () => pool.end() };
}
