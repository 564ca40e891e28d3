import { runJob } from "../../../src/testing/index.ts";
import { myStorage } from "./my-storage.ts";

const { path, job, skewMs } = JSON.parse(process.argv[2] ?? "");
const now = Date.now;
Date.now = () => now() + skewMs;

const storage = myStorage(path);
console.log(JSON.stringify(await runJob(storage, job)));
await storage.close();
