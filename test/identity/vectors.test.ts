import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { hash, hashWithReason, normalize, normalizeWithReason, userDataValue } from "../../src/identity/index.ts";
import { DIGESTS_OF_NOTHING } from "../../src/identity/placeholder.ts";
import { LEFT_OUT, OURS, TAKEN, type Vector, WRONG } from "./vectors.ts";

const shown = ({ field, input, options }: Pick<Vector, "field" | "input" | "options">) =>
  `${field} ${JSON.stringify(input)?.slice(0, 60)}${options ? ` ${JSON.stringify(options)}` : ""}`;
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

describe("identifiers that are taken", () => {
  it.each(TAKEN.map((vector) => [shown(vector), vector] as const))("%s", (_, vector) => {
    expect(normalize(vector.field, vector.input, vector.options)).toBe(vector.value);
    expect(hash(vector.field, vector.input, vector.options)).toBe(vector.digest);
  });

  it.each(OURS.map((vector) => [shown(vector), vector] as const))("%s", (_, vector) => {
    const value = vector.value ?? "";
    expect(normalize(vector.field, vector.input, vector.options)).toBe(value);
    const digest = /^[0-9a-f]{64}$/.test(value) ? value : sha256(value);
    expect(hashWithReason(vector.field, vector.input, vector.options)).toEqual({ value: digest });
  });

  it("says of a digest that it came hashed", () => {
    const digest = sha256("person@example.com");
    expect(normalizeWithReason("em", digest)).toEqual({ value: digest, hashed: true });
    expect(normalizeWithReason("em", "person@example.com")).toEqual({ value: "person@example.com" });
  });
});

describe("identifiers that are left out", () => {
  it.each(LEFT_OUT.map((vector) => [`${shown(vector)}: ${vector.reason}`, vector] as const))("%s", (_, vector) => {
    expect(normalizeWithReason(vector.field, vector.input, vector.options)).toEqual({ reason: vector.reason });
    expect(hashWithReason(vector.field, vector.input, vector.options)).toEqual({ reason: vector.reason });
    expect(hash(vector.field, vector.input, vector.options)).toBeUndefined();
  });

  it("knows the digests of nothing by their texts", () => {
    for (const [digest, text] of Object.entries(DIGESTS_OF_NOTHING)) expect(sha256(text)).toBe(digest);
  });
});

describe("digests of wrong rules", () => {
  it.each(WRONG.map((wrong) => [`${shown(wrong)}: ${wrong.mistake}`, wrong] as const))("%s", (_, wrong) => {
    expect(hash(wrong.field, wrong.input, wrong.options)).not.toBe(wrong.digest);
  });
});

describe("device ids", () => {
  const id = "38400000-8CF0-11BD-B23E-10B96E40000D";

  it("go into events in plain and into lists as digests", () => {
    expect(userDataValue("madid", id)).toEqual({ value: id.toLowerCase() });
    expect(userDataValue("idfv", id)).toEqual({ value: id.toLowerCase() });
    expect(hash("madid", id)).toBe(sha256(id.toLowerCase()));
    expect(userDataValue("em", "person@example.com")).toEqual({ value: sha256("person@example.com") });
  });

  it("that come hashed are of no use in events", () => {
    expect(userDataValue("madid", sha256(id.toLowerCase()))).toEqual({ reason: "not_a_device_id" });
    expect(hash("madid", sha256(id.toLowerCase()))).toBe(sha256(id.toLowerCase()));
  });
});
