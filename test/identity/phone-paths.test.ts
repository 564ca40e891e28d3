import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import fc from "fast-check";
import { type CountryCode, getCountries, getCountryCallingCode } from "libphonenumber-js/min";
import { describe, expect, it } from "vitest";
import { phonePlans } from "../../scripts/generate-phone-plans.ts";
import { fastPhone, slowPhone } from "../../src/identity/phone.ts";
import { countryPlan } from "../../src/identity/phone-plan.ts";

const examples = createRequire(import.meta.url)("libphonenumber-js/examples.mobile.json") as Record<string, string>;
const regions = getCountries().map((country) => ({
  country,
  code: getCountryCallingCode(country) as string,
  national: examples[country] ?? "",
}));

/** What the fast path says must be what the slow one says. Answers whether it said anything. */
function agrees(text: string, country?: CountryCode): boolean {
  const plan = countryPlan(country);
  const fast = fastPhone(text, plan);
  if (fast !== undefined) expect([text, country, fast]).toEqual([text, country, slowPhone(text, plan)]);
  return fast !== undefined;
}

describe("the fast path for phones", () => {
  it("has an example of every region", () => {
    expect(regions.length).toBeGreaterThan(240);
    expect(regions.filter(({ national }) => !/^\d{4,}$/.test(national))).toEqual([]);
  });

  it("agrees with libphonenumber-js on every region's example, with and without a trunk zero", () => {
    let fast = 0;
    for (const { code, national } of regions) {
      for (const trunk of ["", "0", "(0)", "1", "8", "9"]) {
        if (agrees(`+${code}${trunk}${national}`) && trunk === "") fast++;
        agrees(`00${code}${trunk}${national}`);
        agrees(`+00${code} ${trunk}${national}`);
        agrees(`${code}${trunk}${national}`);
        agrees(`+${code} ${trunk}${national.slice(0, 2)} ${national.slice(2, 5)}-${national.slice(5)}`);
        agrees(`${code}.${trunk}${national.slice(0, 3)}.${national.slice(3)}`);
      }
    }
    expect(fast / regions.length).toBeGreaterThan(0.6);
  });

  it("agrees on every region's national numbers with it and with every neighbour as the default country", () => {
    for (const [index, { country, code, national }] of regions.entries()) {
      for (const trunk of ["", "0", "1", "8", "06", "00"]) {
        agrees(`${trunk}${national}`, country);
        agrees(`${trunk}${code}${national}`, country);
        agrees(`${trunk}${national.slice(0, 3)} ${national.slice(3)}`, country);
        agrees(`${trunk}${national}`, regions[(index + 7) % regions.length]?.country);
        agrees(`+${code}${trunk}${national}`, regions[(index + 11) % regions.length]?.country);
      }
    }
  });

  it("agrees on any digits", () => {
    const codes = regions.map(({ code }) => code);
    const text = fc
      .tuple(
        fc.constantFrom("+", "00", "", "+00", "0", "(0)", "+ "),
        fc.constantFrom(...codes, ""),
        fc.constantFrom("", "", "0", "1", "8", "9", "00", "15", " ", "-", "(", ".", "/"),
        fc.stringMatching(/^\d{1,14}$/),
        fc.constantFrom("", "", ".0", " ", ")"),
      )
      .map((parts) => parts.join(""));
    const country = fc.option(fc.constantFrom(...regions.map((region) => region.country)), { nil: undefined });
    fc.assert(
      fc.property(text, country, (digits, one) => {
        agrees(digits, one);
      }),
      { numRuns: 20_000 },
    );
  });

  it("knows the tables that the metadata of the installed library gives", () => {
    const file = new URL("../../src/identity/phone-plans.ts", import.meta.url);
    expect(readFileSync(file, "utf8"), "run: npx tsx scripts/generate-phone-plans.ts").toBe(phonePlans());
  });
});

describe("phones that come back", () => {
  it("keep every region's example as it is, once normalised", () => {
    for (const { country, code, national } of regions) {
      const digits = slowPhone(`+${code}${national}`, undefined);
      expect([country, digits]).toEqual([country, `${code}${national}`]);
      expect([country, slowPhone(`${code}${national}`, undefined)]).toEqual([country, digits]);
    }
  });
});
