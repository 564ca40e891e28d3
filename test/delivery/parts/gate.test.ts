import { describe, expect, it } from "vitest";
import { createGate, type GateOptions } from "../../../src/delivery/gate.ts";
import type { Reservation, Slot } from "../../../src/delivery/limits.ts";
import { createFakeClock } from "../../../src/testing/clock.ts";

const SCOPES = [{ key: "k", perWindow: 1, windowMs: 1_000 }];

/** A gate whose limits answer one after the other what the test says, and the last for ever. */
function gate(
  answers: ((nowMs: number) => Slot | number)[],
  more: Partial<Omit<GateOptions, "lease">> & { ensure?: () => Promise<boolean>; remainingMs?: () => number } = {},
) {
  const { ensure = async () => true, remainingMs = () => 60_000, ...options } = more;
  const clock = createFakeClock();
  const needed: number[] = [];
  let asked = 0;
  const one = createGate({
    clock,
    limits: {
      async reserve(scopes: unknown): Promise<Reservation> {
        expect(scopes).toBe(SCOPES);
        const said = answers[Math.min(asked, answers.length - 1)]?.(clock.monotonic()) ?? 1_000;
        asked++;
        return typeof said === "number" ? { retryInMs: said, blockedBy: "k" } : { slot: said };
      },
    } as GateOptions["limits"],
    scopes: SCOPES,
    lease: {
      lost: false,
      remainingMs,
      ensure: async (ms) => {
        needed.push(ms);
        return ensure();
      },
      end() {},
    },
    signal: new AbortController().signal,
    deadlineMs: 20_000,
    ...options,
  });
  return { clock, gate: one, needed, asked: () => asked, pass: () => clock.run(one.pass()) };
}
const at = (fromMs: number, goodForMs = 250) => ({ fromMs, toMs: fromMs + goodForMs });
const refusal = (why: string, retryAfterMs: number) => ({
  ...{ code: "slot_refused", kind: "retry", message: `A request did not leave: ${why}.`, retryAfterMs },
  ...{ fix: "It is tried again by itself.", details: { sent: "no" } },
});

describe("a request passes", () => {
  it("at the time of the slot that was reserved for it, the next one at a slot of its own", async () => {
    const { clock, gate: one, pass, asked, needed } = gate([() => at(900)], { first: at(300) });
    await pass();
    expect([clock.monotonic(), asked(), one.passed]).toEqual([300, 0, 1]);
    await pass();
    expect([clock.monotonic(), asked(), one.passed]).toEqual([900, 1, 2]);
    expect(needed).toEqual([20_000, 20_000]);
  });

  it("at once where the slot is now", async () => {
    const { clock, pass } = gate([() => at(0)]);
    await pass();
    expect(clock.monotonic()).toBe(0);
  });

  it("after waiting for a slot no longer than its patience", async () => {
    const waiting = gate([() => 9_000, () => 1_000, () => at(10_000)]);
    await waiting.pass();
    expect(waiting.clock.monotonic()).toBe(10_000);
    const impatient = gate([() => 9_000, () => 1_001]);
    await expect(impatient.pass()).rejects.toMatchObject(refusal("no slot is free soon enough", 1_001));
    expect([impatient.clock.monotonic(), impatient.gate.passed]).toEqual([9_000, 0]);
    const brief = gate([() => 501], { patienceMs: 500 });
    await expect(brief.pass()).rejects.toMatchObject(refusal("no slot is free soon enough", 501));
  });

  it.each([
    [700, true],
    [701, false],
  ])("only if the slot lies within what it may wait: %d ms", async (fromMs, passes) => {
    const { pass, gate: one } = gate([() => at(fromMs)], { slotWithinMs: 700 });
    if (passes) await pass();
    else await expect(pass()).rejects.toMatchObject(refusal("no slot is free soon enough", 701));
    expect(one.passed).toBe(passes ? 1 : 0);
  });

  it.each([
    [300, true],
    [299, false],
  ])("only while what was decided about it holds: until %d ms", async (notAfterMs, passes) => {
    const { pass, gate: one } = gate([() => at(300)], { notAfterMs });
    if (passes) await pass();
    else await expect(pass()).rejects.toMatchObject(refusal("what was decided about it is out of date", 1_000));
    expect(one.passed).toBe(passes ? 1 : 0);
  });

  it("with a new slot where the first was void before it was ready, five times at most", async () => {
    let slow = 2;
    const more = {
      ensure: async (): Promise<boolean> => {
        if (slow-- > 0) await held.clock.sleep(251);
        return true;
      },
    };
    const held = gate([(now) => at(now)], more);
    await held.pass();
    expect([held.clock.monotonic(), held.asked(), held.gate.passed]).toEqual([502, 3, 1]);
    slow = 5;
    await expect(held.pass()).rejects.toMatchObject(refusal("its slots were void before it was ready", 1_000));
    expect([held.asked(), held.gate.passed]).toEqual([8, 1]);
  });

  it("to the last moment of its slot", async () => {
    const held = gate([(now) => at(now)], {
      ensure: async () => {
        await held.clock.sleep(250);
        return true;
      },
    });
    await held.pass();
    expect([held.clock.monotonic(), held.asked()]).toEqual([250, 1]);
  });

  it.each([
    [20_000, 1],
    [19_999, 0],
  ])("only under a lease that holds until its deadline: %d ms left", async (leftMs, passed) => {
    const { pass, gate: one } = gate([() => at(0)], { remainingMs: () => leftMs });
    if (passed) await pass();
    else await expect(pass()).rejects.toMatchObject({ code: "slot_refused" });
    expect(one.passed).toBe(passed);
  });

  it("never once the claim is lost", async () => {
    const { pass, gate: one } = gate([() => at(0)], { ensure: async () => false });
    await expect(pass()).rejects.toMatchObject(refusal("the claim is lost", 0));
    expect(one.passed).toBe(0);
  });

  it.each<[string, () => Slot | number]>([
    ["its slot", () => at(5_000)],
    ["a slot to be free", () => 5_000],
  ])("never once the worker stopped, also where it waits for %s", async (_, answer) => {
    const stop = new AbortController();
    const { clock, gate: one } = gate([answer], { signal: stop.signal });
    const passing = one.pass();
    const ended = expect(passing).rejects.toMatchObject(refusal("the worker stopped", 0));
    await clock.advance(100);
    stop.abort();
    await ended;
    expect([clock.monotonic(), clock.sleeping, one.passed]).toEqual([100, 0, 0]);
  });
});
