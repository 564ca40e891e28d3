import { sha256Hex } from "snapchat-destination/identity";
import { afterEach, describe, expect, it } from "vitest";
import { presets, setToggle } from "../../src/index.ts";
import { definePlugin } from "../../src/plugins/index.ts";
import { sqlite } from "../../src/sqlite/index.ts";
import { entered, openShop, type Shop, shopWorkflow } from "./shop.ts";

let shop: Shop;
afterEach(() => shop.close());

const HOUR = 3_600_000;
const address = (n: number) => `person-${n}@example.com`;
const people = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, n) => ({ email: address(from + n), personKey: address(from + n) }));
const digests = (...ns: number[]) => new Set(ns.map((n) => sha256Hex(address(n))));
const view = (name: string) => shop.simulator.inspect.segments().find((one) => one.name === name);
const held = (name: string) => {
  const segment = view(name);
  return segment ? shop.simulator.inspect.members(segment.id).EMAIL_SHA256 : new Set();
};
const drain = () => shop.snapchat.drain({ maxMs: 10_000 });

async function sync(...call: Parameters<Shop["acme"]["segments"]["sync"]>) {
  const worker = shop.snapchat.startWorker();
  try {
    return await shop.acme.segments.sync(...call);
  } finally {
    await worker.stop();
  }
}

/** A customer list that a person made in Ads Manager. */
async function listInAdsManager(name: string): Promise<string> {
  const { adAccount } = shop.simulator.world.main;
  const token = shop.simulator.control.issueToken().access_token;
  const response = await fetch(`${shop.simulator.endpoints.adsApi}/v1/adaccounts/${adAccount.id}/segments`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({
      segments: [{ name, ad_account_id: adAccount.id, source_type: "FIRST_PARTY", retention_in_days: 180 }],
    }),
  });
  const { segments } = (await response.json()) as { segments: { segment: { id: string } }[] };
  return segments[0]?.segment.id ?? "";
}

describe("a segment", () => {
  it("is linked to a list that exists, seeded with who is in it, and mirrored by its difference alone", async () => {
    shop = await openShop();
    const { acme, id, simulator } = shop;
    const segmentId = await listInAdsManager("Made by hand");
    const worker = shop.snapchat.startWorker();
    const linked = await acme.segments.link(id, "vip", segmentId, { seed: people(0, 50), runId: "seed" });
    expect(linked).toMatchObject({ key: "vip", segmentId, name: "Made by hand" });
    expect(simulator.inspect.requests.filter(({ path }) => path.endsWith("/users"))).toEqual([]);
    const done = await acme.segments.sync(id, "vip", people(0, 51), { runId: "a" });
    expect(done).toMatchObject({ new: 1, sent: 1, removed: 0 });
    await worker.stop();
    await expect(acme.segments.link(id, "other", segmentId)).rejects.toMatchObject({ code: "segment_linked_already" });
    await expect(acme.segments.link(id, "other", "not an id")).rejects.toMatchObject({ code: "segment_id_invalid" });
    await expect(acme.segments.link(id, "other", "999")).rejects.toMatchObject({ code: "entity_not_found" });
  });

  it("that was deleted in Ads Manager waits and asks; made again, it holds all its members", async () => {
    shop = await openShop();
    const { acme, id, simulator } = shop;
    await sync(id, "vip", people(0, 3), { runId: "a" });
    simulator.control.deleteSegment(view("vip")?.id ?? "");
    await acme.track([entered("vip", address(7))]);
    await drain();
    expect(await acme.segments.list(id)).toMatchObject([
      { key: "vip", state: "deleted", words: expect.stringContaining("deleted in Ads Manager") },
    ]);
    expect((await acme.verify(id)).lines.map(({ code }) => code)).toContain("segment_deleted");
    await acme.segments.recreate(id, "vip");
    await drain();
    expect(held("vip")).toEqual(digests(0, 1, 2, 7));
    await expect(acme.segments.recreate(id, "vip")).rejects.toMatchObject({ code: "segment_not_deleted" });
  });

  it("leaves an audit line for every change, with who made it", async () => {
    shop = await openShop();
    const { acme, id } = shop;
    // A drain ends once nothing is due, which on a busy machine may be before the whole list is queued.
    const worker = shop.snapchat.startWorker();
    await acme.segments.sync(id, "vip", people(0, 2), { actor: "eve" });
    await worker.stop();
    await acme.segments.update(id, "vip", { description: "Best" }, { actor: "eve" });
    await acme.segments.stop(id, "vip", { actor: "eve" });
    await acme.segments.recreate(id, "vip");
    await acme.segments.remove(id, "vip", "delete", { actor: "eve" });
    await acme.segments.remove(id, "vip").catch(() => {});
    const { items } = await acme.audit.list({ destinationId: id });
    const lines = items.filter(({ action }) => action.startsWith("segment."));
    expect(lines.map(({ actor, action, detail }) => [actor, action, detail])).toEqual([
      ["eve", "segment.synced", { segment: "vip", mode: "mirror" }],
      ["eve", "segment.updated", { segment: "vip", changed: "description" }],
      ["eve", "segment.stopped", { segment: "vip" }],
      ["host", "segment.recreated", { segment: "vip" }],
      ["eve", "segment.removed", { segment: "vip", choice: "delete" }],
    ]);
  });

  it("that is stopped stays as it is, and receipts say so", async () => {
    shop = await openShop();
    const { acme, id } = shop;
    await sync(id, "vip", people(0, 2), { runId: "a" });
    expect(await acme.segments.stop(id, "vip")).toMatchObject({ state: "stopped" });
    const [receipt] = await acme.track([entered("vip", address(7))]);
    expect(receipt?.parts).toMatchObject([{ status: "skipped", reason: "segment_stopped" }]);
    await drain();
    expect(held("vip")).toEqual(digests(0, 1));
    await expect(acme.segments.sync(id, "vip", [], { runId: "b" })).rejects.toMatchObject({ code: "segment_stopped" });
  });

  it("that the CDP has deleted is kept, emptied or deleted at Snapchat, and forgotten here", async () => {
    shop = await openShop();
    const { acme, id } = shop;
    for (const key of ["kept", "emptied", "deleted"]) await sync(id, key, people(0, 2), { runId: key });
    await acme.segments.remove(id, "kept");
    await acme.segments.remove(id, "emptied", "empty");
    await acme.segments.remove(id, "deleted", "delete");
    expect([held("kept").size, held("emptied").size, view("deleted")]).toEqual([2, 0, undefined]);
    expect(await acme.segments.list(id)).toEqual([]);
    await expect(acme.segments.remove(id, "kept")).rejects.toMatchObject({ code: "segment_unknown" });
  });

  it("follows the CDP's name until somebody renames it in Ads Manager", async () => {
    shop = await openShop();
    const { acme, id } = shop;
    await sync(id, "vip", people(0, 1), { runId: "a", name: "VIPs" });
    expect(await acme.segments.update(id, "vip", { name: "Best customers" })).toMatchObject({ ignored: [] });
    const segmentId = view("Best customers")?.id ?? "";
    expect(view("Best customers")?.description).toMatch(/cdp:vip#/);
    const token = shop.simulator.control.issueToken().access_token;
    const { adAccount } = shop.simulator.world.main;
    await fetch(`${shop.simulator.endpoints.adsApi}/v1/adaccounts/${adAccount.id}/segments`, {
      method: "PUT",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ segments: [{ id: segmentId, name: "Summer campaign" }] }),
    });
    expect(await acme.segments.update(id, "vip", { name: "Top customers" })).toMatchObject({ ignored: ["name"] });
    expect(view("Summer campaign")?.id).toBe(segmentId);
  });

  it("takes only the kinds of identifiers it is told to", async () => {
    shop = await openShop();
    const { acme, id } = shop;
    await acme.segments.update(id, "vip", { identifiers: ["phone"], description: "Phones only" });
    await sync(id, "vip", [{ email: address(1), phone: "+447911123456" }], { runId: "a" });
    await acme.track([entered("vip", address(2))]);
    await drain();
    expect(view("vip")).toMatchObject({
      members: { EMAIL_SHA256: 0, PHONE_SHA256: 1 },
      description: expect.stringMatching(/^Phones only cdp:vip#/),
    });
  });

  it.each([
    ["segment_name_invalid", { name: " " }],
    ["segment_retention_invalid", { retentionInDays: -1 }],
    ["segment_identifiers_invalid", { identifiers: ["fax" as never] }],
    ["segment_identifiers_invalid", { identifiers: [] }],
  ])("is told %s before anything is stored or made", async (code, patch) => {
    shop = await openShop();
    const { acme, id } = shop;
    await expect(acme.segments.update(id, "vip", patch)).rejects.toMatchObject({ code, kind: "fix_data" });
    expect(await acme.segments.list(id)).toEqual([]);
  });

  it("tells where it stands in words, on Snapchat's clock", async () => {
    shop = await openShop();
    const { acme, id, simulator } = shop;
    const states = async () =>
      (await acme.segments.list(id)).map(({ key, state, words }) => `${key} ${state}: ${words}`).sort();
    const atSnapchat = (name: string) => {
      const { uploadStatus, targetableStatus } = view(name) ?? {};
      return [uploadStatus, targetableStatus];
    };
    await acme.segments.update(id, "later", { name: "Later" });
    await sync(id, "empty", [], { runId: "a" });
    await sync(id, "small", people(0, 5), { runId: "b" });
    await sync(id, "big", people(0, 2_000), { runId: "c" });
    expect([atSnapchat("empty"), atSnapchat("small")]).toEqual([
      ["NO_UPLOAD", "NOT_READY"],
      ["PROCESSING", "NOT_READY"],
    ]);
    expect(await states()).toEqual([
      expect.stringMatching(/^big processing: Snapchat is matching/),
      expect.stringMatching(/^empty empty: Nobody has been sent/),
      expect.stringMatching(/^later not_made: .* made with its first member/),
      expect.stringMatching(/^small processing: Snapchat is matching/),
    ]);
    expect((await acme.verify(id)).lines.find(({ code }) => code === "segments")?.message).toContain(
      "2 being matched by Snapchat",
    );
    // Matching takes two hours there; six tenths of the people are found.
    simulator.control.advance(2 * HOUR);
    expect([atSnapchat("small"), atSnapchat("big")]).toEqual([
      ["COMPLETE", "TOO_FEW_USERS"],
      ["COMPLETE", "READY"],
    ]);
    expect(await states()).toEqual([
      expect.stringMatching(/^big ready: .* matched about 1,200 people/),
      expect.stringMatching(/^empty empty/),
      expect.stringMatching(/^later not_made/),
      expect.stringMatching(/^small too_small: Snapchat matched too few people \(fewer than 1,000\)/),
    ]);
    const { lines } = await acme.verify(id);
    expect(lines.find(({ code }) => code === "segment_too_small")?.message).toContain(
      "small: Snapchat matched too few",
    );
    expect(lines.find(({ code }) => code === "segments")?.message).toContain("1 ready for campaigns");
    await sync(id, "small", people(0, 6), { runId: "d" });
    expect(atSnapchat("small")).toEqual(["PROCESSING", "TOO_FEW_USERS"]);
    expect((await states()).at(-1)).toMatch(/^small too_small/);
  });

  it("that Snapchat took fewer identifiers of than it was sent says so, in the list, in verify and in the receipt", async () => {
    shop = await openShop({ delivery: { memberLingerMs: 0, journalShare: 1 } });
    const { acme, id, simulator } = shop;
    simulator.knobs.uploadedShare = 0.5;
    await acme.track([1, 2, 3, 4].map((n) => ({ ...entered("vip", address(n)), event_id: `e${n}` })));
    await drain();
    const took = "Snapchat says that it took 2 of 4 identifiers.";
    expect(await acme.segments.list(id)).toMatchObject([{ problem: { code: "identifiers_not_taken", message: took } }]);
    const line = (await acme.verify(id)).lines.find(({ code }) => code === "segment_not_all_taken");
    expect(line).toMatchObject({ status: "warning", message: expect.stringContaining(took) });
    const { items } = await acme.receipts.find(id, { eventId: "e1" });
    expect(items).toMatchObject([{ status: "delivered" }]);
    expect(items[0]?.entries.at(-1)).toMatchObject({ purpose: "members/add", message: took });
    // A mirror is told, too: what was accepted is below what was sent.
    expect(await sync(id, "list", people(0, 10), { runId: "a" })).toMatchObject({ sent: 10, accepted: 5 });
    simulator.knobs.uploadedShare = 1;
    await acme.track([entered("vip", address(5))]);
    await drain();
    expect((await acme.segments.list(id)).find(({ key }) => key === "vip")?.problem).toBeUndefined();
  });

  it("has a receipt of when it was made, and for which event", async () => {
    shop = await openShop({ delivery: { memberLingerMs: 0, journalShare: 1 } });
    const { acme, id } = shop;
    await acme.track([{ ...entered("vip"), event_id: "e1" }]);
    await drain();
    await acme.track([{ ...entered("vip", address(2)), event_id: "e2" }]);
    await drain();
    const made = {
      purpose: "segments/create",
      message: `The segment "vip" was made at Snapchat with the id ${view("vip")?.id}.`,
      atMs: expect.any(Number),
    };
    const entries = async (eventId: string) =>
      (await acme.receipts.find(id, { eventId })).items.map(({ status, entries }) => [
        status,
        entries.filter(({ type }) => type === "attempt"),
      ]);
    expect(await entries("segment:vip")).toMatchObject([["delivered", [made]]]);
    expect(await entries("e1")).toMatchObject([["delivered", [made, { purpose: "members/add" }]]]);
    expect(await entries("e2")).toMatchObject([["delivered", [{ purpose: "members/add" }]]]);
  });

  it("says why Snapchat refuses it, until it does not any more", async () => {
    shop = await openShop();
    const { acme, id, simulator } = shop;
    const taken = await listInAdsManager("vip");
    simulator.knobs.duplicateSegmentNames = "reject";
    await acme.track([entered("vip")]);
    await drain();
    const problem = { code: "segment_name_taken", fix: expect.stringContaining("Link the existing audience") };
    expect(await acme.segments.list(id)).toMatchObject([{ state: "not_made", problem }]);
    expect((await acme.verify(id)).lines.find(({ code }) => code === "segment_refused")?.status).toBe("problem");
    expect(await acme.segments.link(id, "vip", taken)).toMatchObject({ state: "empty" });
    expect((await acme.segments.list(id))[0]?.problem).toBeUndefined();
  });
});

describe("members", () => {
  it("leave every segment of the tenant when the person is forgotten, under every identifier that is known of them", async () => {
    shop = await openShop();
    const { acme, id } = shop;
    const jane = { email: address(1), phone: "+447911123456", personKey: "jane" };
    const joe = { phone: "+447911123456", personKey: "joe" };
    await sync(id, "a", [jane, ...people(5, 7)], { runId: "a" });
    await sync(id, "b", [jane, joe], { runId: "b" });
    const report = await acme.people.forget({ personKey: "jane" });
    expect(report.removals).toHaveLength(4);
    await drain();
    expect(held("a")).toEqual(digests(5, 6));
    // The phone is Joe's too.
    expect(view("b")).toMatchObject({ members: { EMAIL_SHA256: 0, PHONE_SHA256: 1 } });
    await acme.people.forget({ phone: "+447911123456" });
    await drain();
    expect(view("b")).toMatchObject({ members: { PHONE_SHA256: 0 } });
  });

  it("leave a list of thousands, too, wherever in it they lie", async () => {
    shop = await openShop({ storage: sqlite(":memory:") });
    const { acme, id } = shop;
    const list = people(0, 5_500);
    const last = list.reduce((a, b) => (sha256Hex(a.email) > sha256Hex(b.email) ? a : b));
    await sync(id, "vip", list, { runId: "a" });
    const { removals } = await acme.people.forget({ personKey: last.personKey });
    expect(removals).toHaveLength(1);
    await drain();
    expect(held("vip").size).toBe(5_499);
    expect(held("vip")).not.toContain(sha256Hex(last.email));
  });

  it("follow the destination to another ad account, from what is known of them where there is no hook", async () => {
    shop = await openShop();
    const { acme, id, simulator } = shop;
    await sync(id, "vip", people(0, 3), { runId: "a" });
    const before = view("vip");
    const { organizations } = await acme.accounts.tree(id);
    const other = organizations
      .flatMap(({ adAccounts }) => adAccounts)
      .find((account) => account.available && account.id !== simulator.world.main.adAccount.id);
    expect(other).toBeDefined();
    await acme.destinations.update(id, { adAccountId: other?.id ?? "", pixelId: null });
    await drain();
    const madeThere = () =>
      simulator.inspect.segments().filter(({ name, adAccountId }) => name === "vip" && adAccountId === other?.id);
    expect(madeThere()).toMatchObject([{ members: { EMAIL_SHA256: 3 } }]);
    expect(simulator.inspect.members(before?.id ?? "").EMAIL_SHA256.size).toBe(3);
    expect(await acme.segments.list(id)).toMatchObject([{ key: "vip", adAccountId: other?.id }]);

    // The list in the old account is not followed any more, but who is forgotten leaves it as well.
    await acme.people.forget({ personKey: address(0) });
    await drain();
    expect([view("vip")?.members.EMAIL_SHA256, madeThere()[0]?.members.EMAIL_SHA256]).toEqual([2, 2]);
    // And it is the one to go on with where the destination comes back.
    await acme.destinations.update(id, { adAccountId: simulator.world.main.adAccount.id });
    await acme.track([entered("vip", address(9))]);
    await drain();
    expect(simulator.inspect.segments()).toHaveLength(2);
    expect(simulator.inspect.members(before?.id ?? "").EMAIL_SHA256).toContain(sha256Hex(address(9)));
  });

  it("leave also where they had entered as an anonymous visitor", async () => {
    shop = await openShop();
    const { acme } = shop;
    const event = (name: string, user?: string) => ({
      event: name,
      customProperties: {
        segment_name: "vip",
        user_traits: { email: address(1) },
        external_ids: { customerlabs_user_id: "anonymous-1", ...(user ? { user_id: user } : {}) },
      },
    });
    await acme.track([event("added_to_segment")]);
    await drain();
    expect(held("vip").size).toBe(1);
    await acme.track([event("removed_from_segment", "customer-1")]);
    await drain();
    expect(held("vip").size).toBe(0);
  });
});

describe("events of other platforms", () => {
  const time = new Date().toISOString();
  const email = address(1);
  const traits = { email };
  const shapes: [string, "segment" | "rudderstack", string, unknown, unknown][] = [
    [
      "Segment's Audience Entered and Exited",
      "segment",
      "vip",
      {
        type: "track",
        event: "Audience Entered",
        userId: "u1",
        properties: { audience_key: "vip", vip: true },
        context: { traits },
        timestamp: time,
      },
      {
        type: "track",
        event: "Audience Exited",
        userId: "u1",
        properties: { audience_key: "vip", vip: false },
        context: { traits },
        timestamp: time,
      },
    ],
    [
      "Segment's track with the flag as text",
      "segment",
      "vip",
      {
        type: "track",
        event: "Audience Entered",
        userId: "u1",
        properties: { audience_key: "vip", vip: "true" },
        context: { traits },
        timestamp: time,
      },
      {
        type: "track",
        event: "Audience Entered",
        userId: "u1",
        properties: { audience_key: "vip", vip: "false" },
        context: { traits },
        timestamp: time,
      },
    ],
    [
      "Segment's identify",
      "segment",
      "vip",
      {
        type: "identify",
        userId: "u1",
        traits: { email, vip: true },
        context: { personas: { computation_class: "audience", computation_key: "vip" } },
        timestamp: time,
      },
      {
        type: "identify",
        userId: "u1",
        traits: { email, vip: "false" },
        context: { personas: { computation_class: "audience", computation_key: "vip" } },
        timestamp: time,
      },
    ],
    [
      "RudderStack's audiencelist",
      "rudderstack",
      "vip",
      {
        type: "audiencelist",
        userId: "u1",
        properties: { audience_key: "vip", listData: { add: [{ email }] } },
        context: {},
        timestamp: time,
      },
      {
        type: "audiencelist",
        userId: "u1",
        properties: { audience_key: "vip", listData: { remove: [{ email }] } },
        context: {},
        timestamp: time,
      },
    ],
    [
      "RudderStack's record",
      "rudderstack",
      "job-1",
      {
        type: "record",
        action: "insert",
        recordId: "1",
        identifiers: { email },
        fields: {},
        context: { sources: { job_id: "job-1" } },
        timestamp: time,
      },
      {
        type: "record",
        action: "delete",
        recordId: "1",
        identifiers: { email },
        fields: {},
        context: { sources: { job_id: "job-1" } },
        timestamp: time,
      },
    ],
  ];

  it.each(shapes)("%s enter and leave", async (_, source, key, enter, leave) => {
    shop = await openShop();
    const { acme, id } = shop;
    const workflow = setToggle(presets[source]({ defaultCountry: "GB" }), "added_to_segment", { server: true });
    await acme.destinations.update(id, { workflow });
    expect((await acme.track([enter]))[0]).toMatchObject({ status: "queued", parts: [{ target: `segment:${key}` }] });
    await drain();
    expect(held(key)).toEqual(digests(1));
    await acme.track([leave]);
    await drain();
    expect(held(key).size).toBe(0);
  });
});

describe("existing members", () => {
  it("of three segments, ten thousand in all, are there after a quiet moment; a segment without members too", async () => {
    const lists: Record<string, object[]> = {
      a: people(0, 6_000),
      b: people(6_000, 9_990),
      c: people(9_990, 10_000),
      none: [],
    };
    const plugin = definePlugin({
      name: "host",
      segments: { list: () => Object.keys(lists).map((key) => ({ key })), members: (key) => lists[key] },
    });
    shop = await openShop({ plugins: [plugin] });
    await drain();
    expect(["a", "b", "c", "none"].map((key) => [key, held(key).size])).toEqual([
      ["a", 6_000],
      ["b", 3_990],
      ["c", 10],
      ["none", 0],
    ]);
    expect(view("none")).toBeDefined();
    // Switched off and on again: who left in between leaves, and nobody else is sent.
    const { acme, id, simulator } = shop;
    await acme.destinations.update(id, { workflow: setToggle(shopWorkflow(), "added_to_segment", { server: false }) });
    lists.c = people(9_991, 10_001);
    await acme.destinations.update(id, { workflow: shopWorkflow() });
    const before = simulator.inspect.requests.filter(({ path }) => path.endsWith("/users")).length;
    await drain();
    expect(held("c").has(sha256Hex(address(9_990)))).toBe(false);
    expect(held("c").size).toBe(10);
    expect(simulator.inspect.requests.filter(({ path }) => path.endsWith("/users")).length - before).toBe(2);
  });
});
