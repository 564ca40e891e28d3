import { describe, expect, it } from "vitest";
import { ACCOUNT_2, createWorld, PIXEL, PIXEL_2, TOKEN } from "./fakes/world.ts";

const code = (code: string) => expect.objectContaining({ code });
const events = (pixel: string) => `events/${pixel}`;

describe("switching a destination off", () => {
  it("holds what is queued and sends it when it is on again", async () => {
    const { destinations, queue, enabledShop } = createWorld();
    const { id } = await enabledShop();
    queue.append({ id: "e1", destinationId: id, group: events(PIXEL) });
    await destinations.disable("acme", id);
    expect(await destinations.enabledDestinations("acme")).toEqual([]);
    queue.deliver();
    expect(queue.delivered).toEqual([]);
    await destinations.enable("acme", id);
    queue.deliver();
    expect(queue.delivered).toMatchObject([{ id: "e1" }]);
  });

  it("still delivers what is queued if told to finish", async () => {
    const { destinations, queue, enabledShop } = createWorld();
    const { id } = await enabledShop();
    queue.append({ id: "e1", destinationId: id, group: events(PIXEL) });
    await destinations.disable("acme", id, { queue: "finish" });
    queue.deliver();
    expect(queue.delivered).toHaveLength(1);
  });

  it("makes what is queued dead letters with a reason if told to drop, and what came late as well", async () => {
    const { destinations, queue, enabledShop } = createWorld();
    const { id } = await enabledShop();
    queue.append({ id: "e1", destinationId: id, group: events(PIXEL) });
    await destinations.disable("acme", id, { queue: "drop" });
    expect(queue.dead).toMatchObject([{ id: "e1", reason: "dropped" }]);
    // From a process that had not seen the change yet.
    queue.append({ id: "late", destinationId: id, group: events(PIXEL) });
    await destinations.enable("acme", id);
    queue.deliver();
    expect(queue.delivered).toEqual([]);
    expect(queue.dead.map((entry) => entry.id)).toEqual(["e1", "late"]);
  });

  it("may change its mind about the queue", async () => {
    const { destinations, queue, enabledShop } = createWorld();
    const { id } = await enabledShop();
    queue.append({ id: "e1", destinationId: id, group: events(PIXEL) });
    await destinations.disable("acme", id);
    await destinations.disable("acme", id, { queue: "finish" });
    queue.deliver();
    expect(queue.delivered).toHaveLength(1);
  });
});

describe("the server-side switch", () => {
  it("holds queued events while audiences go on", async () => {
    const { destinations, queue, enabledShop } = createWorld();
    const { id } = await enabledShop();
    await queue.open([
      { tenantId: "acme", destinationId: id, name: "members/vip", exclusive: true, credentialId: "oauth/acme/c1" },
    ]);
    queue.append({ id: "e1", destinationId: id, group: events(PIXEL) });
    queue.append({ id: "m1", destinationId: id, group: "members/vip" });
    await destinations.update("acme", id, { serverSide: false });
    queue.deliver();
    expect(queue.delivered.map((entry) => entry.id)).toEqual(["m1"]);
    expect(destinations.enabledDestinations("acme")).toMatchObject([{ serverSide: false }]);
    await destinations.update("acme", id, { serverSide: true });
    queue.deliver();
    expect(queue.delivered.map((entry) => entry.id)).toEqual(["m1", "e1"]);
  });
});

describe("changing pixel and ad account", () => {
  it("delivers what is queued to the old pixel, and says so in the audit trail", async () => {
    const { destinations, queue, enabledShop, segmentCalls, context } = createWorld();
    const { id } = await enabledShop();
    queue.append({ id: "e1", destinationId: id, group: events(PIXEL) });
    await destinations.update("acme", id, { adAccountId: ACCOUNT_2, pixelId: PIXEL_2 });
    queue.append({ id: "e2", destinationId: id, group: events(PIXEL_2) });
    queue.deliver();
    expect(queue.delivered.map(({ id, group }) => [id, group])).toEqual([
      ["e1", events(PIXEL)],
      ["e2", events(PIXEL_2)],
    ]);
    expect(segmentCalls).toContainEqual([
      "moveAccount",
      "acme",
      id,
      { from: expect.any(String), to: ACCOUNT_2, queue: "old_asset" },
    ]);
    const { items } = await context.audit.list("acme");
    expect(items.at(-1)).toMatchObject({
      action: "destination.updated",
      detail: { queue: "old_asset", pixelId: PIXEL_2, adAccountId: ACCOUNT_2 },
    });
  });

  it("drops what is queued for the old pixel if told to, also what comes back later", async () => {
    const { destinations, queue, enabledShop } = createWorld();
    const { id } = await enabledShop();
    queue.append({ id: "e1", destinationId: id, group: events(PIXEL) });
    await destinations.update("acme", id, { adAccountId: ACCOUNT_2, pixelId: PIXEL_2 }, { queue: "drop" });
    expect(queue.dead).toMatchObject([{ id: "e1", reason: "dropped" }]);
    queue.append({ id: "back", destinationId: id, group: events(PIXEL) });
    queue.deliver();
    expect(queue.delivered).toEqual([]);
    await destinations.update("acme", id, { adAccountId: null, pixelId: PIXEL });
    queue.append({ id: "new", destinationId: id, group: events(PIXEL) });
    queue.deliver();
    expect(queue.delivered.map((entry) => entry.id)).toEqual(["new"]);
    expect(queue.dead.map((entry) => entry.id)).toEqual(["e1", "back"]);
  });

  it("asks Snapchat about the token again, for the new pixel", async () => {
    const { destinations, enabledShop, judged, script } = createWorld();
    const { id } = await enabledShop();
    script.token = "refused";
    const moved = await destinations.update("acme", id, { adAccountId: ACCOUNT_2, pixelId: PIXEL_2 });
    expect(judged.map(({ assetId }) => assetId)).toEqual([PIXEL, PIXEL_2]);
    expect(moved.conversionsToken?.status).toBe("unconfirmed");
  });
});

describe("logins", () => {
  it("holds the work of a lost login, lets events on a token go on, and resumes when it is mended", async () => {
    const { destinations, queue, enabledShop, signIn } = createWorld();
    const { id } = await enabledShop();
    await queue.open([
      { tenantId: "acme", destinationId: id, name: "members/vip", exclusive: true, credentialId: "oauth/acme/c1" },
    ]);
    signIn("acme", "c1", { status: "reauth_required" });
    await destinations.connectionChanged("acme", "c1");
    queue.append({ id: "e1", destinationId: id, group: events(PIXEL) });
    queue.append({ id: "m1", destinationId: id, group: "members/vip" });
    queue.deliver();
    expect(queue.delivered.map((entry) => entry.id)).toEqual(["e1"]);
    signIn("acme", "c1");
    await destinations.connectionChanged("acme", "c1");
    queue.deliver();
    expect(queue.delivered.map((entry) => entry.id)).toEqual(["e1", "m1"]);
  });

  it("goes on with another person's login and forgets the one that nobody uses", async () => {
    const { destinations, enabledShop, signIn, connections, segmentCalls } = createWorld();
    const { id } = await enabledShop();
    const other = await destinations.create("acme", { name: "Other" });
    await destinations.connect("acme", other.id, "c1");
    signIn("acme", "c2", { person: "Grace" });
    const shop = await destinations.connect("acme", id, "c2");
    expect(shop.connection).toEqual({ id: "c2", status: "connected", person: "Grace" });
    expect(segmentCalls.at(-1)).toEqual(["reopen", "acme", id, "oauth/acme/c2"]);
    expect([...connections.keys()]).toEqual(["acme c1", "acme c2"]);
    await destinations.connect("acme", other.id, "c2");
    expect([...connections.keys()]).toEqual(["acme c2"]);
  });

  it("holds events that have no credential left, and sends them with the next one", async () => {
    const { destinations, queue, enabledShop, signIn } = createWorld();
    const { id } = await enabledShop();
    await destinations.update("acme", id, { conversionsToken: null });
    await destinations.disconnect("acme", id);
    queue.append({ id: "e1", destinationId: id, group: events(PIXEL) });
    queue.deliver();
    expect(queue.delivered).toEqual([]);
    await destinations.connect("acme", id, signIn("acme", "c9"));
    queue.deliver();
    expect(queue.delivered).toMatchObject([{ id: "e1", credentialId: "oauth/acme/c9" }]);
  });
});

describe("deleting a destination", () => {
  it("leaves nothing of it but the audit trail", async () => {
    const { destinations, queue, records, connections, enabledShop, segmentCalls } = createWorld();
    const { id } = await enabledShop();
    queue.append({ id: "e1", destinationId: id, group: events(PIXEL) });
    const report = await destinations.delete("acme", id, { segments: "empty", actor: "u7" });
    expect(report).toMatchObject({ queuedItems: 1, segments: { emptied: 1 } });
    expect(segmentCalls).toContainEqual(["release", "acme", id, "empty"]);
    expect([...records.rows.keys()].filter((key) => key.includes(id) && !key.startsWith("audit/"))).toEqual([]);
    expect(queue.groups.size).toBe(0);
    expect(connections.size).toBe(0);
    await expect(destinations.get("acme", id)).rejects.toEqual(code("not_found"));
    await expect(destinations.delete("acme", id)).rejects.toEqual(code("not_found"));
    expect(destinations.enabledDestinations("acme")).toEqual([]);
  });

  it("goes on where it was cut off and refuses everything else meanwhile", async () => {
    const { destinations, queue, enabledShop, segmentCalls } = createWorld();
    const { id } = await enabledShop();
    queue.beforeCommand = (command) => {
      if (command === "purge") throw new Error("engine gone");
    };
    await expect(destinations.delete("acme", id, { segments: "delete" })).rejects.toThrow("engine gone");
    expect(await destinations.get("acme", id)).toMatchObject({ deleting: true, enabled: false });
    await expect(destinations.enable("acme", id)).rejects.toEqual(code("destination_deleting"));
    await expect(destinations.update("acme", id, { conversionsToken: TOKEN })).rejects.toEqual(
      code("destination_deleting"),
    );
    queue.beforeCommand = () => {};
    await destinations.delete("acme", id);
    expect(segmentCalls.filter(([call]) => call === "release").map((call) => call[3])).toEqual(["delete", "delete"]);
    await expect(destinations.get("acme", id)).rejects.toEqual(code("not_found"));
  });
});
