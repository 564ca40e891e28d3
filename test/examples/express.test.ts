import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import { createApp } from "../../examples/express/app.ts";
import { openShop, purchase } from "../snapchat/shop.ts";

it("examples/express signs in, shows the accounts and takes events in, for those who may, and refuses in JSON", async () => {
  const shop = await openShop();
  const { snapchat, simulator } = shop;
  const mayEdit = (cookie: string | undefined, tenantId: string) =>
    tenantId === "acme" && /session=ada/.test(cookie ?? "");
  const server = createServer(createApp({ snapchat, mayEdit }));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const visit = (path: string, cookie = "session=ada", init: RequestInit = {}) =>
    fetch(origin + path, { redirect: "manual", ...init, headers: { cookie, "content-type": "application/json" } });

  const away = await visit(`/snapchat/connect?tenant=acme&destination=${shop.id}`);
  const state = away.headers.getSetCookie().map((line) => line.split(";", 1)[0]);
  const back = new URL(simulator.consent(away.headers.get("location") ?? ""));
  const home = await visit(back.pathname + back.search, ["session=ada", ...state].join("; "));
  expect(home.headers.get("location")).toContain(`/destinations/${shop.id}`);

  const accounts = await visit(`/tenants/acme/destinations/${shop.id}/accounts`);
  expect(JSON.stringify(await accounts.json())).toContain(simulator.world.main.adAccount.id);

  const body = JSON.stringify([purchase("web-1")]);
  expect((await visit("/tenants/acme/events", "session=eve", { method: "POST", body })).status).toBe(403);
  const taken = await visit("/tenants/acme/events", "session=ada", { method: "POST", body });
  expect([taken.status, await taken.json()]).toEqual([202, [{ eventId: "web-1", status: "queued" }]]);

  const refused = async (path: string, init: RequestInit) => {
    const response = await visit(path, "session=ada", init);
    return [response.status, await response.json()];
  };
  const post = (body: string) => refused("/tenants/acme/events", { method: "POST", body });
  const bad = (message: unknown) => ({ code: "bad_request", message });
  expect(await post("{oops")).toEqual([400, bad(expect.stringMatching(/^.*JSON.*$/))]);
  expect(await post("{}")).toEqual([400, bad("The body has to be an array of events.")]);
  expect(await post(" ".repeat(6_000_000))).toEqual([413, bad("request entity too large")]);
  const nowhere = await refused("/tenants/acme/destinations/none/accounts", {});
  expect(nowhere).toEqual([404, expect.objectContaining({ code: "not_found" })]);

  await snapchat.drain({ maxMs: 10_000 });
  expect(simulator.inspect.events.counted).toBe(1);
  server.close();
  await shop.close();
});
