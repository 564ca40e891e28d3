import { describe, expect, it } from "vitest";
import { createTenantHandle, createTenants, type TenantHandle } from "../../src/destinations/index.ts";
import { createWorld, PIXEL, TOKEN } from "./fakes/world.ts";

const code = (code: string) => expect.objectContaining({ code });

/** Every public method that takes a destination's id. A new one has to be added here: the test counts them. */
const CALLS: Record<string, (handle: TenantHandle, id: string) => Promise<unknown>> = {
  get: (handle, id) => handle.destinations.get(id),
  update: (handle, id) => handle.destinations.update(id, { name: "Mine" }),
  rename: (handle, id) => handle.destinations.rename(id, "Mine"),
  enable: (handle, id) => handle.destinations.enable(id),
  disable: (handle, id) => handle.destinations.disable(id, { queue: "drop" }),
  connect: (handle, id) => handle.destinations.connect(id, "c1"),
  disconnect: (handle, id) => handle.destinations.disconnect(id),
  checkToken: (handle, id) => handle.destinations.checkToken(id),
  delete: (handle, id) => handle.destinations.delete(id),
  preflight: (handle, id) => handle.preflight(id),
};

describe("a tenant handle", () => {
  it("answers another tenant's id like one that does not exist, in every method, and changes nothing", async () => {
    const { context, destinations, enabledShop, records, queue } = createWorld();
    const { id } = await enabledShop("acme");
    queue.append({ id: "e1", destinationId: id, group: `events/${PIXEL}` });
    const before = records.dump();
    const evil = createTenantHandle({ destinations, audit: context.audit }, "evil");
    expect([...Object.keys(evil.destinations), "preflight"].sort()).toEqual(
      [...Object.keys(CALLS), "create", "list"].sort(),
    );
    for (const [name, call] of Object.entries(CALLS)) {
      const [foreign, missing] = await Promise.all([
        call(evil, id).catch((e) => e),
        call(evil, "no-such-id").catch((e) => e),
      ]);
      expect(foreign, name).toEqual(code("not_found"));
      expect(JSON.stringify(foreign), name).toBe(JSON.stringify(missing));
    }
    expect(records.dump()).toBe(before);
    expect(queue.waiting).toHaveLength(1);
    expect(queue.reasons(id)).toEqual([]);
  });

  it("answers the same to the lower-level calls that the composition makes", async () => {
    const { destinations, enabledShop } = createWorld();
    const { id } = await enabledShop("acme");
    expect(await destinations.conversionsToken("evil", id, 1)).toBeUndefined();
    await expect(destinations.tokenRefused("evil", id, 1)).rejects.toEqual(code("not_found"));
    await destinations.connectionChanged("evil", "c1");
    expect(await destinations.enabledDestinations("evil")).toEqual([]);
  });

  it("does not take another tenant's login", async () => {
    const { destinations, enabledShop } = createWorld();
    await enabledShop("acme");
    const mine = await destinations.create("evil", { name: "Mine" });
    await expect(destinations.connect("evil", mine.id, "c1")).rejects.toEqual(code("not_found"));
  });

  it("keeps tenants apart whose ids look like parts of each other's keys", async () => {
    const { destinations } = createWorld();
    const a = await destinations.create("a/b", { name: "A", id: "c" });
    await destinations.create("a", { name: "B", id: "b" });
    await expect(destinations.get("a", "b/c")).rejects.toEqual(code("not_found"));
    expect((await destinations.list("a")).items.map(({ name }) => name)).toEqual(["B"]);
    expect((await destinations.list("a/b")).items).toEqual([a]);
  });

  it("shows a tenant its own audit trail only", async () => {
    const { context, destinations, enabledShop } = createWorld();
    const { id } = await enabledShop("acme");
    const evil = createTenantHandle({ destinations, audit: context.audit }, "evil");
    expect((await evil.audit.list({ destinationId: id })).items).toEqual([]);
    const lines = [];
    for await (const line of evil.audit.export()) lines.push(line);
    expect(lines).toEqual([]);
  });

  it.each([[""], ["x".repeat(91)], ["\ud800"], [undefined], [7]])("refuses %j as a tenant's id", (id) => {
    const { destinations, context } = createWorld();
    expect(() => createTenantHandle({ destinations, audit: context.audit }, id as string)).toThrow(
      code("tenant_id_invalid"),
    );
  });
});

describe("suspending a tenant", () => {
  it("takes nothing in and lets nothing out, keeps all, and goes on afterwards", async () => {
    const { context, destinations, queue, enabledShop } = createWorld();
    const tenants = createTenants(context);
    const { id } = await enabledShop();
    queue.append({ id: "e1", destinationId: id, group: `events/${PIXEL}` });
    expect(await tenants.suspend("acme", { actor: "billing" })).toMatchObject({ id: "acme", status: "suspended" });
    expect(await destinations.activeTenant("acme")).toMatchObject({ status: "suspended", enabled: [], all: [{ id }] });
    queue.deliver();
    expect(queue.delivered).toEqual([]);
    await tenants.resume("acme");
    queue.deliver();
    expect(queue.delivered).toHaveLength(1);
    expect(await destinations.enabledDestinations("acme")).toHaveLength(1);
    await expect(tenants.suspend("nobody")).rejects.toEqual(code("not_found"));
  });

  it("is listed, page by page", async () => {
    const { context, destinations } = createWorld();
    for (const tenant of ["a", "b/c", "d"]) await destinations.create(tenant, { name: "x" });
    const tenants = createTenants(context);
    const first = await tenants.list({ limit: 2 });
    expect(first.items.map(({ id }) => id)).toEqual(["a", "b/c"]);
    expect((await tenants.list({ limit: 2, after: first.after ?? "" })).items.map(({ id }) => id)).toEqual(["d"]);
  });
});

describe("offboarding a tenant", () => {
  it("removes everything but the audit trail and says what stays at Snapchat", async () => {
    const { context, destinations, records, queue, enabledShop, connections } = createWorld();
    const purged: string[] = [];
    const tenants = createTenants(context, [{ name: "people", purge: async (tenantId) => void purged.push(tenantId) }]);
    const { id } = await enabledShop("acme");
    await enabledShop("other");
    await destinations.create("acme", { name: "Second" });
    queue.append({ id: "e1", destinationId: id, group: `events/${PIXEL}` });
    const report = await tenants.offboard("acme", { actor: "sales", segments: "keep" });
    expect(report).toMatchObject({ destinations: 2, queuedItems: 1, removed: ["people"], segments: { kept: 2 } });
    expect(report.stays.map(({ code }) => code)).toEqual([
      "events_stay",
      "conversions_token_stays_valid",
      "app_stays_authorized",
      "pixel_tag_stays",
      "segments_stay",
    ]);
    const left = [...records.rows.keys()].filter((key) => key.includes("acme")).map((key) => key.split("/")[0]);
    expect(new Set(left)).toEqual(new Set(["audit", "tenant", "stamp"]));
    expect(connections.has("acme c1")).toBe(false);
    expect(connections.has("other c1")).toBe(true);
    expect(purged).toEqual(["acme"]);
    expect(await tenants.offboard("acme")).toEqual(report);
    await expect(destinations.create("acme", { name: "Again" })).rejects.toEqual(code("tenant_offboarded"));
    await tenants.resume("acme");
    expect(await destinations.create("acme", { name: "Again" })).toMatchObject({ name: "Again" });
  });

  it("that cannot go on keeps the tenant closed: it is finished before it is opened again", async () => {
    const { context, enabledShop } = createWorld();
    let broken = true;
    const purge = async () => {
      if (broken) throw new Error("the host's own table is locked");
    };
    const tenants = createTenants(context, [{ name: "people", purge }]);
    await enabledShop("acme");
    await expect(tenants.offboard("acme")).rejects.toThrow("locked");
    await expect(tenants.resume("acme")).rejects.toMatchObject({
      code: "tenant_offboarding",
      fix: expect.stringContaining("tenants.offboard()"),
    });
    broken = false;
    expect(await tenants.offboard("acme")).toMatchObject({ destinations: 1 });
    expect(await tenants.resume("acme")).toMatchObject({ status: "active" });
  });

  it("goes on where it was cut off, with the same report in the end", async () => {
    const whole = createWorld();
    await whole.enabledShop();
    const expected = await createTenants(whole.context).offboard("acme");
    for (let dieAt = 1; ; dieAt++) {
      const world = createWorld();
      await world.enabledShop();
      let writes = 0;
      world.records.beforeWrite = () => {
        if (++writes === dieAt) throw new Error("killed");
      };
      const outcome = await createTenants(world.context)
        .offboard("acme")
        .catch((error: Error) => error.message);
      world.records.beforeWrite = () => {};
      const again = await createTenants(createWorld(world).context).offboard("acme");
      // A kill between removing and counting loses the count of one destination, never what stays.
      expect(again.stays.map(({ code }) => code).filter((code) => code !== "segments_stay")).toEqual(
        expected.stays.map(({ code }) => code).filter((code) => code !== "segments_stay"),
      );
      expect(
        [...world.records.rows.keys()].filter((key) => key.startsWith("destination/") || key.startsWith("secret/")),
      ).toEqual([]);
      if (outcome !== "killed") break;
      expect(dieAt).toBeLessThan(100);
    }
  });

  it("leaves no destination behind that is being made while it runs", async () => {
    const { context, destinations, records, enabledShop } = createWorld();
    await enabledShop();
    let done = false;
    records.beforeWrite = async (key) => {
      if (done || !key.startsWith("destination/")) return;
      done = true;
      await createTenants(context).offboard("acme");
    };
    await expect(destinations.create("acme", { name: "Late" })).rejects.toEqual(code("tenant_offboarded"));
    expect([...records.rows.keys()].filter((key) => /^(destination|pending)/.test(key))).toEqual([]);
  });

  it("holds a token's text nowhere afterwards", async () => {
    const { context, records, enabledShop } = createWorld();
    await enabledShop();
    await createTenants(context).offboard("acme");
    expect(records.dump()).not.toContain(Buffer.from(TOKEN).toString("base64").slice(0, 20));
  });
});
