import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hash } from "../../src/identity/index.ts";
import { createWorld } from "./world.ts";

const ADA = { email: "Ada@Shop.example" };
const code = (code: string) => expect.objectContaining({ code });

describe("forgetting a person", () => {
  it("stops what was accepted until then, at every destination, and lets later events be judged by their own consent", async () => {
    const { people, clock } = createWorld();
    const subjects = await people.subjects("acme");
    const queued = subjects.ofUser({ em: "ada@shop.example", external_id: "u1" });
    const before = clock.now();
    expect(await people.consent.allowed("acme", "uk", queued, before)).toBe(true);

    clock.advance(10);
    const report = await people.forget("acme", ADA, { actor: "agent-7" });
    const resolvedAt = clock.now();
    expect(Date.parse(report.at)).toBe(resolvedAt);
    expect(await people.consent.allowed("acme", "uk", queued, before)).toBe(false);
    expect(await people.consent.allowed("acme", "de", queued, resolvedAt)).toBe(false);
    expect(await people.consent.allowed("acme", "uk", queued, resolvedAt + 1)).toBe(true);
    expect(await people.consent.allowed("acme", "uk", subjects.ofUser({ em: "bob@shop.example" }), before)).toBe(true);
  });

  it("is known to another process when it resolves", async () => {
    const here = createWorld();
    const there = createWorld(here);
    const subjects = await there.people.subjects("acme");
    const queued = subjects.ofUser({ em: "ada@shop.example" });
    const acceptedAt = here.clock.now();
    expect(await there.people.consent.allowed("acme", "uk", queued, acceptedAt)).toBe(true);
    expect(there.people.consent.allowed("acme", "uk", queued, acceptedAt)).toBe(true);
    await here.people.forget("acme", ADA);
    expect(await there.people.consent.allowed("acme", "uk", queued, acceptedAt)).toBe(false);
  });

  it("knows another process's hundredth and thousandth addition without reading all tombstones again", async () => {
    const here = createWorld(undefined, { visibleAfterMs: 0 });
    const there = createWorld(here);
    const subjects = await there.people.subjects("acme");
    const at = here.clock.now();
    await here.people.forget("acme", { email: "first@shop.example" });
    expect(await there.people.consent.allowed("acme", "uk", subjects.ofUser({ em: "first@shop.example" }), at)).toBe(
      false,
    );
    const lists = here.records.calls.list;
    for (let i = 0; i < 100; i++) await here.people.forget("acme", { email: `p${i}@shop.example` });
    here.clock.advance(2_000);
    expect(await there.people.consent.allowed("acme", "uk", subjects.ofUser({ em: "p99@shop.example" }), at)).toBe(
      false,
    );
    expect(here.records.calls.list).toBe(lists);
    for (let i = 100; i < 400; i++) await here.people.forget("acme", { email: `p${i}@shop.example` });
    here.clock.advance(2_000);
    for (const i of [0, 150, 399]) {
      const allowed = await there.people.consent.allowed(
        "acme",
        "uk",
        subjects.ofUser({ em: `p${i}@shop.example` }),
        at,
      );
      expect(allowed).toBe(false);
    }
    expect(here.records.calls.list).toBe(lists + 1);
  });

  it("finds a national phone number under every country that the destinations read it by", async () => {
    const { people, clock } = createWorld();
    const subjects = await people.subjects("acme");
    await people.forget("acme", { phone: "020 7946 0018" });
    const british = subjects.ofHash("ph", hash("ph", "+44 20 7946 0018") ?? "");
    expect(await people.consent.allowed("acme", "uk", [british], clock.now() - 2_000)).toBe(false);
  });

  it("removes the person from the segments that hold them and tells of what cannot be undone", async () => {
    const { people, held, removals, audit } = createWorld();
    const mail = Buffer.from(hash("em", "ada@shop.example") ?? "", "hex");
    held.push({ segment: { tenantId: "acme", destinationId: "uk", link: "vip" }, hash: mail });
    held.push({ segment: { tenantId: "other", destinationId: "x", link: "vip" }, hash: mail });
    const report = await people.forget("acme", ADA, { actor: "agent-7" });
    expect(removals).toEqual([{ destinationId: "uk", link: "vip", kind: "email", hash: mail.toString("hex") }]);
    expect(report.removals).toEqual([{ destinationId: "uk", link: "vip", kind: "email" }]);
    expect(report.remains.map((line) => line.code)).toEqual([
      "in_flight",
      "counted_events",
      "browser",
      "other_identifiers",
    ]);
    expect(audit).toEqual([
      { tenantId: "acme", actor: "agent-7", action: "people.forgotten", detail: { tombstones: 1, removals: 1 } },
    ]);
  });

  it("asks the identity hook about a person key and finds what it knows", async () => {
    const { people, clock } = createWorld(undefined, {
      resolve: async (_tenant, { personKey }) =>
        personKey === "p1" ? { identifiers: { em: "ada@shop.example" } } : undefined,
    });
    const subjects = await people.subjects("acme");
    await people.forget("acme", { personKey: "p1" });
    const at = clock.now() - 2_000;
    expect(await people.consent.allowed("acme", "uk", subjects.ofUser({ em: "ada@shop.example" }), at)).toBe(false);
    expect(await people.consent.allowed("acme", "uk", [subjects.ofPerson("p1")], at)).toBe(false);
  });

  it("asks the identity hook about an address, and finds what hangs on the key behind it", async () => {
    const { people, clock } = createWorld(undefined, {
      resolve: async (_tenant, { email }) =>
        email === "ada@shop.example" ? { personKey: "p1", identifiers: { ph: "+442079460018" } } : undefined,
    });
    const subjects = await people.subjects("acme");
    await people.forget("acme", { email: "ada@shop.example" });
    const at = clock.now() - 2_000;
    for (const known of [subjects.ofUser({ ph: "+442079460018" }), [subjects.ofPerson("p1")]]) {
      expect(await people.consent.allowed("acme", "uk", known, at)).toBe(false);
    }
  });

  it("refuses a person that nothing names and says which identifiers were of no use, without their values", async () => {
    const { people } = createWorld();
    await expect(people.forget("acme", { email: "not an address" })).rejects.toEqual(code("person_not_identified"));
    await expect(people.forget("acme", {})).rejects.toEqual(code("person_not_identified"));
    const report = await people.forget("acme", { email: ["ada@shop.example", "not an address"] });
    expect(report.ignored).toMatchObject([{ identifier: "email" }]);
    expect(JSON.stringify(report)).not.toContain("not an address");
  });

  it("stores no identifier, not even its hash", async () => {
    const { people, records } = createWorld();
    await people.forget("acme", { email: "ada@shop.example", phone: "+442079460018", externalId: "user-canary" });
    const dump = records.dump();
    expect(dump).toContain("tombstone/acme/");
    for (const value of [
      "ada@shop.example",
      "2079460018",
      "user-canary",
      hash("em", "ada@shop.example"),
      hash("external_id", "user-canary"),
    ]) {
      expect(dump).not.toContain(value);
    }
  });

  it("is forgotten itself after 67 days", async () => {
    const { people, clock, records } = createWorld();
    const at = clock.now();
    const queued = (await people.subjects("acme")).ofUser({ em: "ada@shop.example" });
    await people.forget("acme", ADA);
    clock.advance(67 * 86_400_000 - 10_000);
    expect(await people.consent.allowed("acme", "uk", queued, at)).toBe(false);
    clock.advance(20_000);
    expect(await people.consent.allowed("acme", "uk", queued, at)).toBe(true);
    expect(await records.list("tombstone", { limit: 10 })).toEqual([]);
  });
});

describe("revoking consent", () => {
  it("stops one destination only, and may keep memberships", async () => {
    const { people, clock, held, removals } = createWorld();
    held.push({
      segment: { tenantId: "acme", destinationId: "uk", link: "vip" },
      hash: Buffer.from(hash("em", ADA.email) ?? "", "hex"),
    });
    const queued = (await people.subjects("acme")).ofUser({ em: "ada@shop.example" });
    const at = clock.now();
    const report = await people.revokeConsent("acme", ADA, { destinationId: "uk", segments: "keep" });
    expect(await people.consent.allowed("acme", "uk", queued, at)).toBe(false);
    expect(await people.consent.allowed("acme", "de", queued, at)).toBe(true);
    expect(removals).toEqual([]);
    expect(report.remains.map((line) => line.code)).toContain("memberships_kept");
    await people.revokeConsent("acme", ADA, { destinationId: "de" });
    expect(await people.consent.allowed("acme", "de", queued, at)).toBe(false);
    expect(removals).toEqual([]);
    expect(await people.inspect("acme", ADA)).toMatchObject({
      withdrawals: [{ destinations: { uk: expect.any(String), de: expect.any(String) } }],
      memberships: [{ destinationId: "uk", link: "vip", kind: "email" }],
    });
  });

  it("answers a destination of another tenant with not_found and stores nothing", async () => {
    const { people, records } = createWorld();
    await expect(people.revokeConsent("other", ADA, { destinationId: "uk" })).rejects.toEqual(code("not_found"));
    expect(await records.list("tombstone", { limit: 10 })).toEqual([]);
  });

  it("keeps tenants apart: the same person has other digests and no tombstone at another tenant", async () => {
    const { people, clock } = createWorld();
    await people.forget("acme", ADA);
    const [here, there] = [
      (await people.subjects("acme")).ofUser({ em: ADA.email }),
      (await people.subjects("other")).ofUser({ em: ADA.email }),
    ];
    expect(here).not.toEqual(there);
    expect(await people.consent.allowed("other", "x", there, clock.now() - 2_000)).toBe(true);
    expect((await people.inspect("other", ADA)).withdrawals).toEqual([]);
  });

  it("leaves nothing of a tenant that leaves, and its old digests mean nothing afterwards", async () => {
    const { people, records } = createWorld();
    const before = (await people.subjects("acme")).ofUser({ em: ADA.email });
    for (let i = 0; i < 30; i++) await people.forget("acme", { externalId: `u${i}` });
    await people.tenantData.purge("acme");
    expect(records.rows.size).toBe(0);
    expect((await people.subjects("acme")).ofUser({ em: ADA.email })).not.toEqual(before);
  });
});

describe("consent at the moment of sending", () => {
  it("agrees with a plain list of withdrawals, whatever is withdrawn when", async () => {
    const person = fc.integer({ min: 0, max: 5 });
    const step = fc.oneof(
      fc.record({ do: fc.constant("forget" as const), person }),
      fc.record({ do: fc.constant("revoke" as const), person, destinationId: fc.constantFrom("uk", "de") }),
      fc.record({
        do: fc.constant("ask" as const),
        person,
        destinationId: fc.constantFrom("uk", "de"),
        ageMs: fc.integer({ min: 0, max: 30_000 }),
      }),
      fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 5_000 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const here = createWorld();
        const { people, clock } = here;
        const there = createWorld(here).people;
        const subjects = await people.subjects("acme");
        const withdrawn: { person: number; destinationId?: string; at: number }[] = [];
        for (const s of steps) {
          if (s.do === "wait") clock.advance(s.ms);
          if (s.do === "forget")
            withdrawn.push({
              person: s.person,
              at: Date.parse((await people.forget("acme", { externalId: `u${s.person}` })).at),
            });
          if (s.do === "revoke") {
            const { at } = await people.revokeConsent(
              "acme",
              { externalId: `u${s.person}` },
              { destinationId: s.destinationId },
            );
            withdrawn.push({ person: s.person, destinationId: s.destinationId, at: Date.parse(at) });
          }
          if (s.do !== "ask") continue;
          const acceptedAt = clock.now() - s.ageMs;
          const expected = !withdrawn.some(
            (w) =>
              w.person === s.person && (w.destinationId ?? s.destinationId) === s.destinationId && w.at >= acceptedAt,
          );
          const asked = subjects.ofUser({ external_id: `u${s.person}` });
          expect(await people.consent.allowed("acme", s.destinationId, asked, acceptedAt)).toBe(expected);
          expect(await there.consent.allowed("acme", s.destinationId, asked, acceptedAt)).toBe(expected);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("waits rather than sends while the storage does not answer", async () => {
    const { people, records, clock } = createWorld();
    const queued = (await people.subjects("acme")).ofUser({ em: ADA.email });
    const get = records.get.bind(records);
    records.get = async () => {
      throw new Error("gone");
    };
    await expect(people.consent.allowed("acme", "uk", queued, clock.now())).rejects.toThrow("gone");
    records.get = get;
    expect(await people.consent.allowed("acme", "uk", queued, clock.now())).toBe(true);
  });
});

describe("a storage that is busy", () => {
  it("is waited for: nobody is half forgotten", async () => {
    const { people, records, clock } = createWorld();
    const queued = (await people.subjects("acme")).ofUser({ em: ADA.email });
    const at = clock.now();
    const put = records.put.bind(records);
    let failures = 3;
    records.put = async (key, value, o) => {
      if (failures-- > 0)
        throw Object.assign(new Error("busy"), { code: "throttled", retryable: true, retryAfterMs: 5 });
      return put(key, value, o);
    };
    await people.forget("acme", ADA);
    expect(await people.consent.allowed("acme", "uk", queued, at)).toBe(false);
  });
});
