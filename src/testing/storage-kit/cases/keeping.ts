import assert from "node:assert/strict";
import { assertBytes, bytes, type Context, HOUR, ids, LONG, utf8 } from "../context.ts";
import { cases } from "./case.ts";

const none = bytes();

async function bury(t: Context, names: string[], reason = "bad"): Promise<void> {
  const group = await t.open();
  for (const name of names) {
    await t.append(group, [name], { payload: utf8(name) });
    const dead = [{ itemIndex: 0, reason, payload: utf8(name), detail: none }];
    await t.outbox.settle(await t.take(), [{ id: name, dead }]);
  }
}

export const keeping = [
  ...cases("outbox", {
    "claims skip what is paused, by destination, group or credential": async (t) => {
      const targets = [
        { destinationId: "d1" },
        { destinationId: "d2", group: "events/1" },
        { credentialId: "c3" },
      ] as const;
      const all = [
        { destinationId: "d1", name: "events/1", credentialId: "c1" },
        { destinationId: "d1", name: "events/2", credentialId: "c1" },
        { destinationId: "d2", name: "events/1", credentialId: "c2" },
        { destinationId: "d2", name: "events/2", credentialId: "c2" },
        { destinationId: "d3", name: "events/1", credentialId: "c3" },
        { destinationId: "d3", name: "events/2", credentialId: "c4" },
      ];
      for (const group of all) await t.append(await t.open(group), [`${group.destinationId} ${group.name}`]);
      for (const target of targets) await t.outbox.pause(target, "operator");
      assert.deepEqual((await t.drain()).sort(), ["d2 events/2", "d3 events/2"]);
      for (const target of targets) await t.outbox.resume(target, "operator");
      assert.deepEqual((await t.drain()).sort(), ["d1 events/1", "d1 events/2", "d2 events/1", "d3 events/1"]);
    },
    "while paused nothing is counted": async (t) => {
      const group = await t.open();
      await t.append(group, ["a"]);
      await t.outbox.pause({ destinationId: "d" }, "operator");
      for (let index = 0; index < 3; index++) assert.equal(await t.claim(), undefined);
      await t.outbox.resume({ destinationId: "d" }, "operator");
      assert.equal((await t.take()).entries[0]?.claims, 1);
    },
    "a pause survives open() and entries appended later": async (t) => {
      const group = await t.open();
      await t.outbox.pause({ destinationId: "d" }, "operator");
      await t.open();
      await t.append(group, ["a"]);
      assert.equal(await t.claim(), undefined);
      await t.append(await t.open({ name: "events/2" }), ["b"]);
      assert.equal(await t.claim(), undefined);
    },
    "a pause that came before the group is opened counts": async (t) => {
      await t.outbox.pause({ credentialId: "c" }, "reauth_required");
      await t.append(await t.open(), ["a"]);
      assert.equal(await t.claim(), undefined);
    },
    "a pause survives a restart": async (t) => {
      const group = await t.open();
      await t.outbox.pause({ credentialId: "c" }, "reauth_required");
      await t.append(group, ["a"]);
      await t.reopen();
      assert.equal(await t.claim(), undefined);
      await t.outbox.resume({ credentialId: "c" }, "reauth_required");
      assert.deepEqual(await t.drain(), ["a"]);
    },
    "reasons are a set: claims go on when the last is resumed": async (t) => {
      await t.append(await t.open(), ["a"]);
      for (const reason of ["operator", "reauth_required", "operator"])
        await t.outbox.pause({ destinationId: "d" }, reason);
      await t.outbox.resume({ destinationId: "d" }, "operator");
      assert.equal(await t.claim(), undefined);
      await t.outbox.resume({ destinationId: "d" }, "never_paused");
      assert.equal(await t.claim(), undefined);
      await t.outbox.resume({ destinationId: "d" }, "reauth_required");
      assert.deepEqual(await t.drain(), ["a"]);
    },
    "reasons of different targets do not resume each other": async (t) => {
      await t.append(await t.open(), ["a"]);
      const targets = [{ destinationId: "d" }, { destinationId: "d", group: "events/p" }, { credentialId: "c" }];
      for (const target of targets) await t.outbox.pause(target, "operator");
      for (const target of targets) {
        assert.equal(await t.claim(), undefined);
        await t.outbox.resume(target, "operator");
      }
      assert.deepEqual(await t.drain(), ["a"]);
    },
    "a paused credential stops only its own work": async (t) => {
      await t.append(await t.open({ name: "members/s", credentialId: "oauth" }), ["a"]);
      await t.append(await t.open({ name: "events/p", credentialId: "token" }), ["b"]);
      await t.outbox.pause({ credentialId: "oauth" }, "reauth_required");
      assert.deepEqual(await t.drain(), ["b"]);
    },
    "a claim that was open when its group was paused still settles": async (t) => {
      await t.append(await t.open(), ["a"]);
      const claim = await t.take();
      await t.outbox.pause({ destinationId: "d" }, "operator");
      assert.equal(await t.outbox.settle(claim, [{ id: "a" }]), "settled");
    },
    "depth counts entries, items and bytes, whatever their state": async (t) => {
      const group = await t.open();
      await t.append(group, ["a", "b", "c", "e"], { items: 2, payload: new Uint8Array(10) });
      await t.append(await t.open({ name: "events/2" }), ["x"], {
        items: 1,
        payload: new Uint8Array(5),
        delayMs: LONG,
      });
      const claim = await t.take({ maxItems: 6 });
      await t.outbox.settle(claim, [{ id: "a" }, { id: "b", rest: { retryInMs: LONG, progress: none } }]);
      const [depth] = await t.outbox.depth(["d"]);
      assert.deepEqual([depth?.entries, depth?.items, depth?.bytes], [4, 7, 35]);
      assert.equal(depth?.destinationId, "d");
    },
    "depth answers the named destinations, or all": async (t) => {
      for (const destinationId of ["d1", "d2"]) await t.append(await t.open({ destinationId }), ["a"]);
      assert.deepEqual(
        (await t.outbox.depth(["d1"])).map(({ destinationId }) => destinationId),
        ["d1"],
      );
      assert.deepEqual((await t.outbox.depth()).map(({ destinationId }) => destinationId).sort(), ["d1", "d2"]);
    },
    "depth knows the age of the oldest entry": async (t) => {
      const group = await t.open();
      await t.append(group, ["a"]);
      await t.pass(t.unit);
      await t.append(group, ["b"]);
      const [depth] = await t.outbox.depth(["d"]);
      assert.ok((depth?.oldestAgeMs ?? 0) >= t.unit && (depth?.oldestAgeMs ?? 0) < 100 * t.unit);
    },
    "depth names the reasons of pauses, and counts dead letters by reason": async (t) => {
      await bury(t, ["a", "b"], "bad");
      await bury(t, ["c"], "worse");
      await t.outbox.pause({ destinationId: "d" }, "operator");
      await t.outbox.pause({ credentialId: "c" }, "reauth_required");
      const [depth] = await t.outbox.depth(["d"]);
      assert.deepEqual([...(depth?.paused ?? [])].sort(), ["operator", "reauth_required"]);
      assert.deepEqual({ ...depth?.dead }, { bad: 2, worse: 1 });
    },
    "dead letters are listed newest first, in pages": async (t) => {
      await bury(t, ["a", "b", "c"]);
      const first = await t.outbox.dead.list({ destinationId: "d", limit: 2 });
      assert.deepEqual(
        first.items.map(({ entryId }) => entryId),
        ["c", "b"],
      );
      assert.ok(first.after !== undefined);
      const second = await t.outbox.dead.list({ destinationId: "d", limit: 2, after: first.after });
      assert.deepEqual(
        second.items.map(({ entryId }) => entryId),
        ["a"],
      );
      assert.equal(second.after, undefined);
    },
    "dead letters are listed by destination, reason and age": async (t) => {
      await bury(t, ["old"], "bad");
      await t.pass(2 * t.unit);
      await bury(t, ["new"], "bad");
      await bury(t, ["other"], "worse");
      const list = async (o: { reason?: string; maxAgeMs?: number }) =>
        (await t.outbox.dead.list({ destinationId: "d", limit: 10, ...o })).items.map(({ entryId }) => entryId);
      assert.deepEqual(await list({ reason: "bad" }), ["new", "old"]);
      assert.deepEqual(await list({ maxAgeMs: 2 * t.unit - 1 }), ["other", "new"]);
      assert.deepEqual((await t.outbox.dead.list({ destinationId: "other", limit: 10 })).items, []);
    },
    "dead.delete removes letters of that destination and counts them": async (t) => {
      await bury(t, ["a", "b"]);
      const [newest] = await t.dead();
      const list = [newest?.id ?? "", "none"];
      assert.equal(await t.outbox.dead.delete({ destinationId: "other", ids: list }), 0);
      assert.equal(await t.outbox.dead.delete({ destinationId: "d", ids: list }), 1);
      assert.equal(await t.outbox.dead.delete({ destinationId: "d", ids: list }), 0);
      assert.deepEqual(
        (await t.dead()).map(({ entryId }) => entryId),
        ["a"],
      );
    },
    "replay keeps the position, and is safe to repeat": async (t) => {
      await bury(t, ["a"]);
      const [letter] = await t.dead();
      assert.ok(letter);
      const entry = {
        id: `digest of ${letter.id}`,
        group: letter.group,
        position: letter.position,
        dedupeMs: 48 * HOUR,
        priority: 3,
        items: 1,
        payload: letter.payload,
      } as const;
      assert.equal((await t.outbox.append([entry]))[0]?.status, "stored");
      await t.outbox.settle(await t.take(), [{ id: entry.id }]);
      assert.deepEqual(await t.outbox.append([entry]), [{ status: "duplicate", position: letter.position }]);
      await t.outbox.dead.delete({ destinationId: "d", ids: [letter.id] });
      assert.deepEqual(await t.drain(), []);
      await bury(t, ["b"]);
      assert.notEqual((await t.dead())[0]?.id, letter.id);
    },
    "bury makes unclaimed entries dead letters whole, paused or not": async (t) => {
      const group = await t.open();
      await t.append(group, ["claimed"]);
      const claim = await t.take();
      const [position] = await t.append(group, ["a"], { payload: utf8("whole"), items: 4 });
      await t.append(group, ["b"], { delayMs: LONG });
      await t.outbox.pause({ destinationId: "d" }, "operator");
      assert.equal(await t.outbox.bury({ destinationId: "d" }, "dropped", { limit: 10 }), true);
      const found = await t.dead();
      assert.deepEqual(found.map(({ entryId, itemIndex, reason }) => [entryId, itemIndex, reason]).sort(), [
        ["a", -1, "dropped"],
        ["b", -1, "dropped"],
      ]);
      const a = found.find(({ entryId }) => entryId === "a");
      assertBytes(a?.payload, utf8("whole"));
      assert.equal(a?.position, position);
      assert.equal(await t.outbox.settle(claim, [{ id: "claimed" }]), "settled");
      assert.equal((await t.outbox.depth(["d"]))[0]?.entries, 0);
    },
    "bury keeps an entry's progress, as the detail of its letter": async (t) => {
      const group = await t.open();
      await t.append(group, ["a"], { items: 4 });
      const claim = await t.take();
      await t.outbox.settle(claim, [{ id: "a", rest: { retryInMs: LONG, progress: utf8("half done") } }]);
      await t.append(group, ["b"]);
      await t.outbox.bury({ destinationId: "d" }, "dropped", { limit: 10 });
      const found = await t.dead();
      assertBytes(found.find(({ entryId }) => entryId === "a")?.detail, utf8("half done"));
      assertBytes(found.find(({ entryId }) => entryId === "b")?.detail, utf8(""));
    },
    "bury buries what waits for a retry, too": async (t) => {
      await t.append(await t.open(), ["a"]);
      await t.outbox.settle(await t.take(), [{ id: "a", rest: { retryInMs: LONG, progress: none } }]);
      await t.outbox.bury({ destinationId: "d" }, "dropped", { limit: 10 });
      assert.equal((await t.dead()).length, 1);
    },
    "bury has a limit and answers false until none is left": async (t) => {
      await t.append(await t.open(), ["a", "b", "c", "e", "f"]);
      assert.equal(await t.outbox.bury({ destinationId: "d" }, "dropped", { limit: 2 }), false);
      assert.equal((await t.dead()).length, 2);
      assert.equal(await t.outbox.bury({ destinationId: "d" }, "dropped", { limit: 2 }), false);
      while (!(await t.outbox.bury({ destinationId: "d" }, "dropped", { limit: 2 })));
      assert.equal((await t.dead()).length, 5);
    },
    "bury keeps to its target": async (t) => {
      await t.append(await t.open({ name: "events/1", credentialId: "c1" }), ["a"]);
      await t.append(await t.open({ name: "events/2", credentialId: "c2" }), ["b"]);
      await t.append(await t.open({ destinationId: "d2", credentialId: "c2" }), ["c"]);
      await t.outbox.bury({ destinationId: "d", group: "events/1" }, "dropped", { limit: 10 });
      assert.deepEqual(
        (await t.dead()).map(({ entryId }) => entryId),
        ["a"],
      );
      await t.outbox.bury({ credentialId: "c2" }, "dropped", { limit: 10 });
      assert.equal((await t.dead()).length, 2);
      assert.equal((await t.dead("d2")).length, 1);
    },
    "bury with olderThanMs leaves younger entries": async (t) => {
      const group = await t.open();
      await t.append(group, ["old"]);
      await t.pass(2 * t.unit);
      await t.append(group, ["young"]);
      assert.equal(
        await t.outbox.bury({ destinationId: "d" }, "too_old", { olderThanMs: 2 * t.unit - 1, limit: 10 }),
        true,
      );
      assert.deepEqual(
        (await t.dead()).map(({ entryId }) => entryId),
        ["old"],
      );
      assert.deepEqual(await t.drain(), ["young"]);
    },
    "expire removes dead letters of that age, and answers false until none is left": async (t) => {
      await bury(t, ["a", "b", "c"]);
      await t.pass(2 * t.unit);
      await bury(t, ["young"]);
      const o = { deadOlderThanMs: 2 * t.unit - 1, limit: 2 };
      assert.equal(await t.outbox.expire(o), false);
      while (!(await t.outbox.expire(o)));
      assert.deepEqual(
        (await t.dead()).map(({ entryId }) => entryId),
        ["young"],
      );
    },
    "purge forgets entries, dead letters and groups of the destination, and answers false until nothing is left":
      async (t) => {
        const other = await t.open({ destinationId: "other" });
        await bury(t, ["x", "y"]);
        await t.append(other, ["kept"]);
        const group = await t.open();
        await t.append(group, ["a", "b", "c"]);
        assert.equal(await t.outbox.purge("d", { limit: 2 }), false);
        let calls = 1;
        while (!(await t.outbox.purge("d", { limit: 2 }))) assert.ok(++calls < 20);
        assert.deepEqual(await t.dead(), []);
        assert.equal((await t.outbox.depth(["d"]))[0]?.entries ?? 0, 0);
        await assert.rejects(t.append(group, ["a"]), { code: "unknown_group" });
        assert.deepEqual(await t.drain(), ["kept"]);
      },
    "purge half done leaves other tenants' turns alone": async (t) => {
      await t.append(await t.open({ tenantId: "A", destinationId: "A" }), ["a1", "a2"]);
      await t.append(await t.open({ tenantId: "B", destinationId: "B" }), ["b1"]);
      await t.outbox.purge("A", { limit: 1 });
      assert.equal((await t.drain()).includes("b1"), true);
    },
    "after a purge a group opened again is empty and takes the same ids": async (t) => {
      const group = await t.open();
      await t.append(group, ["a"], { dedupeMs: LONG });
      await t.drain();
      await t.append(group, ["b"]);
      while (!(await t.outbox.purge("d", { limit: 10 })));
      await t.open();
      const answers = await t.outbox.append(
        ["a", "b"].map((id) => ({ id, group, priority: 0, items: 1, payload: none })),
      );
      assert.deepEqual(
        answers.map(({ status }) => status),
        ["stored", "stored"],
      );
      assert.deepEqual(ids(await t.take()), ["a", "b"]);
    },
  }),
];
