import { describe, expect, it } from "vitest";
import { isStorageError, isVersionConflict } from "../../../src/delivery/storage-call.ts";

const coded = (code: unknown, retryable: unknown = false) => Object.assign(new Error("x"), { code, retryable });

describe("a failure of the engine", () => {
  it.each<[unknown, boolean, boolean]>([
    [coded("version_conflict"), true, true],
    [coded("unavailable", true), true, false],
    [coded("other"), false, false],
    [coded(7), false, false],
    [coded("unavailable", "yes"), false, false],
    [{ code: "version_conflict", retryable: false }, false, false],
    [{ ...coded("x"), code: "version_conflict" }, false, false],
    ["version_conflict", false, false],
    [undefined, false, false],
  ])("%#: is one %s, says that somebody was faster %s", (error, ours, faster) => {
    expect([isStorageError(error), isVersionConflict(error)]).toEqual([ours, faster]);
  });

  it("is not somebody else's that only has such a code", () => {
    expect(isVersionConflict(Object.assign(new Error("x"), { code: "version_conflict" }))).toBe(false);
  });
});
