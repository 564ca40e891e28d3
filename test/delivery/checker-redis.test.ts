import { Redis } from "ioredis";
import { afterAll, describe } from "vitest";
import { redis } from "../../src/redis/index.ts";
import { serviceUrl } from "../services.ts";
import { freshPrefix, removeKeys } from "../storage/redis-client.ts";
import { describeHistories } from "./checker/describe-histories.ts";

const url = await serviceUrl("redis");

describe.skipIf(!url)("the checker", () => {
  if (!url) return;
  const client = new Redis(url);
  afterAll(() => client.disconnect());

  describeHistories("redis", {
    histories: 100,
    atOnce: 10,
    async engine(clock) {
      const prefix = freshPrefix();
      const storage = redis(client, { prefix, clock });
      await storage.migrate();
      const remove = async () => {
        await storage.close();
        await removeKeys(url, prefix);
      };
      return { storage, remove };
    },
  });
});
