import assert from "node:assert/strict";
import type { NewEntry } from "../../../storage/ports.ts";
import { assertBytes, assertFails, bytes, HOUR, ids, skip, spawnOf, transactionOf } from "../context.ts";
import { cases } from "./case.ts";

const entry = (id: string, group: NewEntry["group"], o: Partial<NewEntry> = {}): NewEntry => ({
  id,
  group,
  priority: 0,
  items: 1,
  payload: bytes(1),
  ...o,
});

export const append = [
  ...cases("outbox", {
    "open is idempotent": async (t) => {
      const group = await t.open();
      await t.append(group, ["a"]);
      await t.open();
      assert.deepEqual(await t.drain(), ["a"]);
    },
    "open overwrites all but the identity, for entries already queued too": async (t) => {
      const group = await t.open({ credentialId: "old" });
      await t.append(group, ["a", "b"]);
      await t.open({ credentialId: "new", tenantId: "t2" });
      assert.equal(await t.claim({ skipCredentials: ["new"] }), undefined);
      const claim = await t.take({ skipCredentials: ["old"] });
      assert.deepEqual(claim.group, t.group({ credentialId: "new", tenantId: "t2" }));
      assert.deepEqual(ids(claim), ["a", "b"]);
    },
    "open makes a shared group exclusive, and back": async (t) => {
      const group = await t.open();
      await t.append(group, ["a", "b", "c"]);
      await t.open({ exclusive: true });
      const first = await t.take({ maxItems: 1 });
      assert.equal(await t.claim(), undefined);
      await t.open({ exclusive: false });
      assert.deepEqual(ids(await t.take({ maxItems: 1 })), ["b"]);
      assert.equal(await t.outbox.settle(first, [{ id: "a" }]), "settled");
    },
    "append to a group never opened is unknown_group": async (t) => {
      await assertFails(t.append(t.group(), ["a"]), "unknown_group");
      await t.open();
      assert.equal(await t.claim(), undefined);
    },
    "append takes entries of any groups and answers in order": async (t) => {
      const one = await t.open({ name: "events/1" });
      const two = await t.open({ name: "events/2", destinationId: "d2", tenantId: "t2" });
      await t.append(two, ["b"]);
      const answers = await t.outbox.append([entry("a", one), entry("b", two), entry("c", two)]);
      assert.deepEqual(
        answers.map(({ status }) => status),
        ["stored", "duplicate", "stored"],
      );
      assert.deepEqual((await t.drain()).sort(), ["a", "b", "c"]);
      assert.deepEqual(await t.outbox.append([]), []);
    },
    "append takes 1,000 entries and refuses more": async (t) => {
      const group = await t.open();
      const thousand = Array.from({ length: 1_000 }, (_, index) => `e${index}`);
      const positions = await t.append(group, thousand);
      assert.ok(positions.every((position, index) => index === 0 || position > (positions[index - 1] ?? 0)));
      assert.deepEqual(ids(await t.take()), thousand);
      await assertFails(t.append(group, [...thousand, "more"]), "too_large");
    },
    "append is all or none per group": async (t) => {
      const group = await t.open();
      const tooLarge = new Uint8Array(t.storage.capabilities.maxEntryBytes + 1);
      await assertFails(t.outbox.append([entry("a", group), entry("b", group, { payload: tooLarge })]), "too_large");
      assert.equal(await t.claim(), undefined);
      assert.deepEqual(
        (await t.outbox.append([entry("a", group)])).map(({ status }) => status),
        ["stored"],
      );
    },
    "append is all or none over all groups where the engine has transactions": async (t) => {
      if (!t.storage.capabilities.transactions) skip("no transactions");
      const group = await t.open();
      await assertFails(t.outbox.append([entry("a", group), entry("b", t.group({ name: "never" }))]), "unknown_group");
      assert.equal(await t.claim(), undefined);
    },
    "the same id while stored is a duplicate with the first one's position": async (t) => {
      const group = await t.open();
      const [first] = await t.append(group, ["a"], { payload: bytes(1) });
      const [again] = await t.outbox.append([entry("a", group, { payload: bytes(2), position: 77 })]);
      assert.deepEqual(again, { status: "duplicate", position: first });
      const claim = await t.take();
      assertBytes(claim.entries[0]?.payload, bytes(1));
      assert.deepEqual(await t.outbox.append([entry("a", group)]), [{ status: "duplicate", position: first }]);
      await t.outbox.settle(claim, [{ id: "a", rest: { retryInMs: 100_000, progress: bytes() } }]);
      assert.deepEqual(await t.outbox.append([entry("a", group)]), [{ status: "duplicate", position: first }]);
    },
    "the same id twice in one call is a duplicate": async (t) => {
      const group = await t.open();
      const [first, second] = await t.outbox.append([entry("a", group), entry("a", group)]);
      assert.deepEqual([first?.status, second?.status], ["stored", "duplicate"]);
      assert.equal(second?.position, first?.position);
      assert.deepEqual(await t.drain(), ["a"]);
    },
    "the same id in calls at once is stored once": async (t) => {
      const group = await t.open();
      const calls = Array.from({ length: 10 }, () => t.outbox.append([entry("a", group)]));
      const answers = (await Promise.all(calls)).flat();
      assert.equal(answers.filter(({ status }) => status === "stored").length, 1);
      assert.equal(new Set(answers.map(({ position }) => position)).size, 1);
      assert.deepEqual(await t.drain(), ["a"]);
    },
    "an id belongs to its group": async (t) => {
      const one = await t.open({ name: "events/1" });
      const two = await t.open({ name: "events/2" });
      const answers = await t.outbox.append([entry("a", one), entry("a", two)]);
      assert.deepEqual(
        answers.map(({ status }) => status),
        ["stored", "stored"],
      );
      assert.deepEqual(await t.drain(), ["a", "a"]);
    },
    "the same id within dedupeMs after it left is a duplicate with the first one's position": async (t) => {
      const group = await t.open();
      const [first] = await t.append(group, ["a"], { dedupeMs: 100_000 });
      await t.drain();
      assert.deepEqual(await t.outbox.append([entry("a", group)]), [{ status: "duplicate", position: first }]);
      assert.deepEqual(await t.drain(), []);
    },
    "the same id later than dedupeMs after it left is stored": async (t) => {
      const group = await t.open();
      await t.append(group, ["a"], { dedupeMs: t.unit });
      await t.pass(t.unit);
      await t.drain();
      assert.equal((await t.outbox.append([entry("a", group)]))[0]?.status, "duplicate");
      await t.pass(t.unit);
      assert.equal((await t.outbox.append([entry("a", group)]))[0]?.status, "stored");
      assert.deepEqual(await t.drain(), ["a"]);
    },
    "dedupeMs is 0 by default": async (t) => {
      const group = await t.open();
      await t.append(group, ["a"]);
      await t.drain();
      assert.equal((await t.outbox.append([entry("a", group)]))[0]?.status, "stored");
      assert.deepEqual(await t.drain(), ["a"]);
    },
    "dedupe counts from when it left as a dead letter, too": async (t) => {
      const group = await t.open();
      await t.append(group, ["a", "b"], { dedupeMs: 100_000 });
      const dead = [{ itemIndex: 0, reason: "r", payload: bytes(), detail: bytes() }];
      await t.outbox.settle(await t.take({ maxItems: 1 }), [{ id: "a", dead }]);
      await t.outbox.bury({ destinationId: "d" }, "dropped", { limit: 10 });
      const answers = await t.outbox.append([entry("a", group), entry("b", group)]);
      assert.deepEqual(
        answers.map(({ status }) => status),
        ["duplicate", "duplicate"],
      );
    },
    "dedupe survives a restart": async (t) => {
      const group = await t.open();
      await t.append(group, ["a"], { dedupeMs: 100_000 });
      await t.drain();
      await t.reopen();
      assert.equal((await t.outbox.append([entry("a", group)]))[0]?.status, "duplicate");
    },
    "position rises per group": async (t) => {
      const group = await t.open();
      const other = await t.open({ name: "events/2" });
      let last = -1;
      for (let index = 0; index < 10; index++) {
        await t.append(other, [`o${index}`]);
        const [position = -1] = await t.append(group, [`e${index}`]);
        assert.ok(Number.isSafeInteger(position) && position > last);
        last = position;
      }
    },
    "position rises after a restart and after the group was empty": async (t) => {
      const group = await t.open();
      const [first = 0] = await t.append(group, ["a"]);
      await t.drain();
      const [second = 0] = await t.append(group, ["b"]);
      assert.ok(second > first);
      await t.drain();
      await t.reopen();
      const [third = 0] = await t.append(group, ["c"]);
      assert.ok(third > second);
    },
    "a given position is kept, the counter unmoved": async (t) => {
      const group = await t.open({ exclusive: true });
      const [first = 0] = await t.append(group, ["a", "b"]);
      await t.drain();
      const [, later = 0] = await t.append(group, ["c", "d"]);
      assert.deepEqual(await t.append(group, ["old"], { position: first }), [first]);
      const [next = 0] = await t.append(group, ["e"]);
      assert.ok(next > later);
      const claim = await t.take();
      assert.deepEqual(ids(claim), ["old", "c", "d", "e"]);
      assert.equal(claim.entries[0]?.position, first);
    },
    "tx is refused with capability_missing where the engine has no transactions": async (t) => {
      if (t.storage.capabilities.transactions) skip("has transactions");
      const group = await t.open();
      await assertFails(t.outbox.append([entry("a", group)], { tx: {} }), "capability_missing");
      assert.equal(await t.claim(), undefined);
    },
  }),
  ...cases(
    "outbox",
    {
      "with tx the entry exists when the host commits": async (t) => {
        const begin = transactionOf(t);
        const group = await t.open();
        const host = await begin(t.storage);
        const [answer] = await t.outbox.append([entry("a", group)], { tx: host.tx });
        assert.equal(answer?.status, "stored");
        assert.equal(await t.claim(), undefined);
        await host.commit();
        assert.deepEqual(await t.drain(), ["a"]);
      },
      "with tx nothing exists when the host rolls back": async (t) => {
        const begin = transactionOf(t);
        const group = await t.open();
        const host = await begin(t.storage);
        await t.outbox.append([entry("a", group)], { tx: host.tx });
        await host.rollback();
        assert.equal(await t.claim(), undefined);
        assert.equal((await t.outbox.append([entry("a", group)]))[0]?.status, "stored");
      },
      "with tx no other append waits": async (t) => {
        const begin = transactionOf(t);
        const group = await t.open();
        const one = await begin(t.storage);
        const two = await begin(t.storage);
        await t.outbox.append([entry("a", group)], { tx: one.tx });
        await t.outbox.append([entry("b", group)], { tx: two.tx });
        await t.append(group, ["c"]);
        assert.deepEqual(await t.drain(), ["c"]);
        await two.commit();
        assert.deepEqual(await t.drain(), ["b"]);
        await one.commit();
        assert.deepEqual(await t.drain(), ["a"]);
      },
    },
    { level: "transactions" },
  ),
  ...cases(
    "outbox",
    {
      "dedupe of 48 hours ends after 48 hours": async (t) => {
        const group = await t.open();
        await t.append(group, ["a"], { dedupeMs: 48 * HOUR });
        await t.drain();
        await t.pass(48 * HOUR - 1);
        assert.equal((await t.outbox.append([entry("a", group)]))[0]?.status, "duplicate");
        await t.pass(1);
        assert.equal((await t.outbox.append([entry("a", group)]))[0]?.status, "stored");
      },
    },
    { clock: "test" },
  ),
  ...cases(
    "outbox",
    {
      "processes append and consume one database together: nothing lost, nothing twice": async (t) => {
        const spawn = spawnOf(t);
        const group = await t.open();
        const none = { skewMs: 0 };
        const appended = await Promise.all([
          spawn(t.storage, { type: "append", group, prefix: "p", count: 60 }, none),
          spawn(t.storage, { type: "append", group, prefix: "q", count: 60 }, { skewMs: 2_000 }),
          t.append(group, ["here"]).then(() => ({ ids: ["here"] })),
        ]);
        const consumed = await Promise.all([
          spawn(t.storage, { type: "consume", leaseMs: 30_000, until: 1_000 }, none),
          spawn(t.storage, { type: "consume", leaseMs: 30_000, until: 1_000 }, { skewMs: -2_000 }),
        ]);
        const stored = appended.flatMap((result) => result.ids).sort();
        assert.equal(stored.length, 121);
        assert.deepEqual(consumed.flatMap((result) => result.ids).sort(), stored);
      },
    },
    { clock: "engine", level: "processes" },
  ),
];
