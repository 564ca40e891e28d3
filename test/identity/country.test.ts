import codes from "i18n-iso-countries/codes.json" with { type: "json" };
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
  const all = [...codes.map(([alpha2 = ""]) => alpha2), "XK"];
  expect(all.filter((code) => normalizeCountry(code) !== code.toLowerCase())).toEqual([]);
  expect(load).not.toHaveBeenCalled();
  expect(normalizeCountry("aus")).toBe("au");
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
  const said = "America England Wales Britain Burma Swaziland Macedonia Laos Syria Brunei Micronesia".split(" ");
  expect(read(...said)).toEqual("us gb gb gb mm sz mk la sy bn fm".split(" "));
  expect(read("Northern Ireland", "South Korea", "North Korea", "Cabo Verde", "East Timor", "Vatican")).toEqual(
    "gb kr kp cv tl va".split(" "),
  );
  expect(read("St. Kitts and Nevis", "“The Netherlands”", "Theland", "United   Kingdom!")).toEqual([
    ...["kn", "nl", UNKNOWN, "gb"],
  ]);
  // English calls two countries so; French means one of them, and comes later.
  expect(read("Congo", "São Martinho", "Stanland", "Neverland")).toEqual([UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN]);
  expect(load).toHaveBeenCalledTimes(1);
});
