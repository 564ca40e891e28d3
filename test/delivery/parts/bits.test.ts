import { expect, it } from "vitest";
import { hasBit, newBits, setBit } from "../../../src/delivery/bits.ts";

it.each([
  [0, 0],
  [1, 1],
  [8, 1],
  [9, 2],
])("%d bits take %d bytes", (count, bytes) => expect(newBits(count)).toEqual(new Uint8Array(bytes)));

it("a bit is at the place where the members port counts it, and others stay", () => {
  const bits = newBits(17);
  for (const index of [0, 2, 9, 16, 2]) setBit(bits, index);
  expect(Array.from(bits)).toEqual([0b101, 0b10, 1]);
  const set = Array.from({ length: 40 }, (_, index) => index).filter((index) => hasBit(bits, index));
  expect(set).toEqual([0, 2, 9, 16]);
});
