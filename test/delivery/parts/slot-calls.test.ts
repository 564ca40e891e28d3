import { describe, expect, it } from "vitest";
import type { LimitScope } from "../../../src/delivery/index.ts";
import { createSlotCalls } from "../../../src/delivery/slot-calls.ts";
import type { Slots } from "../../../src/storage/ports.ts";
import { createFakeClock } from "../../../src/testing/clock.ts";

const A: LimitScope = { key: "a", perWindow: 10, windowMs: 1_000 };
const B: LimitScope = { key: "b", perWindow: 10, windowMs: 1_000 };

/** Calls that take as long as the test says, and are answered so. */
function calling(answer: (want: number, call: number) => Awaited<ReturnType<Slots["reserve"]>>, tookMs = [10]) {
  const clock = createFakeClock();
  const asked: { keys: string; want: number; lateMs: number }[] = [];
  let lateMs = -1;
  const calls = createSlotCalls({
    clock,
    goodForMs: 250,
    limitNow(scope, late) {
      lateMs = late;
      return { ...scope, key: `${scope.key}!` };
    },
    slots: {
      async reserve(scopes, want) {
        const call = asked.length;
        asked.push({ keys: scopes.map(({ key }) => key).join(), want, lateMs });
        await clock.sleep(tookMs[Math.min(call, tookMs.length - 1)] ?? 0);
        return answer(want, call);
      },
      async block() {},
    },
  });
  return { clock, calls, asked };
}
const all = (want: number) => ({ inMs: Array.from({ length: want }, (_, n) => n) });

describe("who asks for a slot", () => {
  it("is told when it is and how long the call was on its way", async () => {
    const { clock, calls, asked } = calling(() => ({ inMs: [7] }));
    await clock.advance(100);
    expect(await clock.run(calls.ask([A, B]))).toEqual({ inMs: 7, askedAt: 100, answeredAt: 110, lateMs: 0 });
    expect(asked).toEqual([{ keys: "a!,b!", want: 1, lateMs: 0 }]);
  });

  it("shares the next call with all who ask for the same meanwhile, a hundred at most", async () => {
    const { clock, calls, asked } = calling(all);
    const answers = await clock.run(Promise.all(Array.from({ length: 152 }, () => calls.ask([A]))));
    expect(asked.map(({ want }) => want)).toEqual([1, 100, 51]);
    expect(answers.map((one) => ("inMs" in one ? one.inMs : -1))).toEqual([0, ...all(100).inMs, ...all(51).inMs]);
    await clock.run(calls.ask([A]));
    expect(asked).toHaveLength(4);
  });

  it("waits for nobody who asks for other limits", async () => {
    const { clock, calls, asked } = calling(all);
    await clock.run(Promise.all([calls.ask([A]), calls.ask([B]), calls.ask([A, B]), calls.ask([A])]));
    expect(asked.map(({ keys, want }) => [keys, want])).toEqual([
      ["a!", 1],
      ["b!", 1],
      ["a!,b!", 1],
      ["a!", 1],
    ]);
  });

  it("keeps its place where the engine gives fewer than were asked for", async () => {
    const { clock, calls, asked } = calling((want, call) => all(call === 1 ? 2 : want));
    const done: number[] = [];
    const asking = [0, 1, 2, 3, 4].map((n) => calls.ask([A]).then(() => done.push(n)));
    await clock.advance(15);
    asking.push(calls.ask([A]).then(() => done.push(5)));
    await clock.run(Promise.all(asking));
    expect(done).toEqual([0, 1, 2, 3, 4, 5]);
    expect(asked.map(({ want }) => want)).toEqual([1, 4, 3]);
  });

  it("is told with all others of the call that there is none soon", async () => {
    const { clock, calls, asked } = calling((want, call) =>
      call === 1 ? { retryInMs: 5, blockedBy: "a" } : all(want),
    );
    const [first, ...others] = await clock.run(Promise.all([calls.ask([A]), calls.ask([A]), calls.ask([A])]));
    expect(first).toHaveProperty("inMs");
    expect(others).toEqual(Array(2).fill({ retryInMs: 5, blockedBy: "a", answeredAt: 20 }));
    expect(asked).toHaveLength(2);
  });

  it("hears of a call that failed; who came meanwhile has the next one", async () => {
    const { clock, calls, asked } = calling((want, call) => {
      if (call === 0) throw new Error("away");
      return all(want);
    });
    const answers = await clock.run(Promise.allSettled([calls.ask([A]), calls.ask([A])]));
    expect(answers.map(({ status }) => status)).toEqual(["rejected", "fulfilled"]);
    expect(asked).toHaveLength(2);
    await clock.run(calls.ask([A]));
  });
});

it("slots are good for longer where calls usually take longer: by the middle of the last five", async () => {
  const { clock, calls, asked } = calling(all, [300, 100, 200, 170, 160, 1_000, 1_000, 1_000, 20, 20, 20, 20]);
  const lates: number[] = [];
  for (let n = 0; n < 12; n++) {
    const answer = await clock.run(calls.ask([A]));
    if ("lateMs" in answer) lates.push(answer.lateMs);
  }
  // Of an even number the smaller of the two in the middle: 300, 100, 200, 170, 170, 170, 200, 1,000, …, 20.
  expect(lates).toEqual([0, 200, 0, 50, 5, 5, 5, 50, 1_250, 1_250, 1_250, 0]);
  expect(asked.map(({ lateMs }) => lateMs)).toEqual(lates);
});
