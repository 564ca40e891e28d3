import { describeProcesses } from "./processes/describe-processes.ts";
import { sqliteProcesses } from "./processes/engine.ts";

describeProcesses("sqlite", { engine: sqliteProcesses, histories: 1 });
