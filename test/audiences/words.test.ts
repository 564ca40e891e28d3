import { describe, expect, it } from "vitest";
import { type Segment, segmentState } from "../../src/audiences/index.ts";
import { digest, setup } from "./setup.ts";

const segment = (change: Partial<Segment>): Segment => ({ id: "1", name: "VIP", sourceType: "FIRST_PARTY", ...change });

describe("a segment's state in words", () => {
  it.each([
    ["nobody sent", { uploadStatus: "NO_UPLOAD", targetableStatus: "NOT_READY", approximateNumberUsers: 0 }, "empty"],
    ["being matched", { uploadStatus: "PROCESSING", targetableStatus: "NOT_READY" }, "processing"],
    [
      "too small, for good",
      { uploadStatus: "COMPLETE", targetableStatus: "TOO_FEW_USERS", approximateNumberUsers: 412 },
      "too_small",
    ],
    ["too small, still counting", { uploadStatus: "PROCESSING", targetableStatus: "TOO_FEW_USERS" }, "too_small"],
    ["usable", { uploadStatus: "COMPLETE", targetableStatus: "READY", approximateNumberUsers: 12_345 }, "ready"],
    ["usable while more comes", { uploadStatus: "PROCESSING", targetableStatus: "READY" }, "ready"],
    ["paused", { status: "PAUSED", uploadStatus: "COMPLETE", targetableStatus: "READY" }, "paused"],
    [
      "a lookalike in the making",
      { sourceType: "LOOKALIKE", uploadStatus: "NO_UPLOAD", targetableStatus: "NOT_READY" },
      "processing",
    ],
    ["words nobody knows yet", { uploadStatus: "SHINY", targetableStatus: "NEW" }, "unknown"],
  ])("%s", (_, change, state) => {
    const told = segmentState(segment(change));
    expect(told.state).toBe(state);
    expect(told.words).toMatch(/^[A-Z].*\.$/);
  });

  it("rounds people, because the number is an estimate", () => {
    const size = (approximateNumberUsers: number) =>
      segmentState(segment({ targetableStatus: "READY", approximateNumberUsers })).size;
    expect([0, 412, 1_000, 12_345, 1_249_000].map(size)).toEqual([
      "none",
      "fewer than 1,000",
      "about 1,000",
      "about 12,000",
      "about 1,200,000",
    ]);
  });

  it("follows Snapchat from empty to ready", async () => {
    const { client, account, call, simulator } = await setup({
      knobs: { rateLimits: false, matchedShare: 1, processingMs: 60_000 },
    });
    const { id } = await client.segments.create(account, { name: "VIP" }, call);
    const state = async () => segmentState(await client.segments.get(id, call)).state;
    const states = [await state()];
    await client.members.add(id, "email", [digest(1), digest(2)], call);
    states.push(await state());
    simulator.control.advance(60_001);
    states.push(await state());
    await client.members.add(
      id,
      "email",
      Array.from({ length: 1_500 }, (_, n) => digest(n + 10)),
      call,
    );
    simulator.control.advance(60_001);
    states.push(await state());
    expect(states).toEqual(["empty", "processing", "too_small", "ready"]);
  });
});
