import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { decodeLine, encodeLine, type JournalLine, journalId, sampled } from "../../../src/delivery/journal-line.ts";

describe("a line of the journal", () => {
  const line: JournalLine = {
    type: "end",
    id: "claim/end/0",
    atMs: 1,
    group: "events/pixel-1",
    outcome: "dead",
    reason: "rejected",
    message: "Größe fehlt",
    eventIds: ["e-1"],
  };

  it("comes back as it was written, behind its format's version", () => {
    const data = encodeLine(line);
    expect(data[0]).toBe(1);
    expect(decodeLine(data)).toEqual(line);
    const padded = new Uint8Array(data.length + 4);
    padded.set(data, 4);
    expect(decodeLine(padded.subarray(4))).toEqual(line);
  });

  it("of a newer version is nothing that can be read", () => {
    const data = encodeLine(line);
    data[0] = 2;
    expect(decodeLine(data)).toBeUndefined();
    expect(decodeLine(new Uint8Array())).toBeUndefined();
  });
});

describe("an id in the journal", () => {
  it("is itself up to 200 bytes, behind that its digest", () => {
    const fits = `${"€".repeat(66)}12`;
    expect(journalId(fits)).toBe(fits);
    const long = `${fits}3`;
    expect(journalId(long)).toBe(`sha256:${createHash("sha256").update(long).digest("hex")}`);
    expect(journalId("")).toBe("");
  });
});

describe("the sample of a share", () => {
  const ids = Array.from({ length: 2_000 }, (_, n) => `order-2026-${n}`);
  const shareOf = (share: number, of = ids) => of.filter((id) => sampled(id, share)).length / of.length;

  it("is everybody at 1, nobody at 0, and about that part between", () => {
    expect([1, 1.5].map((share) => shareOf(share))).toEqual([1, 1]);
    expect([0, -1].map((share) => shareOf(share))).toEqual([0, 0]);
    for (const share of [0.02, 0.25, 0.5, 0.9]) expect(Math.abs(shareOf(share) - share)).toBeLessThan(0.03);
  });

  it("is spread evenly over ids that differ at their end only", () => {
    for (let from = 0; from < 2_000; from += 500) {
      const some = shareOf(0.5, ids.slice(from, from + 500));
      expect([from, some > 0.4 && some < 0.6]).toEqual([from, true]);
    }
  });

  it("grows with the share: who is in a small one is in a larger one", () => {
    for (const id of ids.filter((one) => sampled(one, 0.1))) expect(sampled(id, 0.2)).toBe(true);
  });

  it("is the same in every process and version, so that an event has all of its lines or none", () => {
    const of = (share: number) => Array.from({ length: 40 }, (_, n) => `e-${n}`).filter((id) => sampled(id, share));
    expect(of(0.1)).toEqual(["e-17", "e-18", "e-21", "e-22", "e-31"]);
    expect(of(0.5)).toHaveLength(20);
  });
});
