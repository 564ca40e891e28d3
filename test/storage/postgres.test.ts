import { afterAll, describe } from "vitest";
import { serviceUrl } from "../services.ts";
import { describeKit } from "./describe-kit.ts";
import { connect, createSchemas } from "./postgres-schemas.ts";
import { spawnJob } from "./spawn-job.ts";

const url = await serviceUrl("postgres");

describe.skipIf(!url)("postgres", () => {
  const pool = connect(url ?? "", { max: 20 });
  const schemas = createSchemas(pool);
  afterAll(async () => {
    await schemas.end();
    await pool.end();
  });

  describeKit(
    "on the server",
    {
      create: ({ clock }) => schemas.open(clock ? { clock } : {}),
      reopen: async (storage, { clock }) => {
        await storage.close();
        return schemas.reopen(storage, clock ? { clock } : {});
      },
      destroy: schemas.giveBack,
      spawn: (storage, job, { skewMs }) =>
        spawnJob({ adapter: "postgres", schema: schemas.schemaOf(storage) }, job, skewMs),
      async transaction() {
        const client = await pool.connect();
        await client.query("BEGIN");
        const end = (command: string) => async () => {
          await client.query(command);
          client.release();
        };
        return { tx: client, commit: end("COMMIT"), rollback: end("ROLLBACK") };
      },
    },
    { atOnce: 12 },
  );
});
