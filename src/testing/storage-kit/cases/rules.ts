import assert from "node:assert/strict";
import { assertBytes, assertFails, bytes, HOSTILE, HOUR, ids, spawnOf, utf8 } from "../context.ts";
import { cases } from "./case.ts";

export const rules = [
  ...cases(
    "rules",
    {
      "with a clock given every statement uses its time": async ({ storage, pass }) => {
        const before = await storage.records.now();
        await storage.records.put("state", utf8("x"), { ttlMs: 47 * HOUR });
        await pass(46 * HOUR);
        assert.equal(await storage.records.now(), before + 46 * HOUR);
        assert.ok(await storage.records.get("state"));
        await pass(2 * HOUR);
        assert.equal(await storage.records.get("state"), undefined);
      },
    },
    { clock: "test" },
  ),
  ...cases(
    "rules",
    {
      "no caller clock crosses a port: the engine's decides, however far a process's own is off": async (t) => {
        const spawn = spawnOf(t);
        const group = await t.open();
        await t.append(group, ["a"]);
        const here = await t.storage.records.now();
        const there = await spawn(t.storage, { type: "now" }, { skewMs: 2_000_000 });
        assert.ok(Math.abs((there.times[0] ?? 0) - here) < 60_000, "now() of a process whose clock is off");
        await t.take({ leaseMs: 100_000 });
        const other = await spawn(t.storage, { type: "claim", leaseMs: 1_000 }, { skewMs: 2_000_000 });
        assert.deepEqual(other.ids, [], "a process half an hour ahead sees no lease run out");
      },
    },
    { clock: "engine", level: "processes" },
  ),
  ...cases("rules", {
    "values are bytes: any, none, and a part of a larger buffer": async ({ storage }) => {
      const whole = Uint8Array.from({ length: 256 }, (_, index) => index);
      for (const [key, value] of Object.entries({ whole, none: bytes(), part: whole.subarray(100, 110) })) {
        await storage.records.put(key, value);
        assertBytes((await storage.records.get(key))?.value, value);
      }
    },
    "a value is what it was when the call was made": async (t) => {
      const value = bytes(1, 2, 3);
      const group = await t.open();
      const put = t.storage.records.put("k", value);
      const append = t.append(group, ["a"], { payload: value });
      await Promise.all([put, append]);
      value.fill(9);
      assertBytes((await t.storage.records.get("k"))?.value, bytes(1, 2, 3));
      assertBytes((await t.take()).entries[0]?.payload, bytes(1, 2, 3));
    },
    "ids are at most 200 bytes of any UTF-8: as entry ids": async (t) => {
      const group = await t.open();
      await t.append(group, [...HOSTILE]);
      const claim = await t.take();
      assert.deepEqual(ids(claim).sort(), [...HOSTILE].sort());
      assert.equal(
        await t.outbox.settle(
          claim,
          HOSTILE.map((id) => ({ id })),
        ),
        "settled",
      );
    },
    "ids are at most 200 bytes of any UTF-8: as tenants, destinations, groups and credentials": async (t) => {
      for (const id of HOSTILE) {
        await t.open({ tenantId: id, destinationId: id, name: id, credentialId: id });
        await t.append(t.group({ destinationId: id, name: id }), [id]);
      }
      await t.outbox.pause({ credentialId: HOSTILE[0] ?? "" }, HOSTILE[2] ?? "");
      const found: string[] = [];
      for (let claim = await t.claim(); claim; claim = await t.claim()) {
        const { tenantId, destinationId, name, credentialId } = claim.group;
        assert.deepEqual([destinationId, name, credentialId], [tenantId, tenantId, tenantId]);
        found.push(tenantId);
      }
      assert.deepEqual(found.sort(), HOSTILE.slice(1).sort());
      const depth = await t.outbox.depth([HOSTILE[0] ?? ""]);
      assert.deepEqual(depth[0]?.paused, [HOSTILE[2]]);
    },
    "ids are at most 200 bytes of any UTF-8: as record keys": async ({ storage }) => {
      for (const [index, key] of HOSTILE.entries()) await storage.records.put(`k/${key}`, bytes(index));
      for (const [index, key] of HOSTILE.entries()) {
        const record = await storage.records.get(`k/${key}`);
        assert.equal(record?.key, `k/${key}`);
        assertBytes(record?.value, bytes(index));
      }
      const listed = await storage.records.list("k/", { limit: 1_000 });
      assert.deepEqual(listed.map(({ key }) => key).sort(), HOSTILE.map((key) => `k/${key}`).sort());
    },
    "a record key of 2,000 bytes is taken, a longer one is refused with too_large": async ({
      storage: { records },
    }) => {
      const keys = ["x", "y"].map((last) => `k/${"é".repeat(998)}a${last}`);
      for (const [index, key] of keys.entries()) await records.put(key, bytes(index));
      assertBytes((await records.get(keys[0] ?? ""))?.value, bytes(0));
      const listed = await records.list("k/", { limit: 10 });
      assert.deepEqual(
        listed.map(({ key }) => key),
        keys,
      );
      await assertFails(records.put(`${keys[0]}z`, bytes(1)), "too_large");
    },
    "ids that engines could mistake for each other stay apart": async (t) => {
      const group = await t.open();
      const pairs = ["a", "A", "a ", "ä", "a\u0308", "a\0", "a\x01\x01", "a\x01\x02", "a\x01"];
      await t.append(group, pairs);
      assert.deepEqual((await t.drain()).sort(), [...pairs].sort());
      assert.equal((await t.outbox.depth(["d"]))[0]?.entries ?? 0, 0);
    },
    "what is too large is refused with too_large, and nothing of it is stored": async (t) => {
      const { maxEntryBytes, maxValueBytes } = t.storage.capabilities;
      const group = await t.open();
      const payload = new Uint8Array(maxEntryBytes + 1);
      const entry = { group, priority: 0, items: 1 } as const;
      await assertFails(
        t.outbox.append([
          { ...entry, id: "small", payload: bytes(1) },
          { ...entry, id: "large", payload },
        ]),
        "too_large",
      );
      assert.equal(await t.claim(), undefined);
      await assertFails(t.storage.records.put("k", new Uint8Array(maxValueBytes + 1)), "too_large");
      assert.equal(await t.storage.records.get("k"), undefined);
      await assertFails(t.append(group, ["x".repeat(201)]), "too_large");
    },
    "an entry and a value of the size the capabilities name are taken": async (t) => {
      const { maxEntryBytes, maxValueBytes } = t.storage.capabilities;
      const group = await t.open();
      const payload = new Uint8Array(maxEntryBytes).fill(7);
      await t.append(group, ["a"], { payload });
      const claim = await t.take({ maxBytes: maxEntryBytes });
      assert.equal(Buffer.compare(claim.entries[0]?.payload ?? bytes(), payload), 0);
      const value = new Uint8Array(maxValueBytes).fill(8);
      await t.storage.records.put("k", value);
      assert.equal(Buffer.compare((await t.storage.records.get("k"))?.value ?? bytes(), value), 0);
    },
    "nothing is acknowledged before it is stored": async (t) => {
      const group = await t.open();
      await t.storage.records.put("k", bytes(1));
      await t.append(group, ["a", "b"]);
      await t.outbox.settle(await t.take({ maxItems: 1 }), [{ id: "a" }]);
      await t.reopen();
      assertBytes((await t.storage.records.get("k"))?.value, bytes(1));
      assert.deepEqual(await t.drain(), ["b"]);
    },
    "a closed storage refuses with closed": async (t) => {
      const group = await t.open();
      const { storage } = t;
      await storage.close();
      await assertFails(storage.records.get("k"), "closed");
      await assertFails(storage.records.put("k", bytes(1)), "closed");
      await assertFails(t.append(group, ["a"]), "closed");
      await assertFails(t.claim(), "closed");
      await assertFails(storage.outbox.depth(), "closed");
      await assertFails(storage.outbox.dead.list({ destinationId: "d", limit: 1 }), "closed");
      await storage.close();
    },
    "the storage says which port it keeps and what it can": async ({ storage }) => {
      const { durability, shared, transactions, wakes, maxEntryBytes, maxValueBytes } = storage.capabilities;
      assert.equal(storage.portVersion, 1);
      assert.ok(storage.name.length > 0);
      assert.ok(["none", "process", "power-loss", "replicated"].includes(durability));
      assert.ok(["process", "machine", "network"].includes(shared));
      assert.deepEqual([typeof transactions, typeof wakes], ["boolean", "boolean"]);
      assert.ok(maxEntryBytes >= 65_536 && maxValueBytes >= 65_536, "an entry of 64 kB has to fit");
    },
    "migrate may be called again, and beside others": async (t) => {
      await Promise.all([t.storage.migrate(), t.storage.migrate()]);
      await t.storage.records.put("k", bytes(1));
      await t.storage.migrate();
      assert.ok(await t.storage.records.get("k"));
    },
    "check answers findings": async ({ storage }) => {
      for (const finding of await storage.check()) {
        assert.match(finding.code, /^[a-z][a-z_]+$/);
        assert.ok(["problem", "warning"].includes(finding.severity));
        assert.ok(finding.message.length > 0 && finding.fix.length > 0);
      }
    },
  }),
];
