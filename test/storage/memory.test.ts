import { memory } from "../../src/memory/index.ts";
import { describeKit } from "./describe-kit.ts";

describeKit("memory", {
  create: async ({ clock }) => memory(clock ? { clock } : {}),
  destroy: (storage) => storage.close(),
});
