import { storageFromRecords } from "../../src/storage/index.ts";
import { mapRecords } from "../storage/map-records.ts";
import { describeHistories } from "./checker/describe-histories.ts";

describeHistories("storageFromRecords", {
  histories: 30,
  async engine(clock) {
    const storage = storageFromRecords(
      mapRecords(() => clock.now()),
      { name: "map", durability: "process", shared: "process", maxValueBytes: 400_000 },
    );
    return { storage, remove: () => storage.close() };
  },
});
