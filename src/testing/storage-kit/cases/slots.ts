import assert from "node:assert/strict";
import type { Slots } from "../../../storage/ports.ts";
import { type Context, HOSTILE, skip, spawnOf } from "../context.ts";
import { cases } from "./case.ts";

function port(t: Context): Slots {
  return t.storage.slots ?? skip("no slots port");
}

const scope = (key: string, perWindow: number, windowMs: number) => ({ key, perWindow, windowMs });

/** Slots given, in the engine's milliseconds. */
async function given(t: Context, scopes: Parameters<Slots["reserve"]>[0], want: number): Promise<number[]> {
  const now = await t.storage.records.now();
  const answer = await port(t).reserve(scopes, want);
  return "inMs" in answer ? answer.inMs.map((inMs) => now + inMs) : [];
}

/** The most slots within one window, wherever it begins. */
export function most(times: readonly number[], windowMs: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  return Math.max(0, ...sorted.map((from) => sorted.filter((time) => time >= from && time < from + windowMs).length));
}

export const slots = [
  ...cases("slots", {
    "a free key gives slots at once": async (t) => {
      assert.deepEqual(await port(t).reserve([scope("k", 5, 1_000)], 1), { inMs: [0] });
    },
    "1 to want slots, each as early as may be": async (t) => {
      const answer = await port(t).reserve([scope("k", 3, 600)], 5);
      assert.ok("inMs" in answer);
      assert.deepEqual(answer.inMs, [0, 0, 0, 600, 600]);
    },
    "the last slot lies at most 1,000 ms ahead": async (t) => {
      const answer = await port(t).reserve([scope("k", 1, 400)], 10);
      assert.ok("inMs" in answer);
      assert.deepEqual(answer.inMs, [0, 400, 800]);
    },
    "none that soon: retryInMs and the key that blocks": async (t) => {
      await port(t).reserve([scope("k", 1, 5_000)], 1);
      const answer = await port(t).reserve([scope("free", 10, 1_000), scope("k", 1, 5_000)], 1);
      assert.ok("retryInMs" in answer);
      assert.equal(answer.blockedBy, "k");
      assert.ok(answer.retryInMs > 0 && answer.retryInMs <= 5_000);
    },
    "after retryInMs there is a slot": async (t) => {
      const limit = [scope("k", 1, 1_000 + t.unit)];
      await port(t).reserve(limit, 1);
      const answer = await port(t).reserve(limit, 1);
      assert.ok("retryInMs" in answer);
      await t.pass(answer.retryInMs);
      assert.ok("inMs" in (await port(t).reserve(limit, 1)));
    },
    "all scopes or none: a slot that one scope refuses costs the others nothing": async (t) => {
      const narrow = scope("narrow", 1, 60_000);
      const wide = scope("wide", 3, 60_000);
      assert.equal((await given(t, [narrow, wide], 1)).length, 1);
      for (let index = 0; index < 5; index++) assert.equal((await given(t, [narrow, wide], 1)).length, 0);
      assert.equal((await given(t, [wide], 5)).length, 2);
    },
    "a slot keeps all scopes at once": async (t) => {
      const token = scope("token", 2, 500);
      const app = scope("app", 3, 500);
      const answer = await port(t).reserve([token, app], 4);
      assert.ok("inMs" in answer);
      assert.deepEqual(answer.inMs, [0, 0, 500, 500]);
      const other = await port(t).reserve([scope("token2", 2, 500), app], 2);
      assert.ok("inMs" in other);
      assert.equal(Math.min(...other.inMs) < 500, true, "what one token waits for does not stop the other");
    },
    "keys do not touch each other": async (t) => {
      for (const key of HOSTILE.map((id) => `slots/${id}`)) {
        assert.equal((await given(t, [scope(key, 1, 60_000)], 2)).length, 1);
      }
    },
    "each call is judged by the numbers it brings": async (t) => {
      assert.equal((await given(t, [scope("k", 10, 60_000)], 5)).length, 5);
      assert.equal((await given(t, [scope("k", 5, 60_000)], 1)).length, 0);
      assert.equal((await given(t, [scope("k", 8, 60_000)], 10)).length, 3);
    },
    "block: no new slot of the key before then": async (t) => {
      await port(t).block("k", 60_000);
      const answer = await port(t).reserve([scope("free", 5, 1_000), scope("k", 5, 1_000)], 1);
      assert.ok("retryInMs" in answer);
      assert.equal(answer.blockedBy, "k");
      assert.ok(answer.retryInMs > 50_000);
      assert.equal((await given(t, [scope("free", 5, 1_000)], 1)).length, 1);
      await port(t).block("soon", t.unit);
      const soon = await port(t).reserve([scope("soon", 5, 1_000)], 1);
      assert.ok("retryInMs" in soon || (soon.inMs[0] ?? 0) > 0, "a slot behind the block's end");
    },
    "of two blocks the later end counts": async (t) => {
      await port(t).block("k", 60_000);
      await port(t).block("k", 10);
      await t.pass(20);
      assert.equal((await given(t, [scope("k", 5, 1_000)], 1)).length, 0);
    },
    "slots already given stay good after a block, and still count": async (t) => {
      const limit = [scope("k", 2, 3_000)];
      assert.equal((await given(t, limit, 2)).length, 2);
      await port(t).block("k", 1);
      await t.pass(5);
      assert.equal((await given(t, limit, 1)).length, 0);
    },
    "calls at once share the limit": async (t) => {
      const limit = [scope("k", 10, 60_000)];
      const found = await Promise.all(Array.from({ length: 30 }, () => given(t, limit, 1)));
      assert.equal(found.flat().length, 10);
    },
    "slots survive a restart": async (t) => {
      await given(t, [scope("k", 1, 60_000)], 1);
      await port(t).block("b", 60_000);
      await t.reopen();
      assert.equal((await given(t, [scope("k", 1, 60_000)], 1)).length, 0);
      assert.equal((await given(t, [scope("b", 1, 60_000)], 1)).length, 0);
    },
  }),
  ...cases(
    "slots",
    {
      "in no interval of windowMs, wherever it begins, lie more slots than perWindow": async (t) => {
        let seed = 7;
        const random = (below: number) => {
          seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
          return seed % below;
        };
        const app: number[] = [];
        const tokens: number[][] = [[], []];
        for (let round = 0; round < 150; round++) {
          const which = random(2);
          const scopes = [scope(`token${which}`, 3, 1_000), scope("app", 5, 700)];
          const times = await given(t, scopes, 1 + random(4));
          app.push(...times);
          tokens[which]?.push(...times);
          await t.pass(random(300));
        }
        assert.ok(most(app, 700) <= 5, "app");
        for (const times of tokens) assert.ok(most(times, 1_000) <= 3, "token");
        const last = Math.max(...app) - Math.min(...app);
        assert.ok(app.length >= 0.9 * Math.min((last / 700) * 5, (last / 1_000) * 6), "most of the limit is used");
      },
      "slots lie on the window's seam as nowhere else": async (t) => {
        const limit = [scope("k", 2, 1_000)];
        await t.pass(900);
        assert.equal((await given(t, limit, 2)).length, 2);
        await t.pass(150);
        const answer = await port(t).reserve(limit, 2);
        assert.ok("inMs" in answer);
        assert.deepEqual(answer.inMs, [850, 850]);
      },
    },
    { clock: "test" },
  ),
  ...cases(
    "slots",
    {
      "processes whose clocks are two seconds apart keep one limit": async (t) => {
        const spawn = spawnOf(t);
        if (!t.storage.slots) skip("no slots port");
        const job = { type: "reserve", key: "k", perWindow: 5, windowMs: 400, count: 12 } as const;
        const results = await Promise.all([-2_000, 0, 2_000].map((skewMs) => spawn(t.storage, job, { skewMs })));
        const times = results.flatMap((result) => result.times);
        assert.ok(times.length >= 36);
        // A job reads the time before it reserves, so its times may be early by the length of a call.
        assert.ok(most(times, 400 - 100) <= 5, `${most(times, 300)} slots within a window`);
      },
    },
    { clock: "engine", level: "processes" },
  ),
];
