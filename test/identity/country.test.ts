import { expect, it, vi } from "vitest";

/** Countries as at the start of a process: no name has been read. */
async function fresh() {
  vi.resetModules();
  const { countryData } = await import("../../src/identity/country-data.ts");
  const { normalizeCountry } = await import("../../src/identity/country.ts");
  return { load: vi.spyOn(countryData, "get"), normalizeCountry };
}

const UNKNOWN = { reason: "unknown_country" };

it("a two-letter code needs no names", async () => {
  const { load, normalizeCountry } = await fresh();
  expect(["GB", "gb", "Gb", "xk"].map(normalizeCountry)).toEqual(["gb", "gb", "gb", "xk"]);
  expect(load).not.toHaveBeenCalled();
});

it("codes and names are read once: three letters, seven languages, what people write, none that two countries share", async () => {
  const { load, normalizeCountry } = await fresh();
  const read = (...texts: string[]) => texts.map(normalizeCountry);
  expect(read("DEU", "deu", "UK", "el", "zz")).toEqual(["de", "de", "gb", "gr", UNKNOWN]);
  expect(read("Germany", "Deutschland", "Alemania", "Allemagne", "Germania", "Duitsland", "Alemanha")).toEqual(
    Array(7).fill("de"),
  );
  expect(read("Holland", "Scotland", "Viet Nam", "Côte d'Ivoire", "The Gambia")).toEqual([
    "nl",
    "gb",
    "vn",
    "ci",
    "gm",
  ]);
  expect(read("Trinidad & Tobago", "trinidad and tobago", "St. Lucia", "St Lucia", "Saint Lucia")).toEqual([
    ...["tt", "tt"],
    ...["lc", "lc", "lc"],
  ]);
  // English calls two countries so; French means one of them, and comes later.
  expect(read("Congo", "São Martinho", "Stanland", "Neverland")).toEqual([UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN]);
  expect(load).toHaveBeenCalledTimes(1);
});
