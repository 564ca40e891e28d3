import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { hash, hashedMember, hashList, normalize } from "../../src/identity/index.ts";

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

/**
 * What published senders make of a phone before they hash it, each rewritten from its rule. They are here so that a test
 * shows the defect it guards against: the right answer is one that the peer does not give.
 */
const PEERS = {
  /** Non-digits or leading zeros in one pass, so zeros behind a plus sign stay. */
  segmentEvents: (text: string) => text.replace(/\D|^0+/g, ""),
  /** Another rule for the same person: dots stay. */
  segmentAudiences: (text: string) => text.replace(/[\s()+-]|^0+/g, ""),
  /** Zeros first, then non-digits. */
  rudderstackAudiences: (text: string) => text.replace(/^0+/, "").replace(/\D/g, ""),
  /** Non-digits first, then zeros. */
  rudderstackEvents: (text: string) => text.replace(/\D/g, "").replace(/^0+/, ""),
  /** Replaces each separator once. */
  snapTag: (text: string) => ["+", " ", "-", "(", ")"].reduce((phone, one) => phone.replace(one, ""), text),
  /** Prefixes 1 where no separator follows a country code. */
  snapPython: (text: string) => {
    const digits = text.replace(/[^\d]/g, "").replace(/^0+/, "");
    return /^\+?\d{1,3}[ -]/.test(text) && !text.startsWith("0") ? digits : `1${digits}`;
  },
  /** Only the plus sign goes. */
  posthog: (text: string) => text.replace("+", ""),
  /** Hashed as typed. */
  stape: (text: string) => text,
};

/** Input, right answer, and who gets it wrong. */
const PHONES: readonly [text: string, right: string, wrong: (keyof typeof PEERS)[], country?: string][] = [
  ["+1 (555) 123-4567", "15551234567", ["posthog", "snapTag", "stape"]],
  [
    "+44 020 7946 0018",
    "442079460018",
    ["segmentEvents", "segmentAudiences", "rudderstackEvents", "rudderstackAudiences"],
  ],
  ["+0044 20 7946 0018", "442079460018", ["segmentEvents", "rudderstackAudiences", "posthog"]],
  ["44.20.7946.0018", "442079460018", ["segmentAudiences", "snapTag", "posthog", "snapPython"]],
  [
    "07911 123456",
    "447911123456",
    [
      "segmentEvents",
      "segmentAudiences",
      "rudderstackEvents",
      "rudderstackAudiences",
      "snapTag",
      "snapPython",
      "stape",
    ],
    "GB",
  ],
  ["+14155550132", "14155550132", ["snapPython", "stape"]],
  ["+1 415-555-0132 ext. 7", "14155550132", ["segmentEvents", "rudderstackEvents"]],
];

describe("phones on which published senders disagree", () => {
  for (const [text, right, wrong, country] of PHONES) {
    it(`${text} is ${right}`, () => {
      expect(normalize("ph", text, { defaultCountry: country })).toBe(right);
      for (const peer of wrong) expect([peer, PEERS[peer](text)]).not.toEqual([peer, right]);
    });
  }

  it("one person has one digest in events and in lists (Segment and RudderStack have two)", () => {
    for (const text of ["+0044 20 7946 0018", "44.20.7946.0018", "+44 (0)20 7946 0018"]) {
      expect(hashedMember("phone", text)).toBe(hash("ph", text));
    }
    expect(PEERS.segmentEvents("44.20.7946.0018")).not.toBe(PEERS.segmentAudiences("44.20.7946.0018"));
    expect(PEERS.rudderstackEvents("+0044 20 7946 0018")).not.toBe(PEERS.rudderstackAudiences("+0044 20 7946 0018"));
  });

  it("a number without a country is left out instead of getting a 1 (Snap's Python SDK)", () => {
    expect(normalize("ph", "07911 123456")).toBeUndefined();
  });
});

describe("hashing as typed (walkerOS)", () => {
  const walker = (value: unknown) => sha256(String(value));

  it("trims and lower-cases first", () => {
    expect(hash("em", " Person@Example.com ")).toBe(sha256("person@example.com"));
    expect(walker(" Person@Example.com ")).not.toBe(sha256("person@example.com"));
  });

  it("hashes a list's members, not the list", () => {
    const list = ["a@example.com", "b@example.com"];
    expect(hashList("em", list).values).toEqual(list.map(sha256));
    expect(hash("em", list)).toBeUndefined();
    expect(walker(list)).toBe(sha256("a@example.com,b@example.com"));
  });

  it("takes a digest as it is", () => {
    const digest = sha256("person@example.com");
    expect(hash("em", digest)).toBe(digest);
    expect(walker(digest)).not.toBe(digest);
  });

  it("never sends the digest of nothing", () => {
    expect(hash("em", "")).toBeUndefined();
    expect(walker("")).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  });
});

describe("digests in upper case (Segment, Snap's tag, Stape)", () => {
  it("are lower-cased, because Snapchat's are", () => {
    const digest = sha256("person@example.com");
    expect(hash("em", digest.toUpperCase())).toBe(digest);
  });
});
