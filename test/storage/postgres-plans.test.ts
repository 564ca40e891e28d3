import { createHash } from "node:crypto";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { postgres } from "../../src/postgres/index.ts";
import type { MemberOp, Storage } from "../../src/storage/ports.ts";
import { serviceUrl } from "../services.ts";

const url = await serviceUrl("postgres");
const schema = `snapchat_test_${process.pid}_plans`;
const TENANTS = 2_000;
const LATER = 9_000_000_000_000_000;

/** A queue that has been busy for a while: what is hot must not read what has piled up. */
const FILL = `
SET search_path = ${schema};
INSERT INTO tenants (tenant, virtual_time, served_at) SELECT 't' || n, n, n FROM generate_series(1, ${TENANTS}) n;
INSERT INTO groups (destination, name, opened, tid, exclusive, credential)
  SELECT 'd' || t.tid, 'g' || g, true, t.tid, g = 2, 'c' || t.tid FROM tenants t, generate_series(1, 2) g;
INSERT INTO entries (gid, id, seq, position, due_at, created_at, dedupe_ms, until, items, claims, priority, state, payload)
  SELECT 1 + n % (2 * ${TENANTS}), 'e' || n, n, n, 0, 0, 0, CASE WHEN n % 3 = 0 THEN ${LATER} END, 1, 0, n % 4,
    CASE WHEN n % 3 = 0 THEN 3 WHEN n % 20 = 1 THEN 1 ELSE 0 END, '\\x00' FROM generate_series(1, 60000) n;
UPDATE groups SET due_at = CASE WHEN gid % 50 = 0 THEN 0 ELSE ${LATER} END, entries = 15, items = 15, bytes = 15;
UPDATE tenants t SET due_at = (SELECT min(due_at) FROM groups g WHERE g.tid = t.tid);
INSERT INTO claims (cid, gid, state, lease_until, oldest_at) SELECT n, n, CASE WHEN n % 2 = 0 THEN 0 ELSE 2 END, ${LATER}, 0 FROM generate_series(100001, 103000) n;
INSERT INTO records (key, value, version, expires_at) SELECT 'r/' || n, '\\x00', n, CASE WHEN n % 9 = 0 THEN ${LATER} - 1 ELSE ${LATER} END FROM generate_series(1, 20000) n;
INSERT INTO dead (seq, destination, gid, entry_id, item_index, reason, died_at, claims, position, payload, detail)
  SELECT n, 'd' || n % 100, 1 + n % 100, 'e' || n, 0, 'r' || n % 3, n, 1, n, '', '' FROM generate_series(1, 20000) n;
INSERT INTO journal (seq, destination, at, data) SELECT n, 'd' || n % 50, n, '' FROM generate_series(1, 20000) n;
INSERT INTO journal_ids (destination, id, seq) SELECT 'd' || n % 50, 'i' || n, n FROM generate_series(1, 20000) n;
INSERT INTO segments (tenant, destination, link) SELECT 't' || n, 'd' || n, 's' FROM generate_series(1, 50) n;
INSERT INTO members (sid, kind, hash, person, present, position, sent_at, removed_all_at, removed_at)
  SELECT 1 + n % 50, 0, sha256(n::text::bytea), '', n % 10 > 0, n, n, -1, 0 FROM generate_series(1, 30000) n;
INSERT INTO members (sid, kind, hash, person, present, position, sent_at, removed_all_at, removed_at)
  SELECT s.sid, 1, sha256(n::text::bytea), substring(sha256((n % 9000)::text::bytea) FROM 1 FOR 16), true, n, n, -1, 0
    FROM generate_series(1, 20000) n, segments s WHERE s.tenant = 't2';
INSERT INTO slots (key, times) SELECT 'k' || n, ARRAY[n] FROM generate_series(1, 2000) n;
SELECT setval('seq', 200000), setval('turns', 200000), setval('versions', 200000);
`;

/** Tables that stay short. */
const SMALL = new Set(["signals", "pauses", "segments"]);
/** Rows that one step of a statement may read here. */
const MANY = 700;

interface Plan {
  "Node Type": string;
  "Relation Name"?: string;
  "Actual Rows"?: number;
  "Actual Loops"?: number;
  "Rows Removed by Filter"?: number;
  Plans?: Plan[];
}

describe.skipIf(!url)("the plans of what is called all the time", () => {
  const client = new pg.Client({ connectionString: url });
  const plans: { query: string; plan: Plan }[] = [];
  let storage: Storage;

  beforeAll(async () => {
    await client.connect();
    await postgres(client, { schema }).migrate();
    await client.query(FILL);
    await client.query("RESET search_path; ANALYZE");
    // The plans that really ran, those inside functions too, come as notices.
    await client.query(`LOAD 'auto_explain'; SET auto_explain.log_min_duration = 0; SET auto_explain.log_nested_statements = on;
      SET auto_explain.log_format = 'json'; SET auto_explain.log_level = 'notice'; SET auto_explain.log_analyze = on;
      SET auto_explain.log_timing = off`);
    client.on("notice", ({ message = "" }) => {
      const json = /plan:\s*(\{.*\})\s*$/s.exec(message)?.[1];
      if (!json) return;
      const found = JSON.parse(json) as { "Query Text": string; Plan: Plan };
      plans.push({ query: found["Query Text"], plan: found.Plan });
    });
    storage = postgres(client, { schema });
  });
  afterAll(async () => {
    await client.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
    await client.end();
  });

  /** What ran since the last look and read a large table from end to end, or many rows to use few. */
  const wasteful = () => {
    const found = new Set<string>();
    let seen = 0;
    const walk = (plan: Plan, query: string) => {
      const table = plan["Relation Name"] ?? "";
      if (table !== "") seen++;
      const read = ((plan["Actual Rows"] ?? 0) + (plan["Rows Removed by Filter"] ?? 0)) * (plan["Actual Loops"] ?? 1);
      if (!SMALL.has(table) && (plan["Node Type"] === "Seq Scan" || (table !== "" && read > MANY))) {
        found.add(`${table}: ${plan["Node Type"]} of ${read} rows: ${query.replaceAll(/\s+/g, " ").slice(0, 160)}`);
      }
      for (const child of plan.Plans ?? []) walk(child, query);
    };
    for (const { query, plan } of plans.splice(0)) walk(plan, query);
    expect(seen).toBeGreaterThan(0);
    return [...found];
  };
  const hash = (n: number) => new Uint8Array(32).fill(n);
  const segment = { tenantId: "t1", destinationId: "d1", link: "s" };

  // A function's plan is made anew for five calls and then perhaps once for all: both kinds run.
  const calls: Record<string, (n: number) => Promise<unknown>> = {
    "records.get": (n) => storage.records.get(`r/${n}`),
    "records.put": (n) => storage.records.put(`r/${n}`, new Uint8Array([1]), { ttlMs: 1_000 }),
    "records.delete": (n) => storage.records.delete(`r/${n}`),
    "records.list": (n) => storage.records.list("r/1", { after: `r/1${n}`, limit: 10 }),
    "outbox.append": (n) =>
      storage.outbox.append(
        Array.from({ length: 50 }, (_, k) => ({
          id: `new ${n} ${k % 49}`,
          group: { destinationId: `d${1 + k}`, name: "g1" },
          priority: 0,
          items: 1,
          payload: new Uint8Array(10),
        })),
      ),
    "outbox.claim, extend and settle": async (n) => {
      const claim = await storage.outbox.claim({
        owner: "w",
        leaseMs: 60_000,
        maxItems: 10,
        maxBytes: 1e6,
        skipCredentials: [`c${n}`],
      });
      if (!claim) throw new Error("nothing is due");
      await storage.outbox.extend(claim, 60_000);
      const [first, ...others] = claim.entries.map(({ id }) => id);
      const dead = [{ itemIndex: 0, reason: "r", payload: new Uint8Array(1), detail: new Uint8Array() }];
      const rest = { retryInMs: 60_000, progress: new Uint8Array(1) };
      await storage.outbox.settle(claim, [{ id: first ?? "", dead }, ...others.map((id) => ({ id, rest }))], {
        holdGroupMs: 1,
      });
    },
    "outbox.claim and settle of 300 entries": async (n) => {
      const group = { destinationId: "d7", name: "g1" };
      const entry = { group, priority: 0, items: 1, payload: new Uint8Array(10) } as const;
      await storage.outbox.append(Array.from({ length: 300 }, (_, k) => ({ ...entry, id: `many ${n} ${k}` })));
      const skipCredentials = Array.from({ length: TENANTS }, (_, k) => `c${k + 1}`).filter((id) => id !== "c7");
      const o = { owner: "w", leaseMs: 60_000, maxItems: 300, maxBytes: 1e6, skipCredentials };
      const claim = await storage.outbox.claim(o);
      const dead = [{ itemIndex: 0, reason: "r", payload: new Uint8Array(1), detail: new Uint8Array() }];
      const rest = { retryInMs: 60_000, progress: new Uint8Array(1) };
      const outcomes = claim?.entries.map(({ id }, k) => ({ id, ...[{}, { dead }, { rest }][k % 3] })) ?? [];
      expect(outcomes.length).toBeGreaterThan(200);
      if (claim) await storage.outbox.settle(claim, outcomes);
    },
    "outbox.claim and release": async () => {
      const claim = await storage.outbox.claim({ owner: "w", leaseMs: 60_000, maxItems: 10, maxBytes: 1e6 });
      if (!claim) throw new Error("nothing is due");
      await storage.outbox.release(claim);
    },
    "outbox.claim that finds nothing, and wait": async () => {
      const skipCredentials = Array.from({ length: TENANTS }, (_, n) => `c${n + 1}`);
      const claim = await storage.outbox.claim({
        owner: "w",
        leaseMs: 1,
        maxItems: 10,
        maxBytes: 1e6,
        skipCredentials,
      });
      expect(claim).toBeUndefined();
      await storage.outbox.wait({ maxMs: 1, signal: new AbortController().signal });
    },
    "outbox.depth of some": (n) => storage.outbox.depth([`d${20 + n}`, `d${21 + n}`]),
    "dead.list": (n) =>
      storage.outbox.dead.list({ destinationId: `d${n}`, limit: 10, ...(n % 2 ? { reason: "r1" } : {}) }),
    "outbox.bury": (n) => storage.outbox.bury({ destinationId: `d${n}` }, "dropped", { limit: 5 }),
    "outbox.expire": () => storage.outbox.expire({ deadOlderThanMs: 1_000, limit: 10 }),
    "slots.reserve": (n) =>
      storage.slots?.reserve(
        [
          { key: `k${n}`, perWindow: 5, windowMs: 1_000 },
          { key: "k99", perWindow: 50, windowMs: 1_000 },
        ],
        1,
      ) ?? Promise.reject(),
    "members.diff and commit": async (n) => {
      const ops = [1, 2, 3].map((k): MemberOp => ({ op: "add", kind: 0, hash: hash(10 * n + k), position: n }));
      await storage.members?.diff(segment, ops);
      await storage.members?.commit(segment, ops, { fence: n, sent: new Uint8Array([7]) });
    },
    "members.scan": (n) => storage.members?.scan(segment, { limit: 10, positionBefore: 100 * n }) ?? Promise.reject(),
    "members.scan and count of one person": async (n) => {
      const of = { tenantId: "t2", destinationId: "d2", link: "s" };
      const person = createHash("sha256").update(String(n)).digest().subarray(0, 16);
      expect((await storage.members?.scan(of, { person, limit: 1_000 }))?.items).toHaveLength(n <= 2_000 ? 3 : 2);
      expect(await storage.members?.count(of, { person, positionBefore: 9_001 })).toBe(1);
      // The primary key would do it, too: by reading the whole segment, which no count of rows shows.
      expect(JSON.stringify(plans)).toContain("members_person");
    },
    "members.find": (n) => storage.members?.find("t1", [hash(n), hash(n + 1)]) ?? Promise.reject(),
    "members.expire": () => storage.members?.expire(1_000, { limit: 10 }) ?? Promise.reject(),
    "journal.write": (n) =>
      storage.journal?.write([{ destinationId: "d1", ids: [`x${n}`], data: new Uint8Array(3) }]) ?? Promise.reject(),
    "journal.find": (n) =>
      storage.journal?.find({
        destinationId: "d1",
        fromAgeMs: 0,
        toAgeMs: 1e15,
        limit: 10,
        ...(n % 2 ? { id: `i${n}` } : {}),
      }) ?? Promise.reject(),
    "journal.expire": () => storage.journal?.expire(1_000, { limit: 10 }) ?? Promise.reject(),
  };
  for (const [name, call] of Object.entries(calls)) {
    it(`${name} reads no large table from end to end`, async () => {
      for (let n = 1; n <= 14; n++) await call(n);
      expect(wasteful()).toEqual([]);
    });
  }

  it("would be noticed if an index were gone", async () => {
    await client.query(`DROP INDEX ${schema}.dead_age, ${schema}.entries_waiting`);
    await storage.outbox.expire({ deadOlderThanMs: 1_000, limit: 10 });
    expect(wasteful().join()).toContain("dead:");
  });
});
