import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createTurns } from "../../src/snapchat/turns.ts";
import { openShop, purchase, type Shop } from "./shop.ts";

describe("turns of the event loop", () => {
  it("are not waited for while there is time", () => {
    const turn = createTurns(60_000);
    expect([turn(), turn(), turn()]).toEqual([undefined, undefined, undefined]);
  });

  it("come one by one, in the order of waiting, and others have theirs between", async () => {
    const turn = createTurns(0);
    const order: string[] = [];
    const work = async (name: string) => {
      for (let step = 0; step < 3; step++) {
        const wait = turn();
        if (wait) await wait;
        order.push(name + step);
      }
    };
    const others = (async () => {
      for (let n = 0; n < 6; n++) {
        order.push("·");
        await nextTurn();
      }
    })();
    await Promise.all([work("a"), work("b"), others]);
    expect(order.join(" ")).toBe("· a0 · a1 · b0 · a2 · b1 · b2");
  });
});

describe("track, called many times at once", () => {
  let shop: Shop;
  beforeEach(async () => {
    shop = await openShop();
  });
  afterEach(() => shop.close());

  it("leaves the event loop to others while it works", async () => {
    let done = false;
    const calls = Array.from({ length: 20 }, (_, call) =>
      shop.acme.track(Array.from({ length: 200 }, (_, n) => purchase(`${call}-${n}`))),
    );
    const all = Promise.all(calls).finally(() => {
      done = true;
    });
    let turns = 0;
    for (; !done; turns++) await nextTurn();
    await all;
    expect(turns).toBeGreaterThan(5);
  });
});
