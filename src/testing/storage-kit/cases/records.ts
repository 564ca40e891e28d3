import assert from "node:assert/strict";
import { assertBytes, assertFails, bytes, skip, spawnOf, utf8 } from "../context.ts";
import { cases } from "./case.ts";

const keys = (list: { key: string }[]) => list.map(({ key }) => key);

export const records = [
  ...cases("records", {
    "get answers what put stored, and undefined for what is absent": async ({ storage: { records } }) => {
      assert.equal(await records.get("k"), undefined);
      const version = await records.put("k", utf8("value"));
      const record = await records.get("k");
      assert.deepEqual([record?.key, record?.version], ["k", version]);
      assertBytes(record?.value, utf8("value"));
    },
    "expired is absent for get, swept or not": async ({ storage: { records }, unit, pass }) => {
      await records.put("k", bytes(1), { ttlMs: unit });
      assert.ok(await records.get("k"));
      await pass(unit);
      assert.equal(await records.get("k"), undefined);
    },
    "put without ifVersion writes whatever is there": async ({ storage: { records } }) => {
      await records.put("k", bytes(1));
      await records.put("k", bytes(2));
      assertBytes((await records.get("k"))?.value, bytes(2));
    },
    "put with ifVersion 0 wants the key not to exist": async ({ storage: { records } }) => {
      await records.put("k", bytes(1), { ifVersion: 0 });
      await assertFails(records.put("k", bytes(2), { ifVersion: 0 }), "version_conflict");
      assertBytes((await records.get("k"))?.value, bytes(1));
    },
    "an expired record does not exist for ifVersion": async ({ storage: { records }, unit, pass }) => {
      const version = await records.put("k", bytes(1), { ttlMs: unit });
      await pass(unit);
      await assertFails(records.put("k", bytes(2), { ifVersion: version }), "version_conflict");
      await records.put("k", bytes(2), { ifVersion: 0 });
      assertBytes((await records.get("k"))?.value, bytes(2));
    },
    "put with ifVersion n wants the record to be at n": async ({ storage: { records } }) => {
      const first = await records.put("k", bytes(1));
      const second = await records.put("k", bytes(2), { ifVersion: first });
      await assertFails(records.put("k", bytes(3), { ifVersion: first }), "version_conflict");
      await assertFails(records.put("other", bytes(3), { ifVersion: second }), "version_conflict");
      assert.equal((await records.get("k"))?.version, second);
      assert.equal(await records.get("other"), undefined);
    },
    "of puts at once with one version exactly one wins": async ({ storage: { records } }) => {
      const version = await records.put("k", bytes(0));
      const tries = Array.from({ length: 10 }, (_, index) =>
        records.put("k", bytes(index + 1), { ifVersion: version }),
      );
      const results = await Promise.allSettled(tries);
      const won = results.flatMap((result, index) => (result.status === "fulfilled" ? [index + 1] : []));
      assert.equal(won.length, 1);
      assertBytes((await records.get("k"))?.value, bytes(won[0] ?? 0));
    },
    "a repeated put may meet its own first write as version_conflict": async ({ storage: { records } }) => {
      await records.put("k", bytes(1), { ifVersion: 0 });
      await assertFails(records.put("k", bytes(1), { ifVersion: 0 }), "version_conflict");
    },
    "put without ttlMs never expires, also where the old value did": async ({ storage: { records }, unit, pass }) => {
      await records.put("k", bytes(1), { ttlMs: unit });
      await records.put("k", bytes(2));
      await records.put("gone", bytes(1), { ttlMs: unit });
      await pass(unit);
      await records.put("gone", bytes(2));
      await pass(unit);
      assertBytes((await records.get("k"))?.value, bytes(2));
      assertBytes((await records.get("gone"))?.value, bytes(2));
    },
    "put with ttlMs counts anew from now": async ({ storage: { records }, unit, pass }) => {
      await records.put("k", bytes(1), { ttlMs: unit });
      await records.put("k", bytes(2), { ttlMs: 100_000 });
      await pass(unit);
      assert.ok(await records.get("k"));
    },
    "versions are safe integers that rise with every put": async ({ storage: { records } }) => {
      let last = 0;
      for (let index = 0; index < 5; index++) {
        const version = await records.put("k", bytes(index));
        assert.ok(Number.isSafeInteger(version) && version > last);
        last = version;
      }
    },
    "a version is never used again after delete": async ({ storage: { records } }) => {
      const first = await records.put("k", bytes(1), { ifVersion: 0 });
      await records.delete("k");
      const second = await records.put("k", bytes(1), { ifVersion: 0 });
      assert.ok(second > first);
      await assertFails(records.put("k", bytes(2), { ifVersion: first }), "version_conflict");
    },
    "a version is never used again after expiry": async ({ storage: { records }, unit, pass }) => {
      const first = await records.put("k", bytes(1), { ttlMs: unit });
      await pass(unit);
      assert.ok((await records.put("k", bytes(1))) > first);
    },
    "a version is never used again after a restart": async (t) => {
      const first = await t.storage.records.put("k", bytes(1));
      await t.storage.records.delete("k");
      await t.reopen();
      assert.ok((await t.storage.records.put("k", bytes(1))) > first);
    },
    "delete answers true, and false for what was absent or expired": async ({ storage: { records }, unit, pass }) => {
      await records.put("k", bytes(1));
      assert.equal(await records.delete("k"), true);
      assert.equal(await records.delete("k"), false);
      assert.equal(await records.get("k"), undefined);
      await records.put("short", bytes(1), { ttlMs: unit });
      await pass(unit);
      assert.equal(await records.delete("short"), false);
    },
    "delete with ifVersion refuses another version": async ({ storage: { records } }) => {
      const first = await records.put("k", bytes(1));
      const second = await records.put("k", bytes(2));
      await assertFails(records.delete("k", { ifVersion: first }), "version_conflict");
      assert.ok(await records.get("k"));
      assert.equal(await records.delete("k", { ifVersion: second }), true);
      assert.equal(await records.delete("k", { ifVersion: second }), false);
    },
    "list is in byte order of the UTF-8 key": async ({ storage: { records } }) => {
      const sorted = [
        "p/",
        "p/\0",
        "p/\x01",
        "p/ ",
        "p/A",
        "p/Z",
        "p/a",
        "p/aa",
        "p/b",
        "p/é",
        "p/\uffff",
        "p/\u{10000}",
      ];
      for (const key of sorted.toReversed()) await records.put(key, bytes(1));
      assert.deepEqual(keys(await records.list("p/", { limit: 100 })), sorted);
    },
    "list answers keys that begin with the prefix, whatever its characters": async ({ storage: { records } }) => {
      const stored = ["a%b/1", "axb/1", "a_b/1", "a*b/1", "a?b/1", "a[b/1", "A%B/1", "a%b", "a%c/1"];
      for (const key of stored) await records.put(key, bytes(1));
      for (const key of ["a%b/", "a_b/", "a*b/", "a?b/", "a[b/"]) {
        assert.deepEqual(keys(await records.list(key, { limit: 100 })), [`${key}1`]);
      }
      assert.deepEqual(keys(await records.list("a%", { limit: 100 })), ["a%b", "a%b/1", "a%c/1"]);
      assert.equal((await records.list("", { limit: 100 })).length, stored.length);
    },
    "list begins behind `after`, and fewer than the limit is the end": async ({ storage: { records } }) => {
      for (const name of ["a", "b", "c", "d"]) await records.put(`p/${name}`, bytes(1));
      const first = await records.list("p/", { limit: 3 });
      assert.deepEqual(keys(first), ["p/a", "p/b", "p/c"]);
      assert.deepEqual(keys(await records.list("p/", { after: "p/c", limit: 3 })), ["p/d"]);
      assert.deepEqual(keys(await records.list("p/", { after: "p/bb", limit: 3 })), ["p/c", "p/d"]);
      assert.deepEqual(await records.list("p/", { after: "p/d", limit: 3 }), []);
      assert.deepEqual(keys(await records.list("p/", { after: "a", limit: 1 })), ["p/a"]);
    },
    "list answers values and versions": async ({ storage: { records } }) => {
      const version = await records.put("p/a", bytes(7));
      const [record] = await records.list("p/", { limit: 1 });
      assert.equal(record?.version, version);
      assertBytes(record?.value, bytes(7));
    },
    "list leaves out what expired or was deleted, and fills the page": async ({ storage: { records }, unit, pass }) => {
      for (const name of ["a", "b", "c"]) await records.put(`p/${name}`, bytes(1), { ttlMs: unit });
      for (const name of ["d", "e"]) await records.put(`p/${name}`, bytes(1));
      await records.delete("p/d");
      await pass(unit);
      assert.deepEqual(keys(await records.list("p/", { limit: 2 })), ["p/e"]);
    },
    "keys under ~ are not listed": async ({ storage: { records } }) => {
      await records.put("~lock/a", bytes(1));
      await records.put("a", bytes(1));
      assert.deepEqual(keys(await records.list("", { limit: 10 })), ["a"]);
      assert.ok(await records.get("~lock/a"));
    },
    "list pages through many": async ({ storage: { records } }) => {
      const all = Array.from({ length: 250 }, (_, index) => `p/${String(index).padStart(4, "0")}`);
      await Promise.all(all.map((key) => records.put(key, bytes(1))));
      const found: string[] = [];
      for (let after: string | undefined; ; after = found.at(-1)) {
        const page = await records.list("p/", { limit: 100, ...(after === undefined ? {} : { after }) });
        found.push(...keys(page));
        if (page.length < 100) break;
      }
      assert.deepEqual(found, all);
    },
    "now is the engine's time, and runs": async ({ storage: { records }, clock, pass }) => {
      const before = await records.now();
      if (clock === "engine") assert.ok(Math.abs(before - Date.now()) < 60_000);
      await pass(50);
      const after = await records.now();
      assert.ok(after >= before + 50);
      assert.ok(Number.isFinite(after));
    },
    "watch, where there is one, tells of changes below the prefix": async ({ storage: { records } }) => {
      if (!records.watch) skip("no watch");
      const stop = new AbortController();
      const seen: string[] = [];
      const watching = (async () => {
        for await (const key of records.watch?.("p/", stop.signal) ?? []) {
          seen.push(key);
          if (seen.length === 1) break;
        }
      })();
      const began = performance.now();
      while (seen.length === 0 && performance.now() - began < 5_000) {
        await records.put("q/a", bytes(1));
        await records.put("p/a", bytes(1));
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      stop.abort();
      await watching;
      assert.deepEqual(seen, ["p/a"]);
    },
  }),
  ...cases(
    "records",
    {
      "of puts at once with one version in several processes exactly one wins": async (t) => {
        const spawn = spawnOf(t);
        const key = "~lock/a";
        const ifVersion = await t.storage.records.put(key, bytes(0));
        const job = { type: "put", key, ifVersion, tries: 20 } as const;
        const results = await Promise.all([-2_000, 0, 2_000].map((skewMs) => spawn(t.storage, job, { skewMs })));
        const versions = results.flatMap(({ times }) => times);
        const last = await t.storage.records.get(key);
        assert.ok(versions.length > 0);
        assert.equal(new Set(versions).size, versions.length, "no version was given twice");
        assert.equal(last?.version, Math.max(...versions));
        assert.equal(last?.value[0], versions.length, "every put that won built on the one before");
      },
    },
    { clock: "engine", level: "processes" },
  ),
];
