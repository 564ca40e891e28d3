import { describeHistories } from "./checker/describe-histories.ts";
import { memoryEngine } from "./checker/engine.ts";

describeHistories("memory", { engine: memoryEngine, histories: 2_000 });
