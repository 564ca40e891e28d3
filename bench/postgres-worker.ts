/** A worker in a process of its own: says what it has cost, when it is asked. */
import pg from "pg";
import { postgres } from "../src/postgres/index.ts";
import { deliveryOn } from "./delivery-host.ts";

export interface WorkerStart {
  url: string;
  conversions: string;
  token: string;
  key: string;
}

const { url, ...start } = JSON.parse(process.argv[2] ?? "") as WorkerStart;
const pool = new pg.Pool({ connectionString: url, max: 8 });
const delivery = deliveryOn(postgres(pool), start);
const worker = delivery.startWorker({ concurrency: 4 });

const costMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};

process.on("message", async (message) => {
  if (message === "end") {
    await worker.stop();
    await pool.end();
  }
  process.send?.(costMs());
  if (message === "end") process.disconnect();
});
process.on("disconnect", () => process.exit(0));
process.send?.("ready");
