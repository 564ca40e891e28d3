import { expect, it } from "vitest";
import { newCounters } from "../../../src/delivery/counters.ts";

it("a process begins to count at nought, each for itself", () => {
  const counters = newCounters();
  const { dead, ...numbers } = counters;
  expect(dead).toEqual({});
  expect(Object.keys(numbers).sort()).toEqual(
    [
      ...["claims", "released", "lost", "requests", "delivered", "validated", "retried", "withdrawn"],
      ...["membersAdded", "membersRemoved", "membersAccepted", "rateLimited"],
    ].sort(),
  );
  expect(new Set(Object.values(numbers))).toEqual(new Set([0]));
  counters.dead.rejected = 1;
  expect(newCounters().dead).toEqual({});
});
