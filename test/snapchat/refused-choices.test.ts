import { randomBytes } from "node:crypto";
import { createSnapchat } from "snapchat-destination";
import { AudiencesClient } from "snapchat-destination/audiences";
import { memory } from "snapchat-destination/memory";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { Secret } from "../../src/errors.ts";
import { openShop, type Shop } from "./shop.ts";

/** What a person's own code may pass, whatever its types say. */
const wrong = <T>(value: unknown) => value as T;

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

describe("a choice that is none", () => {
  const calls: Record<string, [code: string, call: (shop: Shop) => Promise<unknown>]> = {
    "a change that is no object": ["patch_invalid", ({ acme, id }) => acme.destinations.update(id, wrong(null))],
    "a switch that is no boolean": [
      "server_side_invalid",
      ({ acme, id }) => acme.destinations.update(id, { serverSide: wrong("yes") }),
    ],
    "a queue of a moved pixel": [
      "queue_choice_invalid",
      ({ acme, id }) => acme.destinations.update(id, { name: "Moved" }, { queue: wrong("keep") }),
    ],
    "a queue of a disabled destination": [
      "queue_choice_invalid",
      ({ acme, id }) => acme.destinations.disable(id, { queue: wrong("later") }),
    ],
    "segments of a deleted destination": [
      "segments_choice_invalid",
      ({ acme, id }) => acme.destinations.delete(id, { segments: wrong("burn") }),
    ],
    "segments of an offboarded tenant": [
      "segments_choice_invalid",
      ({ snapchat }) => snapchat.tenants.offboard("acme", { segments: wrong("burn") }),
    ],
    "a removed segment": ["segments_choice_invalid", ({ acme, id }) => acme.segments.remove(id, "vip", wrong("burn"))],
  };

  it.each(Object.entries(calls))("%s: is refused in words, and nothing changes", async (_, [code, call]) => {
    const { acme, id } = shop;
    const before = await acme.destinations.get(id);
    await expect(call(shop)).rejects.toMatchObject({ code, fix: expect.stringMatching(/\w/) });
    expect(await acme.destinations.get(id)).toEqual(before);
  });

  it("an endpoint that is no address: is refused before anything is opened", () => {
    const app = { clientId: "id", clientSecret: "secret", redirectUri: "https://cdp.example/callback" };
    const encryptionKeys = [randomBytes(32).toString("base64")];
    const endpoints = { adsApi: "adsapi.snapchat.com" };
    const create = () => createSnapchat({ app, storage: memory(), acceptLoss: true, encryptionKeys, endpoints });
    expect(create).toThrow(expect.objectContaining({ code: "endpoint_invalid", kind: "fix_configuration" }));
  });
});

describe("an audience that cannot be linked", () => {
  it("of another kind, or of another ad account, is refused, and no segment is known of it", async () => {
    const { acme, id, simulator } = shop;
    const { endpoints, world } = simulator;
    const { segments } = new AudiencesClient({ endpoints });
    const call = { token: new Secret(simulator.control.issueToken().access_token) };
    const seed = await segments.create(world.main.adAccount.id, { name: "Seed" }, call);
    const like = { name: "Like it", seedSegmentId: seed.id, countries: ["GB"] };
    const lookalike = await segments.createLookalike(world.main.adAccount.id, like, call);
    const refused = { kind: "fix_configuration", fix: expect.stringContaining("Link") };
    await expect(acme.segments.link(id, "like", lookalike.id)).rejects.toMatchObject({
      code: "segment_not_a_list",
      message: expect.stringContaining("LOOKALIKE"),
      ...refused,
    });
    const other = world.adAccounts.find((account) => account.name === "Northwind DE");
    const foreign = await segments.create(other?.id ?? "", { name: "German" }, call);
    await expect(acme.segments.link(id, "german", foreign.id)).rejects.toMatchObject({
      code: "segment_of_other_account",
      ...refused,
    });
    expect((await acme.segments.list(id)).map(({ key }) => key)).not.toContain("german");
  });
});

describe("a list that cannot go on", () => {
  /** Sixty seconds a second. */
  const clock = {
    now: () => Date.now(),
    monotonic: () => performance.now() * 60,
    sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms / 60, signal),
  };
  const jane = [{ email: "jane@example.com" }];

  it("because there is none, or because its run began otherwise, ends before anything is queued", async () => {
    const { acme, id, snapchat } = shop;
    await expect(acme.segments.sync(id, "vip")).rejects.toMatchObject({ code: "members_missing" });
    const worker = snapchat.startWorker();
    await acme.segments.sync(id, "vip", jane, { runId: "a", mode: "add" });
    await worker.stop();
    await expect(acme.segments.sync(id, "vip", jane, { runId: "a" })).rejects.toMatchObject({
      code: "run_mode_differs",
      details: { mode: "add" },
    });
    expect((await snapchat.stats()).waiting).toBe(0);
  });

  it("because delivery is paused says by whom, and goes on under the same run", async () => {
    const own = await openShop({ clock });
    const { acme, id, snapchat } = own;
    await snapchat.pause();
    const worker = snapchat.startWorker();
    await snapchat.resume();
    await snapchat.pause({ destinationId: id });
    await expect(acme.segments.sync(id, "vip", jane, { runId: "a" })).rejects.toMatchObject({
      code: "delivery_paused",
      details: { reasons: "operator" },
    });
    await snapchat.resume({ destinationId: id });
    expect(await acme.segments.sync(id, "vip", jane, { runId: "a" })).toMatchObject({ phase: "done", sent: 1 });
    await worker.stop();
    await own.close();
  });

  it("because its segment was deleted in Ads Manager says so, and goes on once it is made again", async () => {
    const own = await openShop({ clock });
    const { acme, id, snapchat, simulator } = own;
    const worker = snapchat.startWorker();
    await acme.segments.sync(id, "vip", jane, { runId: "a" });
    simulator.control.deleteSegment(simulator.inspect.segments()[0]?.id ?? "");
    const two = [...jane, { email: "ben@example.com" }];
    await expect(acme.segments.sync(id, "vip", two, { runId: "b" })).rejects.toMatchObject({ code: "segment_deleted" });
    await acme.segments.recreate(id, "vip");
    expect(await acme.segments.sync(id, "vip", two, { runId: "b" })).toMatchObject({ phase: "done" });
    await worker.stop();
    await own.close();
  });
});

describe("a stored record that cannot be read", () => {
  it.each([
    ["record_too_new", Uint8Array.of(99, 0x7b, 0x7d), /newer one/],
    ["record_corrupt", Uint8Array.of(1, 0x7b), /backup/],
    ["record_corrupt", new Uint8Array(), /backup/],
  ])("ends in %s with what to do, and leaves other tenants alone", async (code, value, fix) => {
    const storage = memory();
    const own = await openShop({ storage });
    const { acme, id, snapchat } = own;
    const other = snapchat.tenant("other");
    const { id: otherId } = await other.destinations.create({ name: "Theirs" });
    const keys = (await storage.records.list("", { limit: 1_000 })).map(({ key }) => key);
    const key = keys.find((one) => one.startsWith("dest") && one.includes("acme") && one.endsWith(id)) ?? "";
    await storage.records.put(key, value);
    await expect(acme.destinations.get(id)).rejects.toMatchObject({ code, fix: expect.stringMatching(fix) });
    await expect(acme.destinations.update(id, { name: "New" })).rejects.toMatchObject({ code });
    expect((await storage.records.get(key))?.value).toEqual(value);
    expect(await other.destinations.get(otherId)).toMatchObject({ name: "Theirs" });
    await own.close();
  });
});
