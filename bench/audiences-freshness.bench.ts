import { createDelivery, segmentGroup, writeSegmentLink } from "../src/delivery/index.ts";
import { Secret } from "../src/errors.ts";
import { memory } from "../src/storage/memory/index.ts";
import { createFakeClock } from "../src/testing/index.ts";
import { atMost, type Bench, type Row } from "./row.ts";

const MINUTE = 60_000;
const SEGMENTS_EACH = 20;

/**
 * From an event to Snapchat, over many tenants under one app's 20 requests a second, in virtual time. Background work takes
 * nine tenths of them, 1,080 a minute: when more than 1.8 % of 60,000 segments change a minute, every minute, they wait
 * longer and longer.
 */
export const rows: Bench = async ({ smoke }) => {
  const tenants = smoke ? 20 : 3_000;
  const all: Row[] = [];
  for (const share of smoke ? [0.01] : [0.01, 0.017]) {
    const ages = await freshness({ tenants, share, minutes: smoke ? 3 : 4 });
    const name = `event to Snapchat, ${tenants} × ${SEGMENTS_EACH} segments, ${share * 100} % of them change a minute`;
    const at = (part: number) => (ages[Math.min(ages.length - 1, Math.floor(ages.length * part))] ?? 0) / MINUTE;
    const goals = share <= 0.01 ? [atMost(15)] : [];
    all.push({ name: `${name}, p50`, value: at(0.5), unit: "min", goals: [] });
    all.push({ name: `${name}, p99`, value: at(0.99), unit: "min", goals });
  }
  return all;
};

async function freshness(o: { tenants: number; share: number; minutes: number }): Promise<number[]> {
  const clock = createFakeClock();
  const storage = memory({ clock });
  storage.outbox.wait = ({ maxMs, signal }) => clock.sleep(Math.min(maxMs, 250), signal);
  const appendedAt = new Map<string, number>();
  const ages: number[] = [];
  const change = async (_segment: string, _kind: string, hashes: readonly string[]) => {
    for (const hash of hashes) ages.push(clock.monotonic() - (appendedAt.get(hash) ?? 0));
    await clock.sleep(300);
    return { accepted: hashes.length };
  };
  const delivery = createDelivery({
    storage,
    clock,
    credentials: {
      resolve: async (id) => ({
        id,
        kind: "oauth",
        token: new Secret("token"),
        version: 1,
        limits: {
          events: [],
          segments: [
            { key: id, perWindow: 10, windowMs: 1_000 },
            { key: "app", perWindow: 20, windowMs: 1_000 },
          ],
        },
      }),
      refused: async () => "retry",
    },
    segments: {
      members: { add: change, remove: change },
      segments: { create: async () => ({ id: "" }), async *list() {} },
    },
  });
  for (let t = 0; t < o.tenants; t++) {
    const groups = [];
    for (let s = 0; s < SEGMENTS_EACH; s++) {
      const ref = { tenantId: `t${t}`, destinationId: `d${t}`, link: `s${s}` };
      const link = {
        key: `s${s}`,
        name: "S",
        adAccountId: "a",
        segmentId: "1",
        state: "ready" as const,
        generation: 0,
      };
      await writeSegmentLink(storage.records, ref, link, 0);
      groups.push(segmentGroup(ref, `oauth/t${t}/c`));
    }
    await delivery.open(groups);
  }
  const worker = delivery.startWorker({ concurrency: 16 });
  const everyMs = MINUTE / (o.tenants * SEGMENTS_EACH * o.share);
  let next = 0;
  for (let atMs = 0; atMs < o.minutes * MINUTE; atMs += everyMs) {
    await clock.advance(everyMs);
    const hash = (next + 1).toString(16).padStart(64, "0");
    // Every segment in its turn, tenant by tenant, so that no two changes share a request by chance.
    const t = next % o.tenants;
    const link = `s${Math.floor(next / o.tenants) % SEGMENTS_EACH}`;
    next++;
    appendedAt.set(hash, clock.monotonic());
    await delivery.append([
      {
        type: "member",
        tenantId: `t${t}`,
        destinationId: `d${t}`,
        link,
        op: "add",
        identifiers: [{ kind: 0, hash }],
        subjects: [],
        acceptedAtMs: clock.now(),
      },
    ]);
  }
  while (ages.length < appendedAt.size) await clock.advance(MINUTE);
  await clock.run(worker.stop());
  return ages.sort((a, b) => a - b);
}
