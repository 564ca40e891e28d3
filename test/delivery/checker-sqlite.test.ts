import { sqlite } from "../../src/sqlite/index.ts";
import { describeHistories } from "./checker/describe-histories.ts";

describeHistories("sqlite", {
  histories: 300,
  async engine(clock) {
    const storage = sqlite(":memory:", { clock });
    await storage.migrate();
    return { storage, remove: () => storage.close() };
  },
});
