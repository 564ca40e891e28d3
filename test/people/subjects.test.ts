import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hash, sha256Hex } from "../../src/identity/index.ts";
import { DigestTable } from "../../src/people/digest-table.ts";
import { createSubjects, personBytes } from "../../src/people/index.ts";

const subjects = createSubjects(randomBytes(32));

describe("digests of people", () => {
  it("are the same for every spelling of an identifier, raw or hashed, in a list or alone", () => {
    const mail = hash("em", "ada@shop.example") ?? "";
    expect(subjects.ofUser({ em: " Ada@SHOP.example" })).toEqual([subjects.ofHash("em", mail)]);
    expect(subjects.ofUser({ em: ["ada@shop.example", mail] })).toEqual([subjects.ofHash("em", mail)]);
    expect(subjects.ofUser({ fn: "Ada", ct: "London", client_ip_address: "192.0.2.1" })).toEqual([]);
  });

  it("are found in an event's JSON text as in the raw data", () => {
    const madid = "6b8e6a5e-0d1f-4a53-9d3f-1f0a4f3b2c11";
    const user = {
      em: ["ada@shop.example", "b@shop.example"],
      ph: "+442079460018",
      external_id: "u1",
      madid: madid.toUpperCase(),
    };
    const json = JSON.stringify({
      event_name: "PURCHASE",
      user_data: {
        em: user.em.map((value) => hash("em", value)),
        ph: [hash("ph", user.ph)],
        external_id: hash("external_id", "u1"),
        fn: hash("fn", "Ada"),
        madid,
      },
      custom_data: { note: `"em":["${sha256Hex("planted")}"]` },
    });
    expect(subjects.ofEvent(json).sort()).toEqual(subjects.ofUser(user).sort());
  });

  it("tell an identifier's kind apart and take 16 bytes", () => {
    const text = sha256Hex("u1");
    expect(
      new Set([subjects.ofHash("em", text), subjects.ofHash("external_id", text), subjects.ofPerson(text)]).size,
    ).toBe(3);
    expect(personBytes(subjects.ofPerson("p1"))).toHaveLength(16);
  });
});

describe("the table of digests", () => {
  it("never misses one it holds and answers the latest time", () => {
    const digest = fc.stringMatching(/^[\w-]{22}$/);
    fc.assert(
      fc.property(fc.array(fc.tuple(digest, fc.integer({ min: 1, max: 1e12 })), { maxLength: 300 }), (entries) => {
        const table = new DigestTable();
        const latest = new Map<string, number>();
        for (const [text, ms] of entries) {
          table.set(text, ms);
          latest.set(text, Math.max(latest.get(text) ?? 0, ms));
        }
        for (const [text, ms] of latest) expect(table.get(text)).toBeGreaterThanOrEqual(ms);
      }),
    );
  });

  it("does not know what was never set, among 100,000", () => {
    const table = new DigestTable();
    const make = () => randomBytes(16).toString("base64url");
    for (let i = 0; i < 100_000; i++) table.set(make(), i + 1);
    expect(table.size).toBe(100_000);
    let wrong = 0;
    for (let i = 0; i < 100_000; i++) if (table.get(make()) !== undefined) wrong++;
    expect(wrong).toBeLessThanOrEqual(1);
    expect(table.bytes).toBeLessThanOrEqual(100_000 * 64);
  });
});
