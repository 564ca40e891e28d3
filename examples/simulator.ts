/**
 * A host's own test against the simulator. The text between the marks is that of docs/simulator.md, to the letter; a test
 * runs it.
 */
// #region open
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createSnapchat, presets, setToggle } from "snapchat-destination";
import { memory } from "snapchat-destination/memory";
import { createSimulator } from "snapchat-destination/testing";
// #endregion

export async function againstTheSimulator() {
  // #region open
  const simulator = await createSimulator();
  const { clientId, clientSecret, main } = simulator.world;
  const snapchat = createSnapchat({
    app: { clientId, clientSecret, redirectUri: "http://127.0.0.1:3000/snapchat/callback" },
    storage: memory(),
    acceptLoss: true,
    encryptionKeys: [randomBytes(32).toString("base64")],
    endpoints: simulator.endpoints,
    allowEndpoints: [simulator.url],
    // A test has no time to wait for company, nor between two tries.
    delivery: { lingerMs: 0, memberLingerMs: 0, retryMinMs: 10 },
  });
  // #endregion

  // #region sign-in
  const acme = snapchat.tenant("acme");
  const { id } = await acme.destinations.create({ name: "Snapchat, Acme UK" });

  const click = new Request("http://127.0.0.1:3000/snapchat/connect");
  const away = await snapchat.oauth.connect(click, { tenantId: "acme", destinationId: id });
  const cookie = away.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  const back = simulator.consent(away.headers.get("location") ?? "");
  await snapchat.oauth.callback(new Request(back, { headers: { cookie } }), { authorize: () => true });
  // #endregion

  // #region accounts
  const { organizations } = await acme.accounts.tree(id);
  const adAccounts = organizations.flatMap((organization) => organization.adAccounts);
  const offered = adAccounts.filter(({ available }) => available).map(({ name }) => name);
  assert.deepEqual(offered, ["Northwind UK", "Northwind DE"]);

  await acme.destinations.update(id, {
    organizationId: main.organization.id,
    adAccountId: main.adAccount.id,
    pixelId: main.pixel.id,
    conversionsToken: main.conversionsToken,
    workflow: setToggle(presets.segment({ defaultCountry: "GB" }), "Order Completed", { server: true }),
  });
  await acme.destinations.enable(id);
  // #endregion

  // #region event
  const purchase = (messageId: string) => ({
    type: "track",
    event: "Order Completed",
    messageId,
    timestamp: new Date().toISOString(),
    context: { traits: { email: "jane@example.com" }, page: { url: "https://shop.example/thanks" } },
    properties: { order_id: messageId, revenue: 64.5, currency: "GBP" },
  });

  const [receipt] = await acme.track([purchase("order-1")]);
  await snapchat.drain({ maxMs: 10_000 });

  assert.equal(receipt?.status, "queued");
  assert.equal(simulator.inspect.events.counted, 1);
  const [seen] = simulator.inspect.events.list({ outcome: "counted" });
  assert.equal(seen?.name, "PURCHASE");
  assert.equal(seen.eventId, receipt.eventId);
  // #endregion

  // #region faults
  const outage = simulator.faults.add({ area: "conversions", status: 503, count: 2 });
  await acme.track([purchase("order-2")]);
  await snapchat.drain({ maxMs: 10_000 });

  assert.equal(outage.hits, 2);
  assert.equal(simulator.inspect.events.counted, 2);
  // #endregion

  // #region close
  await snapchat.close();
  await simulator.close();
  // #endregion
}
