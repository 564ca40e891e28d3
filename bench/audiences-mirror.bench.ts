import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { type ListRow, syncList } from "../src/audiences/index.ts";
import { createDelivery, segmentGroup, writeSegmentLink } from "../src/delivery/index.ts";
import { Secret } from "../src/errors.ts";
import { postgres } from "../src/postgres/index.ts";
import { sqlite } from "../src/sqlite/index.ts";
import type { Storage } from "../src/storage/ports.ts";
import { serviceUrl } from "../test/services.ts";
import type { Bench, Row } from "./row.ts";

/** A list that is mirrored without a change: read, hashed, compared twice, and each member marked as seen. */
export const rows: Bench = async ({ smoke }) => {
  const count = smoke ? 1_000 : 100_000;
  const directory = mkdtempSync(join(tmpdir(), "mirror-bench-"));
  const all: Row[] = [];
  try {
    all.push(await mirrorTwice("SQLite", sqlite(join(directory, "snapchat.db")), count));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  const url = await serviceUrl("postgres");
  if (url) {
    const pool = new pg.Pool({ connectionString: url, max: 4 });
    const schema = `snapchat_mirror_bench_${process.pid}`;
    try {
      all.push(await mirrorTwice("Postgres", postgres(pool, { schema }), count));
    } finally {
      await pool.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
      await pool.end();
    }
  }
  return all;
};

async function mirrorTwice(engine: string, storage: Storage, count: number): Promise<Row> {
  await storage.migrate();
  const delivery = createDelivery({
    storage,
    credentials: {
      resolve: async (id) => ({
        id,
        kind: "oauth",
        token: new Secret("token"),
        version: 1,
        limits: { events: [], segments: [] },
      }),
      refused: async () => "retry",
    },
    segments: {
      members: {
        add: async (_segment, _kind, hashes) => ({ accepted: hashes.length }),
        remove: async (_segment, _kind, hashes) => ({ accepted: hashes.length }),
      },
      segments: { create: async () => ({ id: "" }), async *list() {}, delete: async () => {} },
    },
  });
  const segment = { tenantId: "acme", destinationId: "d1", link: "vip" };
  const link = { key: "vip", name: "VIP", adAccountId: "a", segmentId: "1", state: "ready" as const, generation: 0 };
  await writeSegmentLink(storage.records, segment, link, 0);
  await storage.outbox.open([segmentGroup(segment, "oauth/acme/c1")]);
  const worker = delivery.startWorker();
  const clock = {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
  };
  const mirror = (runId: string) =>
    syncList(
      { records: storage.records, lists: delivery.lists, clock, membersKept: true },
      {
        segment,
        runId,
        mode: "mirror",
        rows: list(count),
        read: { identifiers: ["email"], personOf: (key) => Buffer.from(key.padStart(16, "0")) },
        maxRemovedShare: 0.5,
      },
    );
  await mirror("first");
  const started = performance.now();
  const { sent } = await mirror("second");
  const seconds = (performance.now() - started) / 1_000;
  await worker.stop();
  await storage.close();
  if (sent !== 0) throw new Error(`${sent} identifiers were sent although nothing has changed.`);
  return { name: `mirror without a change, ${engine}`, value: count / seconds, unit: "members/s", goals: [] };
}

function* list(count: number): Generator<ListRow> {
  for (let n = 0; n < count; n++) yield { email: `person-${n}@example.com`, personKey: String(n) };
}
