import { describe, expect, it } from "vitest";
import { fastEmail } from "../../src/identity/email.ts";
import {
  hash,
  hashedMember,
  type IdentityField,
  type IdentityOptions,
  normalizeWithReason,
  userDataValue,
} from "../../src/identity/index.ts";
import { memberDigest } from "../../src/identity/member.ts";
import { asciiDigits, trimStray } from "../../src/identity/text.ts";

/** Where a rule begins and ends: what is just inside it and just outside. */
type Edge = [input: string, outcome: string | { reason: string }, options?: IdentityOptions];

const holds = (field: IdentityField, edges: readonly Edge[]) =>
  it.each(edges)(`${field} %j`, (input, outcome, options) => {
    expect(normalizeWithReason(field, input, options)).toEqual(
      typeof outcome === "string" ? { value: outcome } : outcome,
    );
  });

const NO_EMAIL = { reason: "not_an_email" };
const NO_ZIP = { reason: "not_a_postcode" };
const long = (letter: string, times: number) => letter.repeat(times);
/** 64 + 1 + 189 characters. */
const longest = `${long("a", 64)}@${long("b", 61)}.${long("c", 61)}.${long("d", 61)}.com`;

describe("mail addresses", () => {
  holds("em", [
    [longest, longest],
    [longest.replace("com", "comm"), NO_EMAIL],
    [`${long("a", 64)}@example.com`, `${long("a", 64)}@example.com`],
    [`${long("a", 65)}@example.com`, NO_EMAIL],
    [`${long("ä", 64)}@example.com`, `${long("ä", 64)}@example.com`],
    [`${long("ä", 65)}@example.com`, NO_EMAIL],
    [`a@${long("b", 63)}.co`, `a@${long("b", 63)}.co`],
    [`a@${long("b", 64)}.co`, NO_EMAIL],
    [`ä@${long("b", 63)}.co`, `ä@${long("b", 63)}.co`],
    [`ä@${long("b", 64)}.co`, NO_EMAIL],
    ["@example.com", NO_EMAIL],
    ["a@example", NO_EMAIL],
    ["a@example.c", NO_EMAIL],
    ["a@example.co", "a@example.co"],
    ["a@example.12", NO_EMAIL],
    ["ä@example.1a", "ä@example.1a"],
    ["ä@example.a1", "ä@example.a1"],
    ["a@", NO_EMAIL],
    ["a@example.co.1", NO_EMAIL],
    ["ä@example.c.uk", "ä@example.c.uk"],
  ]);

  it("whose domain has too long a label do not take the fast way", () => {
    expect(fastEmail(`a@${long("b", 61)}.com`)).toBeDefined();
    expect(fastEmail(`a@${long("b", 64)}.co`)).toBeUndefined();
  });
});

describe("what stands around a mail address", () => {
  const address = "jane@example.com";
  holds("em", [
    [`<${address}>`, address],
    [`"${address}"`, address],
    [`'${address}'`, address],
    [`<"mailto:${address}">;`, address],
    [`;;,${address},;.`, address],
    [`MAILTO:${address}`, address],
    [`xmailto:${address}`, NO_EMAIL],
    [`x<${address}>`, NO_EMAIL],
    [`<${address}>x`, NO_EMAIL],
    [`x"${address}"`, NO_EMAIL],
    [`x'${address}'`, NO_EMAIL],
    [`'${address}'x`, NO_EMAIL],
  ]);
});

describe("postcodes", () => {
  holds("zp", [
    ["1", NO_ZIP],
    ["12", "12"],
    [long("1", 12), long("1", 12)],
    [long("1", 13), NO_ZIP],
    ["000", NO_ZIP],
    ["94000", "94000"],
    ["00501", "00501"],
    ["940431351", "94043", { country: "US" }],
    ["940431351", "940431351", { country: "GB" }],
    ["94043135", "94043135", { country: "US" }],
    ["9404313510", "9404313510", { country: "US" }],
    ["a940431351", "a940431351", { country: "US" }],
    ["é1-2", "é12"],
  ]);
});

describe("texts that stand for nothing", () => {
  const nothing = { reason: "placeholder" };
  holds("external_id", [
    ["NaN", nothing],
    ["NULL", nothing],
    ["nan-1", "nan-1"],
    ["00000000-0000-0000-0000-000000000000", { reason: "all_zero_id" }],
  ]);
  holds("fn", [
    ["null.", nothing],
    ["object-object", nothing],
    ["Nullo", "nullo"],
  ]);
});

describe("states", () => {
  holds("st", [
    ["Goa", "ga", { country: "IN", stateCodes: ["IN"] }],
    ["Goa", "ga", { defaultCountry: "IN", stateCodes: ["IN"] }],
    ["Goa", "goa"],
    ["Ohio", "oh"],
    ["NSW", "nsw", { country: "AU", stateCodes: ["AU"] }],
    ["Bayern", "bayern", { defaultCountry: "DE", stateCodes: ["DE" as "AU"] }],
    ["us-ca", "ca"],
    [" AU-NSW ", "nsw", { stateCodes: ["AU"] }],
    ["DE-BY", "deby"],
    ["12", { reason: "no_letters" }],
  ]);
});

describe("what looks like a digest", () => {
  const foreign = { reason: "not_sha256" };
  const zeros = { reason: "all_zero_id" };
  holds("fn", [
    [long("z", 43), long("z", 43)],
    [`${long("z", 42)}1`, foreign],
    [`${long("z", 42)}1=`, foreign],
  ]);
  holds("em", [[long("0", 32), foreign]]);
  holds("madid", [
    [long("0", 32), zeros],
    [long("a", 32), foreign],
  ]);
  holds("idfv", [
    [long("0", 32), zeros],
    [`${long("0", 31)}1`, foreign],
  ]);
});

it("what is no text is not asked for one", () => {
  const notText = { reason: "not_text" };
  expect(normalizeWithReason("fn", { toString: () => "Jane" })).toEqual(notText);
  expect(normalizeWithReason("external_id", 1.5)).toEqual(notText);
  expect(normalizeWithReason("external_id", 12n)).toEqual({ value: "12" });
});

it("a field that nobody knows takes nothing", () => {
  expect(normalizeWithReason("shoe_size" as IdentityField, "42")).toEqual({ reason: "not_text" });
});

describe("white space and characters without a width", () => {
  const shown = (code: number) => [code.toString(16), String.fromCharCode(code)] as const;
  const stray = [0, 0x20, 0x7f, 0xa0, 0xad, 0x61c, 0x1680, 0x180e, 0x2000, 0x200f, 0x2028, 0x202f, 0x205f, 0x206f];
  it.each([...stray, 0x3000, 0xfeff].map(shown))("U+%s goes at both ends", (_, char) => {
    expect(trimStray(`${char}${char}a${char}b${char}`)).toBe(`a${char}b`);
    expect(trimStray(char)).toBe("");
  });
  it.each([0x21, 0x7e, 0xa1, 0x1fff, 0x2010, 0x2027, 0x2030, 0x205e, 0x2070].map(shown))("U+%s stays", (_, char) => {
    expect(trimStray(`${char}a${char}`)).toBe(`${char}a${char}`);
  });
});

it("digits of any script are read", () => {
  expect(asciiDigits("٠٩ ०९ ０９ 09")).toBe("09 09 09 09");
});

describe("digests", () => {
  it("are made of nothing that was left out, whatever they are for", () => {
    expect(userDataValue("em", "nobody")).toEqual(NO_EMAIL);
    expect(userDataValue("madid", "nobody")).toEqual({ reason: "not_a_device_id" });
    expect(memberDigest("email", "nobody", {})).toEqual(NO_EMAIL);
  });

  it("of a member are those of an event", () => {
    const digest = hash("em", "Jane@Example.com");
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
    expect(hashedMember("email", "Jane@Example.com")).toBe(digest);
    expect(memberDigest("email", "Jane@Example.com", {})).toBe(digest);
  });
});
