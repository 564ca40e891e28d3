import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fastEmail, slowEmail } from "../../src/identity/email.ts";
import {
  hash,
  hashList,
  hashWithReason,
  IDENTITY_FIELDS,
  IDENTITY_REASONS,
  type IdentityOptions,
  normalize,
  normalizeList,
  normalizeWithReason,
} from "../../src/identity/index.ts";
import { DIGESTS_OF_NOTHING } from "../../src/identity/placeholder.ts";
import { LEFT_OUT, OURS, TAKEN } from "./vectors.ts";

const HEX = /^[0-9a-f]{64}$/;
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

const field = fc.constantFrom(...IDENTITY_FIELDS);
/** Texts near to real identifiers, and texts that are nothing. */
const known = [...TAKEN, ...OURS, ...LEFT_OUT].map(({ input }) => input).filter((input) => typeof input === "string");
const text = fc.oneof(
  fc.constantFrom(...known),
  fc
    .tuple(fc.constantFrom(...known), fc.nat(40), fc.string({ maxLength: 3, unit: "binary" }))
    .map(([base, at, more]) => base.slice(0, at) + more + base.slice(at)),
  fc.string({ maxLength: 80 }),
  fc.string({ maxLength: 40, unit: "binary" }),
  fc.string({ maxLength: 40, unit: "grapheme" }),
  fc.emailAddress(),
  fc.stringMatching(/^\+?\d{0,17}$/),
  fc.uuid(),
  fc.stringMatching(/^[0-9a-fA-F]{30,70}$/),
);
const options: fc.Arbitrary<IdentityOptions> = fc.record(
  {
    defaultCountry: fc.constantFrom("US", "GB", "IT", "SA", "BR", "xx", "", "\u0000"),
    country: fc.oneof(fc.constantFrom("US", "CA", "Deutschland", "nowhere"), fc.string({ maxLength: 4 })),
    stateCodes: fc.subarray(["AU", "BR", "CA", "IN", "MX"] as const),
  },
  { requiredKeys: [] },
);

/** A person or a place may be called Nan. Its digest alone is taken for what programs hash where they had nothing. */
const namedNan = (...[f, v, o]: Parameters<typeof normalize>) => normalize(f, v, o) === "nan";

describe("normalising and hashing", () => {
  it("is total: any value gives text or a known reason", () => {
    fc.assert(
      fc.property(
        field,
        fc.oneof(text, fc.anything({ withBigInt: true, withNullPrototype: true })),
        options,
        (f, v, o) => {
          const outcome = normalizeWithReason(f, v, o);
          if (outcome.value === undefined) expect(Object.keys(IDENTITY_REASONS)).toContain(outcome.reason);
          else expect(outcome.value.length).toBeGreaterThan(0);
          const digest = hashWithReason(f, v, o);
          expect(digest.reason).toBe(outcome.reason);
          if (digest.value !== undefined) expect(digest.value).toMatch(HEX);
        },
      ),
      { numRuns: 5_000 },
    );
  });

  it("is idempotent: what came out comes out again", () => {
    fc.assert(
      fc.property(field, text, (f, v) => {
        const once = normalize(f, v);
        if (once !== undefined) expect(normalize(f, once)).toBe(once);
      }),
      { numRuns: 10_000 },
    );
  });

  it("never hashes a digest again", () => {
    fc.assert(
      fc.property(field, text, options, (f, v, o) => {
        const digest = hash(f, v, o);
        if (digest !== undefined && !namedNan(f, v, o)) expect(hash(f, digest, o)).toBe(digest);
      }),
    );
  });

  it("gives the digest of the canonical text, and only of something", () => {
    fc.assert(
      fc.property(field, text, options, (f, v, o) => {
        const value = normalize(f, v, o);
        const digest = hash(f, v, o);
        expect(digest).toBe(value === undefined ? undefined : HEX.test(value) ? value : sha256(value));
        if (!namedNan(f, v, o)) expect(Object.keys(DIGESTS_OF_NOTHING)).not.toContain(digest);
      }),
      { numRuns: 5_000 },
    );
  });

  it("is blind to case", () => {
    fc.assert(
      fc.property(field, text, options, (f, v, o) => {
        const upper = v.toUpperCase();
        // Letters that do not come back, such as ß and the final sigma, have no case to be blind to.
        fc.pre(upper.toLowerCase() === v.toLowerCase());
        expect(normalize(f, upper, o)).toBe(normalize(f, v, o));
      }),
      { numRuns: 5_000 },
    );
  });

  it("is blind to white space and invisible characters around", () => {
    const space = fc.string({
      maxLength: 4,
      unit: fc.constantFrom(" ", "\t", "\r", "\n", "\u00a0", "\u200b", "\ufeff", "\u3000", "\u2028"),
    });
    fc.assert(
      fc.property(field, text, options, space, space, (f, v, o, before, after) => {
        fc.pre(v.length < 2_000);
        expect(normalize(f, before + v + after, o)).toBe(normalize(f, v, o));
      }),
      { numRuns: 5_000 },
    );
  });

  it("reads the same text composed and decomposed", () => {
    fc.assert(
      fc.property(fc.constantFrom("em", "fn", "ln", "ct", "external_id" as const), text, (f, v) => {
        expect(normalize(f, v.normalize("NFD"))).toBe(normalize(f, v.normalize("NFC")));
      }),
      { numRuns: 5_000 },
    );
  });

  it("takes ordinary addresses fast and gives what the whole rule gives", () => {
    fc.assert(
      fc.property(fc.oneof(fc.emailAddress(), text), (v) => {
        const fast = fastEmail(v);
        if (fast !== undefined) expect(fast).toBe(slowEmail(v));
      }),
      { numRuns: 5_000 },
    );
    expect(fastEmail("Jane.Doe+snap@mail.example.co.uk")).toBe("jane.doe+snap@mail.example.co.uk");
  });

  it("never asks a value for its own text", () => {
    const hostile = {
      toString: () => {
        throw new Error("called");
      },
      [Symbol.toPrimitive]: () => {
        throw new Error("called");
      },
    };
    for (const f of IDENTITY_FIELDS) expect(normalizeWithReason(f, hostile)).toEqual({ reason: "not_text" });
  });

  it("takes bounded time on long texts", () => {
    const long = [
      "a@".repeat(1_000),
      `${"a.".repeat(1_000)}@x`,
      " ".repeat(2_000),
      `+${"0".repeat(2_000)}`,
      "a-".repeat(1_000),
    ];
    const started = performance.now();
    for (const f of IDENTITY_FIELDS) for (const v of long) normalize(f, v, { defaultCountry: "GB" });
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});

describe("lists", () => {
  it("hold two spellings of one identifier once", () => {
    const list = hashList("em", [
      "A@example.com",
      " a@EXAMPLE.com ",
      sha256("a@example.com").toUpperCase(),
      "b@example.com",
    ]);
    expect(list).toEqual({ values: [sha256("a@example.com"), sha256("b@example.com")], omitted: [] });
  });

  it("name what they leave out by its place and keep the rest", () => {
    expect(normalizeList("ph", ["", "+44 7911 123456", "07911 123456"])).toEqual({
      values: ["447911123456"],
      omitted: [
        { index: 0, reason: "empty" },
        { index: 2, reason: "phone_without_country" },
      ],
    });
  });

  it("take one value as a list of one", () => {
    expect(normalizeList("em", "A@example.com").values).toEqual(["a@example.com"]);
    expect(normalizeList("em", undefined)).toEqual({ values: [], omitted: [{ index: 0, reason: "empty" }] });
  });
});
