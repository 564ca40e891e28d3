import assert from "node:assert/strict";
import type { Claim } from "../../../storage/ports.ts";
import { assertBytes, bytes, type Context, HOUR, ids, LONG, skip, spawnOf, utf8 } from "../context.ts";
import { cases } from "./case.ts";

/** Claims one item at a time and answers the tenants in the order of their turns. */
async function turns(t: Context, count: number, skipCredentials: string[] = []): Promise<string[]> {
  const order: string[] = [];
  for (let index = 0; index < count; index++) {
    const claim = await t.take({ maxItems: 1, skipCredentials });
    order.push(claim.group.tenantId);
    await t.outbox.settle(claim, [{ id: claim.entries[0]?.id ?? "" }]);
  }
  return order;
}

async function tenant(t: Context, name: string, entries: number) {
  const group = await t.open({ tenantId: name, destinationId: name, credentialId: name });
  await t.append(
    group,
    Array.from({ length: entries }, (_, index) => `${name}${index}`),
  );
  return group;
}

/** Claims and lets the lease run out, so that the count of claims rises by one. */
async function crash(t: Context, o: { maxItems?: number } = {}): Promise<Claim> {
  const claim = await t.take({ leaseMs: t.unit, ...o });
  await t.pass(t.unit);
  return claim;
}

const none = bytes();

/** Fails the case when the promise takes much longer than it should. */
const soon = (promise: Promise<void>): Promise<void> => within(5_000, promise);

async function within(ms: number, promise: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new assert.AssertionError({ message: "it did not return" })), ms);
  });
  await Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

export const claim = [
  ...cases("outbox", {
    "a claim brings what was appended": async (t) => {
      const group = await t.open();
      await t.append(group, ["a"], { items: 3, payload: utf8("text") });
      const found = await t.take();
      assert.deepEqual(found.group, group);
      const [entry] = found.entries;
      assert.deepEqual([entry?.id, entry?.items, entry?.claims, entry?.progress], ["a", 3, 1, undefined]);
      assertBytes(entry?.payload, utf8("text"));
      assert.ok(typeof found.id === "string" && found.id.length > 0);
    },
    "nothing due is undefined": async (t) => {
      assert.equal(await t.claim(), undefined);
      await t.open();
      assert.equal(await t.claim(), undefined);
    },
    "a claim holds entries of one group": async (t) => {
      for (const name of ["events/1", "events/2"]) await t.append(await t.open({ name }), [`${name} a`, `${name} b`]);
      const first = ids(await t.take());
      const second = ids(await t.take());
      assert.deepEqual([first, second].sort(), [
        ["events/1 a", "events/1 b"],
        ["events/2 a", "events/2 b"],
      ]);
    },
    "entries come in position order": async (t) => {
      const group = await t.open();
      await t.append(group, ["c"], { position: 30 });
      await t.append(group, ["a"], { position: 10 });
      await t.append(group, ["b"], { position: 20 });
      assert.deepEqual(ids(await t.take()), ["a", "b", "c"]);
    },
    "as many entries as fit maxItems": async (t) => {
      const group = await t.open();
      await t.append(group, ["a", "b", "c"], { items: 4 });
      assert.deepEqual(ids(await t.take({ maxItems: 8 })), ["a", "b"]);
      assert.deepEqual(ids(await t.take({ maxItems: 8 })), ["c"]);
    },
    "as many entries as fit maxBytes": async (t) => {
      const group = await t.open();
      await t.append(group, ["a", "b", "c"], { payload: new Uint8Array(100) });
      assert.deepEqual(ids(await t.take({ maxBytes: 299 })), ["a", "b"]);
    },
    "at least one entry, even if that one is over maxItems or maxBytes": async (t) => {
      const group = await t.open();
      await t.append(group, ["a", "b"], { items: 10, payload: new Uint8Array(100) });
      assert.deepEqual(ids(await t.take({ maxItems: 5 })), ["a"]);
      assert.deepEqual(ids(await t.take({ maxBytes: 50 })), ["b"]);
    },
    "not due: its delay is not over": async (t) => {
      const group = await t.open();
      await t.append(group, ["a"], { delayMs: 100_000 });
      assert.equal(await t.claim(), undefined);
      await t.append(await t.open({ name: "events/2" }), ["b"], { delayMs: t.unit });
      await t.pass(t.unit);
      assert.deepEqual(await t.drain(), ["b"]);
    },
    "not due: its credential is skipped": async (t) => {
      await t.append(await t.open({ name: "events/1", credentialId: "c1" }), ["a"]);
      await t.append(await t.open({ name: "events/2", credentialId: "c2" }), ["b"]);
      assert.deepEqual(await t.drain({ skipCredentials: ["c1"] }), ["b"]);
      assert.equal(await t.claim({ skipCredentials: ["c1", "c2"] }), undefined);
      assert.deepEqual(await t.drain({ skipCredentials: ["c2"] }), ["a"]);
    },
    "a shared group has any number of claims open": async (t) => {
      const group = await t.open();
      await t.append(group, ["a", "b", "c"]);
      const claims = [await t.take({ maxItems: 1 }), await t.take({ maxItems: 1 }), await t.take({ maxItems: 1 })];
      assert.deepEqual(claims.flatMap(ids), ["a", "b", "c"]);
      assert.equal(await t.claim(), undefined);
    },
    "an exclusive group has at most one claim open": async (t) => {
      const group = await t.open({ exclusive: true });
      await t.append(group, ["a", "b"]);
      const first = await t.take({ maxItems: 1 });
      assert.equal(await t.claim(), undefined);
      await t.append(group, ["c"]);
      assert.equal(await t.claim(), undefined);
      await t.outbox.settle(first, [{ id: "a" }]);
      assert.deepEqual(ids(await t.take()), ["b", "c"]);
    },
    "an exclusive group goes strictly by position, whatever the priority": async (t) => {
      const group = await t.open({ exclusive: true });
      await t.append(group, ["a"], { priority: 2 });
      await t.append(group, ["b"], { priority: 1 });
      await t.append(group, ["c"], { priority: 0 });
      assert.deepEqual(ids(await t.take({ maxItems: 2 })), ["a", "b"]);
    },
    "in an exclusive group a head that waits for its retry holds the group": async (t) => {
      const group = await t.open({ exclusive: true });
      await t.append(group, ["a", "b"]);
      const first = await t.take({ maxItems: 1 });
      await t.outbox.settle(first, [{ id: "a", rest: { retryInMs: 2 * t.unit, progress: none } }]);
      assert.equal(await t.claim(), undefined);
      await t.append(group, ["c"]);
      assert.equal(await t.claim(), undefined);
      await t.pass(2 * t.unit);
      assert.deepEqual(ids(await t.take()), ["a", "b", "c"]);
    },
    "in an exclusive group one in the middle that waits holds what comes behind it": async (t) => {
      const group = await t.open({ exclusive: true });
      await t.append(group, ["a", "b", "c"]);
      const first = await t.take({ maxItems: 2 });
      await t.outbox.settle(first, [{ id: "b", rest: { retryInMs: 2 * t.unit, progress: none } }]);
      assert.deepEqual(ids(await t.take()), ["a"]);
    },
    "claims at once never share an entry": async (t) => {
      const group = await t.open();
      const all = Array.from({ length: 60 }, (_, index) => `e${index}`);
      await t.append(group, all);
      const claims = await Promise.all(Array.from({ length: 20 }, () => t.claim({ maxItems: 4 })));
      const found = claims.flatMap(ids);
      assert.equal(new Set(found).size, found.length);
      const rest = await t.drain();
      assert.deepEqual([...found, ...rest].sort(), [...all].sort());
    },
    "claims at once of an exclusive group: one": async (t) => {
      const group = await t.open({ exclusive: true });
      await t.append(group, ["a", "b", "c", "d"]);
      const claims = await Promise.all(Array.from({ length: 8 }, () => t.claim({ maxItems: 1 })));
      assert.deepEqual(claims.flatMap(ids), ["a"]);
    },
    "tenants that wait take turns": async (t) => {
      for (const name of ["A", "B", "C"]) await tenant(t, name, 6);
      const order = await turns(t, 9);
      for (let round = 0; round < 3; round++) {
        assert.deepEqual(order.slice(3 * round, 3 * round + 3).sort(), ["A", "B", "C"]);
      }
    },
    "a tenant with a hundred times the work gets no more turns": async (t) => {
      await tenant(t, "noisy", 200);
      await tenant(t, "quiet", 10);
      const order = await turns(t, 20);
      assert.equal(order.filter((name) => name === "quiet").length, 10);
    },
    "a tenant with many groups is one tenant": async (t) => {
      for (let index = 0; index < 5; index++) {
        const group = await t.open({ tenantId: "many", destinationId: `m${index}` });
        await t.append(group, [`a${index}`, `b${index}`]);
      }
      await tenant(t, "one", 5);
      const order = await turns(t, 10);
      assert.equal(order.filter((name) => name === "one").length, 5);
    },
    "a tenant that returns does not catch up on turns it did not want": async (t) => {
      await tenant(t, "A", 60);
      await tenant(t, "B", 2);
      await turns(t, 30);
      await tenant(t, "B", 0);
      await t.append(
        t.group({ tenantId: "B", destinationId: "B" }),
        Array.from({ length: 20 }, (_, index) => `later${index}`),
      );
      const order = await turns(t, 12);
      const shareOfB = order.filter((name) => name === "B").length;
      assert.ok(shareOfB >= 5 && shareOfB <= 7, `B had ${shareOfB} of 12`);
    },
    "a tenant that returns is not behind either": async (t) => {
      await tenant(t, "A", 60);
      await turns(t, 30);
      await tenant(t, "new", 5);
      const order = await turns(t, 4);
      assert.ok(order.slice(0, 3).includes("new"), order.join());
    },
    "in a tenant the lowest priority number comes first": async (t) => {
      for (const [name, priority] of [
        ["bulk", 2],
        ["live", 0],
        ["membership", 1],
      ] as const) {
        await t.append(await t.open({ name, destinationId: name }), [name], { priority });
      }
      assert.deepEqual(await t.drain(), ["live", "membership", "bulk"]);
    },
    "of one priority the oldest comes first": async (t) => {
      const names = ["first", "second", "third"];
      for (const name of names) {
        await t.append(await t.open({ name, destinationId: name }), [name]);
        await t.pass(20);
      }
      assert.deepEqual(await t.drain(), names);
    },
    "every fourth claim of a tenant takes the oldest whatever its priority": async (t) => {
      const bulk = await t.open({ name: "bulk" });
      await t.append(bulk, ["bulk0", "bulk1"], { priority: 2 });
      const live = await t.open({ name: "live" });
      await t.append(
        live,
        Array.from({ length: 10 }, (_, index) => `live${index}`),
      );
      const order: string[] = [];
      for (let index = 0; index < 8; index++) order.push(...ids(await t.take({ maxItems: 1 })));
      assert.deepEqual(
        order.map((id) => id.slice(0, 4)),
        ["live", "live", "live", "bulk", "live", "live", "live", "bulk"],
      );
    },
    "a shared group gives its lowest priority numbers first": async (t) => {
      const group = await t.open();
      await t.append(group, ["replay"], { priority: 3, position: 0 });
      await t.append(group, ["bulk"], { priority: 2 });
      await t.append(group, ["live"], { priority: 0 });
      assert.deepEqual(ids(await t.take({ maxItems: 1 })), ["live"]);
      assert.deepEqual(ids(await t.take({ maxItems: 2 })), ["replay", "bulk"]);
    },
    "a first delay only says when the group becomes due: other never-claimed entries come along": async (t) => {
      const group = await t.open();
      await t.append(group, ["a"], { delayMs: t.unit });
      await t.append(group, ["b"], { delayMs: 100_000 });
      await t.pass(t.unit);
      assert.deepEqual(ids(await t.take()), ["a", "b"]);
    },
    "what a claim left behind lingers on if its own delay is not over": async (t) => {
      const group = await t.open();
      await t.append(group, ["a"]);
      await t.append(group, ["b"], { delayMs: 100_000 });
      assert.deepEqual(ids(await t.take({ maxItems: 1 })), ["a"]);
      assert.equal(await t.claim(), undefined);
    },
    "an entry that waits for a retry comes when its own time is over": async (t) => {
      const group = await t.open();
      await t.append(group, ["a", "b"]);
      const first = await t.take({ maxItems: 1 });
      await t.outbox.settle(first, [{ id: "a", rest: { retryInMs: 2 * t.unit, progress: none } }]);
      assert.deepEqual(await t.drain(), ["b"]);
      await t.pass(2 * t.unit);
      assert.deepEqual(await t.drain(), ["a"]);
    },
    "an entry claimed five times without a settle comes alone": async (t) => {
      const group = await t.open();
      await t.append(group, ["a"]);
      for (let count = 1; count <= 5; count++) assert.equal((await crash(t)).entries[0]?.claims, count);
      await t.append(group, ["b", "c"]);
      const claims = [await t.take(), await t.take()].map(ids).sort();
      assert.deepEqual(claims, [["a"], ["b", "c"]]);
    },
    "in an exclusive group an entry claimed five times comes alone, in its place": async (t) => {
      const group = await t.open({ exclusive: true });
      await t.append(group, ["a"]);
      for (let count = 1; count <= 5; count++) await crash(t);
      await t.append(group, ["0"], { position: 0 });
      await t.append(group, ["b"]);
      for (const expected of [["0"], ["a"], ["b"]]) {
        const found = await t.take();
        assert.deepEqual(ids(found), expected);
        await t.outbox.settle(
          found,
          expected.map((id) => ({ id })),
        );
      }
    },
    "a claim is counted durably before it is returned": async (t) => {
      const group = await t.open();
      await t.append(group, ["a"]);
      const first = await t.take({ leaseMs: t.unit });
      await t.reopen();
      assert.equal(await t.claim(), undefined);
      await t.pass(t.unit);
      const second = await t.take();
      assert.equal(second.entries[0]?.claims, 2);
      assert.ok(second.fence > first.fence);
    },
    "a lost answer costs one lease and one count, nothing else": async (t) => {
      const group = await t.open();
      const [position] = await t.append(group, ["a"], { payload: utf8("text") });
      await t.claim({ leaseMs: t.unit });
      assert.equal(await t.claim(), undefined);
      await t.pass(t.unit);
      const [entry] = (await t.take()).entries;
      assert.deepEqual([entry?.id, entry?.claims, entry?.position], ["a", 2, position]);
      assertBytes(entry?.payload, utf8("text"));
    },
    "the fence rises per group with every claim": async (t) => {
      const group = await t.open();
      await t.append(group, ["a", "b", "c"]);
      let last = 0;
      for (let index = 0; index < 3; index++) {
        const { fence } = await t.take({ maxItems: 1 });
        assert.ok(Number.isSafeInteger(fence) && fence > last);
        last = fence;
      }
    },
    "the fence does not go back when the group is empty, nor after a restart": async (t) => {
      const group = await t.open();
      await t.append(group, ["a"]);
      const first = await t.take();
      await t.outbox.settle(first, [{ id: "a" }]);
      await t.append(group, ["b"]);
      const second = await t.take();
      assert.ok(second.fence > first.fence);
      await t.outbox.settle(second, [{ id: "b" }]);
      await t.reopen();
      await t.append(group, ["c"]);
      assert.ok((await t.take()).fence > second.fence);
    },
    "the fence does not go back when the group is purged and opened again": async (t) => {
      const group = await t.open();
      await t.append(group, ["a"]);
      const first = await t.take();
      while (!(await t.outbox.purge("d", { limit: 10 })));
      await t.open();
      await t.append(group, ["a"]);
      assert.ok((await t.take()).fence > first.fence);
    },
    "in a shared group an entry belongs to the claim that took it last": async (t) => {
      const group = await t.open();
      await t.append(group, ["a"]);
      const first = await crash(t);
      const second = await t.take();
      assert.equal(await t.outbox.settle(first, [{ id: "a" }]), "lost");
      assert.equal(await t.outbox.settle(second, [{ id: "a" }]), "settled");
    },
    "extend moves the end of the lease, from now": async (t) => {
      const group = await t.open();
      await t.append(group, ["a"]);
      const found = await t.take({ leaseMs: 2 * t.unit });
      assert.equal(await t.outbox.extend(found, LONG), true);
      await t.pass(2 * t.unit);
      assert.equal(await t.claim(), undefined);
    },
    "extend also shortens, because it counts from now": async (t) => {
      const group = await t.open();
      await t.append(group, ["a"]);
      const found = await t.take({ leaseMs: LONG });
      assert.equal(await t.outbox.extend(found, t.unit), true);
      await t.pass(t.unit);
      assert.deepEqual(await t.drain(), ["a"]);
    },
    "extend answers false when the claim is lost": async (t) => {
      const group = await t.open();
      await t.append(group, ["a"]);
      const first = await crash(t);
      await t.take();
      assert.equal(await t.outbox.extend(first, LONG), false);
    },
    "extend answers false in an exclusive group whose claim is lost": async (t) => {
      const group = await t.open({ exclusive: true });
      await t.append(group, ["a", "b"]);
      const first = await crash(t, { maxItems: 1 });
      await t.take({ maxItems: 1 });
      assert.equal(await t.outbox.extend(first, LONG), false);
    },
    "extend keeps a claim whose lease ran out and that nobody took": async (t) => {
      const group = await t.open({ exclusive: true });
      await t.append(group, ["a", "b"]);
      const found = await crash(t);
      assert.equal(await t.claim({ skipCredentials: ["c"] }), undefined);
      assert.equal(await t.outbox.extend(found, LONG), true);
      assert.equal(await t.claim(), undefined);
      assert.equal(await t.outbox.settle(found, [{ id: "a" }, { id: "b" }]), "settled");
    },
    "wait returns when work may be ready": async (t) => {
      const group = await t.open();
      assert.equal(await t.claim(), undefined);
      const stop = new AbortController();
      const waiting = t.outbox.wait({ maxMs: 60_000, signal: stop.signal });
      await new Promise((resolve) => setTimeout(resolve, 20));
      await t.append(group, ["a"]);
      await soon(waiting).finally(() => stop.abort());
    },
    "wait returns after maxMs, and when it is aborted": async (t) => {
      assert.equal(await t.claim(), undefined);
      await soon(t.outbox.wait({ maxMs: 30, signal: new AbortController().signal }));
      const stop = new AbortController();
      const waiting = t.outbox.wait({ maxMs: 60_000, signal: stop.signal });
      await new Promise((resolve) => setTimeout(resolve, 20));
      stop.abort();
      await soon(waiting);
      await soon(t.outbox.wait({ maxMs: 60_000, signal: stop.signal }));
    },
  }),
  ...cases(
    "outbox",
    {
      "wait returns when a delay, a hold or a lease is over": async (t) => {
        const group = await t.open();
        const patienceMs = Math.min(10 * t.unit, 4_000);
        const woken = async () => {
          assert.equal(await t.claim(), undefined);
          // It may return without work: then it is asked again.
          for (let turn = 0; turn < 1_000; turn++) {
            const stop = new AbortController();
            const waiting = t.outbox.wait({ maxMs: 60_000, signal: stop.signal });
            await within(patienceMs, waiting).finally(() => stop.abort());
            const found = await t.claim();
            if (found) return found;
          }
          return assert.fail("nothing became due");
        };
        await t.append(group, ["a"], { delayMs: t.unit });
        await t.outbox.release(await woken(), { holdGroupMs: t.unit });
        await t.outbox.extend(await woken(), t.unit);
        assert.deepEqual(ids(await woken()), ["a"]);
      },
    },
    { clock: "engine" },
  ),
  ...cases(
    "outbox",
    {
      "where wakes is true, wait hears what another process has appended": async (t) => {
        if (!t.storage.capabilities.wakes) skip("wait hears its own process only");
        const spawn = spawnOf(t);
        const group = await t.open();
        assert.equal(await t.claim(), undefined);
        const stop = new AbortController();
        const waiting = t.outbox.wait({ maxMs: 60_000, signal: stop.signal });
        await spawn(t.storage, { type: "append", group, prefix: "p", count: 1 }, { skewMs: 0 });
        await within(Math.min(10 * t.unit, 3_000), waiting).finally(() => stop.abort());
      },
    },
    { clock: "engine", level: "processes" },
  ),
  ...cases(
    "outbox",
    {
      "ageMs counts from the append, over retries": async (t) => {
        const group = await t.open();
        await t.append(group, ["a"]);
        await t.pass(5 * HOUR);
        const first = await t.take();
        assert.equal(first.entries[0]?.ageMs, 5 * HOUR);
        await t.outbox.settle(first, [{ id: "a", rest: { retryInMs: HOUR, progress: none } }]);
        await t.pass(HOUR - 1);
        assert.equal(await t.claim(), undefined);
        await t.pass(1);
        assert.equal((await t.take()).entries[0]?.ageMs, 6 * HOUR);
      },
      "a lease ends when it is over, not before": async (t) => {
        const group = await t.open();
        await t.append(group, ["a"]);
        await t.take({ leaseMs: 60_000 });
        await t.pass(59_999);
        assert.equal(await t.claim(), undefined);
        await t.pass(1);
        assert.deepEqual(ids(await t.take()), ["a"]);
      },
      "a delay ends when it is over, not before": async (t) => {
        const group = await t.open();
        await t.append(group, ["a"], { delayMs: 60_000 });
        await t.pass(59_999);
        assert.equal(await t.claim(), undefined);
        await t.pass(1);
        assert.deepEqual(ids(await t.take()), ["a"]);
      },
    },
    { clock: "test" },
  ),
];
