import { afterAll, describe } from "vitest";
import { serviceUrl } from "../services.ts";
import { describeKit } from "./describe-kit.ts";
import { kitOptions } from "./postgres-kit.ts";
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
      ...kitOptions(pool, schemas),
      spawn: (storage, job, { skewMs }) =>
        spawnJob({ adapter: "postgres", schema: schemas.schemaOf(storage) }, job, skewMs),
    },
    { atOnce: 12 },
  );
});
