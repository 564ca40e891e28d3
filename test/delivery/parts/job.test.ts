import { describe, expect, it } from "vitest";
import type { Context } from "../../../src/delivery/context.ts";
import { newCounters } from "../../../src/delivery/counters.ts";
import { giveBack, type Job, pauseCredential, resolveCredential, settle } from "../../../src/delivery/job.ts";
import type { Claim, Outcome } from "../../../src/storage/ports.ts";
import { createFakeClock } from "../../../src/testing/clock.ts";
import { coded, credential, eventsOf } from "../support.ts";

const GROUP = eventsOf();
const CLAIM = { id: "c", fence: 1, group: GROUP, entries: [] } as Claim;
const JOB = { claim: CLAIM } as unknown as Job;
const DONE: Outcome = { id: "e-1" };
const waiting = (retryInMs: number): Outcome => ({ id: "e-2", rest: { retryInMs, progress: new Uint8Array() } });
const away = () => Object.assign(new Error("away"), { code: "unavailable", retryable: true });

/** What the engine and the host are told; the engine is away for the first `awayFor` calls. */
function working({
  awayFor = 0,
  lost,
  resolve,
}: {
  awayFor?: number;
  lost?: () => Promise<boolean>;
  resolve?: unknown;
} = {}) {
  const clock = createFakeClock();
  const said: unknown[][] = [];
  const counters = newCounters();
  let left = awayFor;
  const say =
    (name: string, answer?: unknown) =>
    async (...args: unknown[]) => {
      if (left-- > 0) throw away();
      said.push([name, ...args]);
      return answer;
    };
  const context = {
    clock,
    random: () => 0,
    counters,
    emit: (one: unknown) => said.push(["emit", one]),
    credentials: { resolve, ...(lost ? { lost } : {}) },
    storage: {
      outbox: { release: say("release"), settle: say("settle", "settled"), pause: say("pause"), resume: say("resume") },
    },
  } as unknown as Context;
  return { context, clock, said, counters };
}

describe("a claim that nothing was sent of", () => {
  it.each<[number | undefined, number | undefined, object, object]>([
    [undefined, undefined, {}, { dueInMs: 0 }],
    [0, undefined, {}, { dueInMs: 0 }],
    [-1, undefined, {}, { dueInMs: 0 }],
    [700.2, undefined, { holdGroupMs: 701 }, { dueInMs: 700.2 }],
    [700, 900, { holdGroupMs: 700 }, { skipCredentialMs: 900, dueInMs: 900 }],
    [700, 0, { holdGroupMs: 700 }, { skipCredentialMs: 0, dueInMs: 700 }],
  ])("goes back as it was: held %s ms, its credential %s", async (holdMs, skipMs, hold, ended) => {
    const { context, said, counters } = working();
    expect(await giveBack(context, JOB, [], holdMs, skipMs)).toEqual({ end: "released", ...ended });
    expect(said).toEqual([["release", CLAIM, hold]]);
    expect(counters.released).toBe(1);
  });

  it("is settled where some of it has an outcome already", async () => {
    const { context, said, counters } = working();
    expect(await giveBack(context, JOB, [DONE], 700.2, 900)).toEqual({ end: "settled", skipCredentialMs: 900 });
    expect(await giveBack(context, JOB, [waiting(50)])).toEqual({ end: "settled", dueInMs: 50 });
    expect(said).toEqual([
      ["settle", CLAIM, [DONE], { holdGroupMs: 701 }],
      ["settle", CLAIM, [waiting(50)], {}],
    ]);
    expect(counters.released).toBe(0);
  });
});

describe("the outcomes of a claim", () => {
  it.each<[Outcome[], number | undefined, object, object]>([
    [[DONE], undefined, {}, {}],
    [[DONE], 0, {}, {}],
    [[DONE], -5, {}, {}],
    [[DONE], 0.5, { holdGroupMs: 1 }, {}],
    [[DONE, waiting(900), waiting(300)], undefined, {}, { dueInMs: 300 }],
    [[waiting(900)], 2_000, { holdGroupMs: 2_000 }, { dueInMs: 2_000 }],
    [[waiting(900)], 100, { holdGroupMs: 100 }, { dueInMs: 900 }],
  ])("are stored: %j, held %s", async (outcomes, holdMs, hold, ended) => {
    const { context, said } = working();
    expect(await settle(context, JOB, outcomes, holdMs)).toEqual({ end: "settled", ...ended });
    expect(said).toEqual([["settle", CLAIM, outcomes, hold]]);
  });

  it("are told again while the engine is away, for two minutes; a claim is given back for twenty seconds", async () => {
    for (const [within, call] of [
      [120_000, async (context: Context): Promise<unknown> => settle(context, JOB, [DONE])],
      [20_000, async (context: Context): Promise<unknown> => giveBack(context, JOB, [])],
      [20_000, async (context: Context): Promise<unknown> => pauseCredential(context, GROUP)],
    ] as const) {
      const brief = working({ awayFor: 5 });
      await brief.clock.run(call(brief.context));
      expect(brief.said.length).toBeGreaterThan(0);
      const long = working({ awayFor: 100_000 });
      await expect(long.clock.run(call(long.context))).rejects.toThrow("away");
      expect(long.clock.monotonic()).toBe(within);
    }
  });
});

describe("the credential of a claim", () => {
  const failing = (error: unknown) => working({ resolve: () => Promise.reject(error) });

  it("is what its group leaves with", async () => {
    const { context, said } = working({ resolve: async (id: string) => credential(id) });
    expect(await resolveCredential(context, JOB, [])).toMatchObject({ id: GROUP.credentialId });
    expect(said).toEqual([]);
  });

  it("that a person has to renew is paused, and the claim goes back", async () => {
    const { context, said } = failing(coded("reauthorize"));
    expect(await resolveCredential(context, JOB, [])).toEqual({ end: "released", dueInMs: 0 });
    expect(said.map(([name]) => name)).toEqual(["pause", "emit", "release"]);
  });

  it.each<[unknown, number, string, string]>([
    [coded("retry"), 5_000, "c_1", "It failed."],
    [coded("retry", 300), 300, "c_1", "It failed."],
    [new TypeError("secret"), 5_000, "unexpected_error", "TypeError"],
    [away(), 5_000, "storage_unavailable", "The storage engine refused a call."],
  ])("that does not resolve now waits: %s", async (error, waitMs, code, message) => {
    const { context, said } = failing(error);
    const ended = { end: "released", skipCredentialMs: waitMs, dueInMs: waitMs };
    expect(await resolveCredential(context, JOB, [])).toEqual(ended);
    expect(said).toEqual([
      ["emit", { type: "worker_error", code, message, destinationId: "d1" }],
      ["release", CLAIM, { holdGroupMs: waitMs }],
    ]);
  });
});

describe("a login that is lost", () => {
  const { tenantId, destinationId, credentialId } = GROUP;
  const paused = ["pause", { credentialId }, "reauth_required"];
  const told = ["emit", { type: "reauth_required", tenantId, destinationId, credentialId }];

  it.each<[string, (() => Promise<boolean>) | undefined]>([
    ["nobody can say", undefined],
    ["it is so", async () => true],
    ["that is not known now", () => Promise.reject(new Error("away"))],
  ])("holds its work until a person signs in: %s", async (_, lost) => {
    const { context, said } = working(lost ? { lost } : {});
    await pauseCredential(context, GROUP);
    expect(said).toEqual([paused, told]);
  });

  it("goes on where somebody signed in that very moment", async () => {
    const asked: string[] = [];
    const { context, said } = working({
      lost: async (...ids: string[]) => {
        asked.push(...ids);
        return false;
      },
    } as { lost: () => Promise<boolean> });
    await pauseCredential(context, GROUP);
    expect([asked, said]).toEqual([[credentialId], [paused, ["resume", { credentialId }, "reauth_required"]]]);
  });
});
