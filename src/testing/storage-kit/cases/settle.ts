import assert from "node:assert/strict";
import type { Claim } from "../../../storage/ports.ts";
import { assertBytes, bytes, type Context, ids, LONG, utf8 } from "../context.ts";
import { cases } from "./case.ts";

const none = bytes();
const letter = (itemIndex: number, reason = "bad") => ({
  itemIndex,
  reason,
  payload: utf8(`item ${itemIndex}`),
  detail: utf8(`detail ${itemIndex}`),
});

async function crash(t: Context, o: { maxItems?: number } = {}): Promise<Claim> {
  const claim = await t.take({ leaseMs: t.unit, ...o });
  await t.pass(t.unit);
  return claim;
}

export const settle = [
  ...cases("outbox", {
    "settle without rest: the entry is gone": async (t) => {
      const group = await t.open();
      await t.append(group, ["a", "b"]);
      assert.equal(await t.outbox.settle(await t.take(), [{ id: "a" }, { id: "b" }]), "settled");
      assert.deepEqual(await t.drain(), []);
      assert.equal((await t.outbox.depth(["d"]))[0]?.entries ?? 0, 0);
    },
    "settle with rest: payload unchanged, progress replaced, ready again after retryInMs": async (t) => {
      const group = await t.open();
      const [position] = await t.append(group, ["a"], { payload: utf8("text"), items: 7 });
      for (const progress of [bytes(1, 2), bytes(3), none]) {
        const claim = await t.take();
        await t.outbox.settle(claim, [{ id: "a", rest: { retryInMs: t.unit, progress } }]);
        assert.equal(await t.claim(), undefined);
        await t.pass(t.unit);
        const again = await t.take();
        const [entry] = again.entries;
        assertBytes(entry?.payload, utf8("text"));
        assertBytes(entry?.progress, progress);
        assert.deepEqual([entry?.items, entry?.position], [7, position]);
        await t.outbox.release(again);
      }
    },
    "settle with rest begins the count of claims anew": async (t) => {
      const group = await t.open();
      await t.append(group, ["a"]);
      await crash(t);
      const second = await t.take();
      assert.equal(second.entries[0]?.claims, 2);
      await t.outbox.settle(second, [{ id: "a", rest: { retryInMs: 0, progress: none } }]);
      assert.equal((await t.take()).entries[0]?.claims, 1);
    },
    "entries not named return to ready, their claims not reset": async (t) => {
      const group = await t.open();
      await t.append(group, ["a", "b"]);
      await t.outbox.settle(await t.take(), [{ id: "a" }]);
      const second = await t.take();
      assert.deepEqual(ids(second), ["b"]);
      assert.equal(second.entries[0]?.claims, 2);
    },
    "an id that is not in the claim is an error, and nothing is settled": async (t) => {
      const group = await t.open();
      await t.append(group, ["a", "b"]);
      const claim = await t.take({ maxItems: 1 });
      await assert.rejects(t.outbox.settle(claim, [{ id: "a" }, { id: "b" }]));
      assert.equal(await t.outbox.settle(claim, [{ id: "a" }]), "settled");
      assert.deepEqual(await t.drain(), ["b"]);
    },
    "lost exactly when another claim has taken one of its entries, and then nothing is done": async (t) => {
      const group = await t.open();
      await t.append(group, ["a", "b"]);
      const first = await crash(t);
      const second = await t.take({ maxItems: 1 });
      assert.deepEqual(ids(second), ["a"]);
      assert.equal(await t.outbox.settle(first, [{ id: "b" }], { holdGroupMs: LONG }), "lost");
      assert.deepEqual(ids(await t.take()), ["b"]);
    },
    "a lost claim leaves no dead letter": async (t) => {
      const group = await t.open();
      await t.append(group, ["a", "b"]);
      const first = await crash(t);
      await t.take({ maxItems: 1 });
      assert.equal(await t.outbox.settle(first, [{ id: "b", dead: [letter(0)] }]), "lost");
      assert.deepEqual(await t.dead(), []);
    },
    "in an exclusive group a claim is lost when another claim has taken the group": async (t) => {
      const group = await t.open({ exclusive: true });
      await t.append(group, ["b"]);
      const first = await crash(t);
      await t.append(group, ["a"], { position: 0 });
      const second = await t.take({ maxItems: 1 });
      assert.deepEqual(ids(second), ["a"]);
      assert.equal(await t.outbox.settle(first, [{ id: "b" }]), "lost");
      assert.equal(await t.outbox.settle(second, [{ id: "a" }]), "settled");
      assert.deepEqual(await t.drain(), ["b"]);
    },
    "a lease that ran out and that nobody took still settles": async (t) => {
      for (const exclusive of [false, true]) {
        const group = await t.open({ exclusive, name: `g${exclusive}` });
        await t.append(group, ["a"]);
        const claim = await crash(t);
        assert.equal(await t.claim({ skipCredentials: ["c"] }), undefined);
        assert.equal(await t.outbox.settle(claim, [{ id: "a" }]), "settled");
        assert.deepEqual(await t.drain(), []);
      }
    },
    "a stale claim that was settled by its successor is lost": async (t) => {
      const group = await t.open();
      await t.append(group, ["a"]);
      const first = await crash(t);
      await t.outbox.settle(await t.take(), [{ id: "a" }]);
      assert.equal(await t.outbox.settle(first, [{ id: "a" }]), "lost");
    },
    "settle repeated within its lease is settled again, and nothing changes": async (t) => {
      const group = await t.open();
      await t.append(group, ["a", "b"]);
      const claim = await t.take();
      const outcomes = [
        { id: "a", dead: [letter(0)] },
        { id: "b", rest: { retryInMs: 0, progress: none } },
      ];
      assert.equal(await t.outbox.settle(claim, outcomes), "settled");
      const next = await t.take();
      assert.deepEqual(ids(next), ["b"]);
      assert.equal(await t.outbox.settle(claim, outcomes), "settled");
      assert.equal((await t.dead()).length, 1);
      assert.equal(await t.outbox.settle(next, [{ id: "b" }]), "settled");
      assert.deepEqual(await t.drain(), []);
    },
    "what was settled survives a restart: dead letters, progress, the time of a retry and a hold": async (t) => {
      const group = await t.open();
      await t.append(group, ["a", "b"]);
      const claim = await t.take();
      const rest = { retryInMs: 2 * t.unit, progress: bytes(1, 2) };
      await t.outbox.settle(
        claim,
        [
          { id: "a", dead: [letter(0)] },
          { id: "b", rest },
        ],
        { holdGroupMs: 4 * t.unit },
      );
      await t.reopen();
      const [dead] = await t.dead();
      assert.deepEqual([dead?.entryId, dead?.reason], ["a", "bad"]);
      assertBytes(dead?.payload, utf8("item 0"));
      assert.equal(await t.claim(), undefined);
      await t.pass(2 * t.unit);
      assert.equal(await t.claim(), undefined, "the group is held");
      await t.pass(2 * t.unit);
      const again = await t.take();
      assert.deepEqual(ids(again), ["b"]);
      assertBytes(again.entries[0]?.progress, bytes(1, 2));
    },
    "settles at once of one claim: applied once": async (t) => {
      const group = await t.open();
      await t.append(group, ["a"]);
      const claim = await t.take();
      const answers = await Promise.all([1, 2, 3].map(() => t.outbox.settle(claim, [{ id: "a", dead: [letter(0)] }])));
      assert.deepEqual(answers, ["settled", "settled", "settled"]);
      assert.equal((await t.dead()).length, 1);
    },
    "lost when its entries were buried": async (t) => {
      const group = await t.open();
      await t.append(group, ["a"]);
      const claim = await crash(t);
      assert.equal(await t.outbox.bury({ destinationId: "d" }, "dropped", { limit: 10 }), true);
      assert.equal(await t.outbox.settle(claim, [{ id: "a", dead: [letter(0)] }]), "lost");
      assert.deepEqual(
        (await t.dead()).map(({ reason }) => reason),
        ["dropped"],
      );
    },
    "lost when its entries were purged": async (t) => {
      const group = await t.open();
      await t.append(group, ["a"]);
      const claim = await t.take();
      while (!(await t.outbox.purge("d", { limit: 10 })));
      assert.equal(await t.outbox.settle(claim, [{ id: "a", dead: [letter(0)] }]), "lost");
      assert.equal(await t.outbox.extend(claim, LONG), false);
      assert.deepEqual(await t.dead(), []);
    },
    "settle with a hold: the group is not due before it is over": async (t) => {
      const group = await t.open();
      await t.append(group, ["a", "b"]);
      const claim = await t.take({ maxItems: 1 });
      await t.outbox.settle(claim, [{ id: "a" }], { holdGroupMs: 2 * t.unit });
      assert.equal(await t.claim(), undefined);
      await t.append(group, ["c"]);
      assert.equal(await t.claim(), undefined);
      await t.append(await t.open({ name: "events/2" }), ["other"]);
      assert.deepEqual(await t.drain(), ["other"]);
      await t.pass(2 * t.unit);
      assert.deepEqual(await t.drain(), ["b", "c"]);
    },
    "of two holds the later end counts": async (t) => {
      const group = await t.open();
      await t.append(group, ["a", "b", "c"]);
      const [first, second] = [await t.take({ maxItems: 1 }), await t.take({ maxItems: 1 })];
      await t.outbox.settle(first, [{ id: "a" }], { holdGroupMs: LONG });
      await t.outbox.settle(second, [{ id: "b" }], { holdGroupMs: 1 });
      await t.pass(t.unit);
      assert.equal(await t.claim(), undefined);
    },
    "release counts neither the claim nor the turn": async (t) => {
      await t.append(await t.open({ tenantId: "A", destinationId: "A", credentialId: "cA" }), ["a"]);
      await t.append(await t.open({ tenantId: "B", destinationId: "B", credentialId: "cB" }), ["b1", "b2", "b3"]);
      for (const id of ["b1", "b2"]) {
        await t.outbox.settle(await t.take({ maxItems: 1, skipCredentials: ["cA"] }), [{ id }]);
      }
      // B is ahead: the turn is A's, and stays A's when A gives it back.
      for (let index = 0; index < 3; index++) {
        const claim = await t.take({ maxItems: 1 });
        assert.deepEqual([claim.group.tenantId, claim.entries[0]?.claims], ["A", 1]);
        await t.outbox.release(claim);
      }
    },
    "release keeps entries, payload and progress, and the claim is over": async (t) => {
      const group = await t.open({ exclusive: true });
      await t.append(group, ["a", "b"], { payload: utf8("text") });
      await t.outbox.settle(await t.take({ maxItems: 1 }), [{ id: "a", rest: { retryInMs: 0, progress: bytes(5) } }]);
      const claim = await t.take();
      await t.outbox.release(claim);
      await t.outbox.release(claim);
      assert.equal(await t.outbox.settle(claim, [{ id: "a" }]), "lost");
      const again = await t.take();
      assert.deepEqual(ids(again), ["a", "b"]);
      assertBytes(again.entries[0]?.progress, bytes(5));
      assert.deepEqual(
        again.entries.map(({ claims }) => claims),
        [1, 1],
      );
    },
    "release with a hold": async (t) => {
      const group = await t.open();
      await t.append(group, ["a"]);
      await t.outbox.release(await t.take(), { holdGroupMs: 2 * t.unit });
      assert.equal(await t.claim(), undefined);
      await t.pass(2 * t.unit);
      assert.deepEqual(await t.drain(), ["a"]);
    },
    "a released claim of a lease that another took changes nothing": async (t) => {
      const group = await t.open();
      await t.append(group, ["a"]);
      const first = await crash(t);
      const second = await t.take();
      await t.outbox.release(first);
      assert.equal(await t.claim(), undefined);
      await t.outbox.release(first, { holdGroupMs: LONG });
      await t.append(group, ["b"]);
      assert.deepEqual(await t.drain(), ["b"]);
      assert.equal(await t.outbox.settle(second, [{ id: "a" }]), "settled");
    },
    "dead items of an entry whose other items go on": async (t) => {
      const group = await t.open();
      const [position] = await t.append(group, ["a"], { items: 3 });
      const claim = await t.take();
      const rest = { retryInMs: 0, progress: bytes(1) };
      await t.outbox.settle(claim, [{ id: "a", dead: [letter(0), letter(2, "worse")], rest }]);
      const found = await t.dead();
      assert.deepEqual(found.map(({ itemIndex, reason }) => [itemIndex, reason]).sort(), [
        [0, "bad"],
        [2, "worse"],
      ]);
      for (const one of found) {
        assert.deepEqual([one.entryId, one.position, one.claims], ["a", position, 1]);
        assert.deepEqual(one.group, group);
        assertBytes(one.payload, utf8(`item ${one.itemIndex}`));
        assertBytes(one.detail, utf8(`detail ${one.itemIndex}`));
      }
      assert.deepEqual(await t.drain(), ["a"]);
    },
  }),
  ...cases(
    "outbox",
    {
      "settle repeated within its lease is settled again after the entries went on": async (t) => {
        const group = await t.open();
        await t.append(group, ["a"]);
        const claim = await t.take({ leaseMs: 60_000 });
        assert.equal(await t.outbox.settle(claim, [{ id: "a" }]), "settled");
        await t.pass(59_000);
        await t.append(group, ["b"]);
        await t.drain();
        assert.equal(await t.outbox.settle(claim, [{ id: "a" }]), "settled");
      },
    },
    { clock: "test" },
  ),
];
