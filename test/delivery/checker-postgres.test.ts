import { afterAll, describe } from "vitest";
import { serviceUrl } from "../services.ts";
import { connect, createSchemas } from "../storage/postgres-schemas.ts";
import { describeHistories } from "./checker/describe-histories.ts";

const url = await serviceUrl("postgres");

describe.skipIf(!url)("the checker", () => {
  // What a crash of the server takes back is the business of the tests with processes.
  const pool = connect(url ?? "", { max: 10, options: "-c synchronous_commit=off" });
  const schemas = createSchemas(pool);
  afterAll(async () => {
    await schemas.end();
    await pool.end();
  });

  describeHistories("postgres", {
    histories: 100,
    atOnce: 10,
    async engine(clock) {
      const storage = await schemas.open({ clock });
      return { storage, remove: () => schemas.giveBack(storage) };
    },
  });
});
