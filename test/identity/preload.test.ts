import { beforeEach, expect, it, vi } from "vitest";

/** This room as at the start of a process in which nothing is loaded yet. */
async function fresh() {
  vi.resetModules();
  const { countryData } = await import("../../src/identity/country-data.ts");
  const { phoneLibrary } = await import("../../src/identity/phone-library.ts");
  const preload = await import("../../src/identity/preload.ts");
  const loads = [vi.spyOn(phoneLibrary, "preload"), vi.spyOn(countryData, "preload")];
  const called = () => loads.map(({ mock }) => mock.calls.length);
  return { phoneLibrary, countryData, called, ...preload };
}

beforeEach(() => void vi.restoreAllMocks());

it("loads phone rules and country names, or the first alone", async () => {
  const { preloadIdentity, preloadPhones, called } = await fresh();
  await preloadPhones();
  expect(called()).toEqual([1, 0]);
  await preloadIdentity();
  expect(called()).toEqual([2, 1]);
});

it.each([
  [true, true, false],
  [true, false, true],
  [false, true, true],
])("has something to wait for where one of the two is missing: %s, %s", async (phones, countries, waits) => {
  const { phoneLibrary, countryData, identityReady, called } = await fresh();
  vi.spyOn(phoneLibrary, "ready").mockReturnValue(phones);
  vi.spyOn(countryData, "ready").mockReturnValue(countries);
  const ready = identityReady();
  expect(ready instanceof Promise).toBe(waits);
  await ready;
  expect(called()).toEqual(waits ? [1, 1] : [0, 0]);
});

it("has words for every reason", async () => {
  vi.resetModules();
  const { IDENTITY_REASONS, omit } = await import("../../src/identity/reason.ts");
  for (const [reason, { message, fix }] of Object.entries(IDENTITY_REASONS)) {
    expect([message, fix]).toEqual([expect.stringMatching(/^[A-Z].*\.$/), expect.stringMatching(/^[A-Z].*\.$/)]);
    expect(omit(reason as keyof typeof IDENTITY_REASONS)).toEqual({ reason });
  }
});
