import { expect, it } from "vitest";
import { notAllTaken } from "../../../src/delivery/not-all-taken.ts";

it("a request of which Snapchat took everything leaves nothing to say", () => {
  expect([notAllTaken(0, 0), notAllTaken(7, 7), notAllTaken(7, 8)]).toEqual([undefined, undefined, undefined]);
});

it("a request of which it took less says how much, and what a person can do", () => {
  expect(notAllTaken(100_000, 99_999)).toEqual({
    code: "identifiers_not_taken",
    message: "Snapchat says that it took 99,999 of 100,000 identifiers.",
    fix: expect.stringContaining("Look at the segment's size"),
  });
});
