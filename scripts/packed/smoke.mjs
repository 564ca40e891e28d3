// Runs inside a folder that has only the packed tarball installed: the main job, once, through the public subpaths.
import { randomBytes } from "node:crypto";
import { createRequire } from "node:module";
import { createSnapchat, presets, setToggle } from "snapchat-destination";
import { sqlite } from "snapchat-destination/sqlite";
import { createSimulator } from "snapchat-destination/testing";

for (const subpath of [
  "auth",
  "capi",
  "audiences",
  "workflow",
  "identity",
  "pixel",
  "memory",
  "sqlite",
  "storage",
  "testing",
]) {
  const exported = Object.keys(await import(`snapchat-destination/${subpath}`));
  if (exported.length === 0) throw new Error(`${subpath} exports nothing`);
}
if (typeof createRequire(import.meta.url)("snapchat-destination").createSnapchat !== "function")
  throw new Error("require() does not reach the package");

const redirectUri = "http://127.0.0.1:8080/callback";
const simulator = await createSimulator();
simulator.world.redirectUris.add(redirectUri);
const snapchat = createSnapchat({
  app: { clientId: simulator.world.clientId, clientSecret: simulator.world.clientSecret, redirectUri },
  storage: sqlite(`smoke-${process.version}.db`),
  encryptionKeys: [randomBytes(32).toString("base64")],
  endpoints: simulator.endpoints,
  allowEndpoints: [simulator.url],
});
const acme = snapchat.tenant("acme");
const shop = await acme.destinations.create({ name: "smoke" });
const away = await snapchat.oauth.connect(new Request("http://127.0.0.1:8080/connect"), {
  tenantId: "acme",
  destinationId: shop.id,
});
const cookie = away.headers.getSetCookie()[0].split(";")[0];
await snapchat.oauth.callback(new Request(simulator.consent(away.headers.get("location")), { headers: { cookie } }), {
  authorize: () => true,
});
const { adAccount, pixel, conversionsToken, organization } = simulator.world.main;
const workflow = setToggle(presets.customerlabs({ defaultCountry: "GB" }), "Purchased", { server: true });
await acme.destinations.update(shop.id, {
  organizationId: organization.id,
  adAccountId: adAccount.id,
  pixelId: pixel.id,
  conversionsToken,
  workflow,
});
await acme.destinations.enable(shop.id);
const receipts = await acme.track(
  [
    {
      event: "Purchased",
      event_id: "smoke-1",
      customProperties: {
        value: 20,
        currency: "GBP",
        order_id: "SO-1",
        page_url: "https://shop.example/thanks",
        user_traits: { email: "Jane@Example.com" },
      },
    },
  ],
  { receivedAt: new Date() },
);
if (receipts[0].status !== "queued") throw new Error(`the event was ${JSON.stringify(receipts[0])}`);
await snapchat.drain({ maxMs: 10_000 });
const { counted } = simulator.inspect.events;
if (counted !== 1) throw new Error(`Snapchat counted ${counted} events instead of 1`);
await snapchat.close();
await simulator.close();
console.log("smoke: connected, tracked, delivered, counted once");
