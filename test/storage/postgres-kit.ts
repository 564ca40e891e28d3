import type pg from "pg";
import type { StorageKitOptions } from "../../src/testing/storage-kit/index.ts";
import type { Schemas } from "./postgres-schemas.ts";

/** What the conformance kit needs of Postgres; without other processes. */
export function kitOptions(pool: pg.Pool, schemas: Schemas): StorageKitOptions {
  return {
    create: ({ clock }) => schemas.open(clock ? { clock } : {}),
    reopen: async (storage, { clock }) => {
      await storage.close();
      return schemas.reopen(storage, clock ? { clock } : {});
    },
    destroy: schemas.giveBack,
    async transaction() {
      const client = await pool.connect();
      await client.query("BEGIN");
      const end = (command: string) => async () => {
        await client.query(command);
        client.release();
      };
      return { tx: client, commit: end("COMMIT"), rollback: end("ROLLBACK") };
    },
  };
}
