import { describe, expect, it } from "vitest";
import { fastPhone, slowPhone } from "../../src/identity/phone.ts";
import { countryPlan } from "../../src/identity/phone-plan.ts";

const GB = countryPlan("GB");
const MOBILE = "447911123456";
const NOT = { reason: "not_a_phone" };
const ABROAD = { reason: "phone_without_country" };

describe("the fast way", () => {
  it.each([
    "07911 123456",
    "07911-123456",
    "07911.123456",
    "(07911)123456",
    "07911/123456",
    "07911123456",
    "7911123456",
  ])("takes %s in its country", (text) => expect(fastPhone(text, GB)).toBe(MOBILE));

  it.each([MOBILE, `+${MOBILE}`, `00${MOBILE}`, "+44 (0) 7911 123456", "44-7911-123456", " + 44 7911 123456"])(
    "takes %s from anywhere",
    (text) => expect(fastPhone(text, undefined)).toBe(MOBILE),
  );

  it("takes digits that end in zeros, and short ones without punctuation", () => {
    expect(fastPhone("+447911123400", undefined)).toBe("447911123400");
    expect(fastPhone("12125550132", undefined)).toBe("12125550132");
  });

  it("takes forty characters and no more", () => {
    expect(fastPhone(MOBILE.padEnd(40), undefined)).toBe(MOBILE);
    expect(fastPhone(MOBILE.padEnd(41), undefined)).toBeUndefined();
  });

  it.each([
    "07911,123456",
    "07911x123456",
    "",
    "()",
    "++447911123456",
    "44+7911123456",
    "447911123456.0",
    "1-212-555-0132",
  ])("leaves %j to the library", (text) => expect(fastPhone(text, undefined)).toBeUndefined());
});

describe("the whole rule", () => {
  it.each([
    ["1234", undefined, NOT],
    ["12345", undefined, ABROAD],
    ["1-212-555-0132", undefined, ABROAD],
    ["07911123456", undefined, ABROAD],
    ["0447911123456", undefined, ABROAD],
    ["44-7911-123456", undefined, MOBILE],
    ["+44 0 7911 123456", undefined, MOBILE],
    ["+353 (0)1 234 5678", undefined, "35312345678"],
    ["+4417911123456", undefined, NOT],
    ["+0447911123456", undefined, NOT],
    ["4915123456780", GB, "4915123456780"],
    ["0999999999999999", GB, NOT],
    ["07911123456.0", GB, MOBILE],
    ["07911123456.000", GB, MOBILE],
    ["07911123456.01", GB, NOT],
    ["44+7911123456", undefined, NOT],
    ["*123#", GB, NOT],
    ["()-", undefined, NOT],
    ["tel:+44-7911-123456;ext=7", undefined, MOBILE],
    ["7911123456;phone-context=+44", undefined, MOBILE],
  ] as const)("%s", (text, country, outcome) => expect(slowPhone(text, country)).toEqual(outcome));
});
