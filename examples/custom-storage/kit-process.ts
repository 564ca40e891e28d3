import { runJob } from "snapchat-destination/testing";
import { fileStorage } from "./file-storage.ts";

// Another process at the same files, for the kit, with a clock that is wrong.
const { path, job, skewMs } = JSON.parse(process.argv[2] ?? "");
const now = Date.now;
Date.now = () => now() + skewMs;

const storage = fileStorage(path);
console.log(JSON.stringify(await runJob(storage, job)));
await storage.close();
