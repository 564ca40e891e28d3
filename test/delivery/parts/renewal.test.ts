import { describe, expect, it } from "vitest";
import { queueRenewals, renewAfterMs, scheduleRenewal } from "../../../src/delivery/renewal.ts";
import { readSegmentLink, type SegmentLink, writeSegmentLink } from "../../../src/delivery/segment-link.ts";
import { storageError } from "../../../src/storage/errors.ts";
import { memory } from "../../../src/storage/memory/index.ts";
import { createFakeClock } from "../../../src/testing/clock.ts";

const DAY = 86_400_000;
const START = Date.UTC(2026, 0, 1);
const VIP = { tenantId: "acme", destinationId: "d1", link: "vip" };
const link: SegmentLink = {
  ...{ key: "vip", name: "vip", adAccountId: "a1", generation: 1, state: "ready" },
  retentionInDays: 8,
};

async function setup(links: Record<string, Partial<SegmentLink>> = { vip: {} }, refused?: unknown) {
  const clock = createFakeClock();
  const { records, members } = memory({ clock });
  const queued: string[] = [];
  for (const [key, more] of Object.entries(links)) {
    await writeSegmentLink(records, { ...VIP, link: key }, { ...link, ...more }, 0);
  }
  const lists = {
    async task({ link: of }: { link: string }, id: string, { task }: { task: string }) {
      if (refused) throw refused;
      queued.push(`${of}: ${task} as ${id}`);
      return 1;
    },
  };
  const look = (signal?: AbortSignal) => queueRenewals({ records, ...(members && { members }) }, lists, signal);
  const renewAt = async (key = "vip") => (await readSegmentLink(records, { ...VIP, link: key }))?.link.renewAtMs;
  return { clock, records, lists, queued, look, renewAt };
}

describe("a segment whose members Snapchat forgets", () => {
  it("has a time noted at which it is looked through: after an eighth of what they stay", async () => {
    const { clock, records, renewAt } = await setup();
    await clock.advance(1_000);
    await scheduleRenewal(records, VIP);
    expect(await renewAt()).toBe(START + 1_000 + DAY);
    expect(renewAfterMs(link)).toBe(5 * DAY);
  });

  it("is queued once its time has come, and by its time, so that others who ask queue the same", async () => {
    const { clock, look, queued, renewAt } = await setup();
    await look();
    expect([queued, await renewAt()]).toEqual([[], START + DAY]);
    await clock.advance(DAY - 1);
    await look();
    expect(queued).toEqual([]);
    await clock.advance(1);
    await look();
    await look();
    expect(queued).toEqual([`vip: renew as renew ${START + DAY}`, `vip: renew as renew ${START + DAY}`]);
    expect(await renewAt()).toBe(START + DAY);
  });

  it("does not keep others waiting whose time has come", async () => {
    const { look, queued } = await setup({ a: { renewAtMs: 1 }, b: { renewAtMs: START + 1 }, c: { renewAtMs: 2 } });
    await look();
    expect(queued).toEqual(["a: renew as renew 1", "c: renew as renew 2"]);
  });
});

describe("nothing is queued", () => {
  it.each<[string, Partial<SegmentLink>]>([
    ["of a segment that is not made", { state: "creating" }],
    ["of one that is deleted", { state: "deleted" }],
    ["of one in an account that was left", { released: true }],
    ["of one whose members stay for ever", { retentionInDays: undefined }],
    ["of one whose members stay for as long as can be said", { retentionInDays: 9_999 }],
    ["of one with nought days", { retentionInDays: 0 }],
  ])("%s, and no time is noted", async (_, more) => {
    const { look, queued, renewAt, records } = await setup({ due: { ...more, renewAtMs: 1 }, vip: more });
    await look();
    expect([queued, await renewAt()]).toEqual([[], undefined]);
    if ("retentionInDays" in more) await scheduleRenewal(records, VIP);
    expect(await renewAt()).toBeUndefined();
  });

  it("where nothing remembers members", async () => {
    const { records, lists, queued } = await setup({ vip: { renewAtMs: 1 } });
    await queueRenewals({ records }, lists);
    expect(queued).toEqual([]);
  });

  it("once the worker has stopped", async () => {
    const { look, queued } = await setup({ vip: { renewAtMs: 1 } });
    await look(AbortSignal.abort());
    expect(queued).toEqual([]);
    await look(new AbortController().signal);
    expect(queued).toHaveLength(1);
  });
});

describe("an engine that refuses", () => {
  it("because the destination is going is left alone", async () => {
    const { look } = await setup(
      { a: { renewAtMs: 1 }, b: { renewAtMs: 1 } },
      storageError("unknown_group", "gone", "-"),
    );
    await expect(look()).resolves.toBeUndefined();
  });

  it.each([
    ["for another reason", storageError("unavailable", "away", "-")],
    ["by a fault", Object.assign(new Error("a bug"), { code: "unknown_group" })],
  ])("%s is told", async (_, refused) => {
    const { look } = await setup({ vip: { renewAtMs: 1 } }, refused);
    await expect(look()).rejects.toBe(refused);
  });
});
