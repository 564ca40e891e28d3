// What an edge needs of the packed package, step by step, against a simulator that listens elsewhere. Runs unchanged in
// Node, Bun, Deno and workerd; answers { step: "ok" | what went wrong }.
import { createSnapchat, presets, setToggle } from "snapchat-destination";
import { OAuthClient } from "snapchat-destination/auth";
import { ConversionsClient } from "snapchat-destination/capi";
import { hash, preloadIdentity } from "snapchat-destination/identity";
import { memory } from "snapchat-destination/memory";
import { createRouter, loadSchemas, sources } from "snapchat-destination/workflow";

const JANE = "8c87b489ce35cf2e2f39f80e282cb2e804932a56a213983eeeb428407d43b52d";

export async function exercise(simulator) {
  // What is loaded at first need elsewhere: bundles cannot load it on their own.
  await Promise.all([loadSchemas(), preloadIdentity()]);
  const { clientId, clientSecret, pixelId, conversionsToken, endpoints, url, redirectUri } = simulator;
  const here = { endpoints, allowEndpoints: [url] };
  const workflow = setToggle(presets.customerlabs({ defaultCountry: "GB" }), "Purchased", { server: true });
  const purchase = (id) => ({
    event: "Purchased",
    event_id: id,
    timestamp: new Date().toISOString(),
    customProperties: {
      value: 20,
      currency: "GBP",
      order_id: id,
      page_url: "https://shop.example/thanks",
      user_traits: { email: "Jane@Example.com" },
    },
  });
  const unique = (word) => `${word}-${crypto.randomUUID()}`;
  const key = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))));
  let snapchat;
  async function composed() {
    if (snapchat) return snapchat;
    snapchat = createSnapchat({
      app: { clientId, clientSecret, redirectUri },
      storage: memory(),
      acceptLoss: true,
      encryptionKeys: [key],
      delivery: { lingerMs: 0 },
      ...here,
    });
    const acme = snapchat.tenant("acme");
    const { id } = await acme.destinations.create({ name: "edge" });
    await acme.destinations.update(id, { pixelId, conversionsToken, workflow });
    await acme.destinations.enable(id);
    return snapchat;
  }

  const steps = {
    async identity() {
      equal(hash("em", " Jane@Example.COM "), JANE);
    },
    async workflow() {
      const { decisions } = createRouter(workflow).route(sources.customerlabs.read(purchase("w")));
      equal(decisions.length > 0, true);
    },
    async capi() {
      const event = {
        event_name: "PURCHASE",
        event_id: unique("capi"),
        event_time: Math.floor(Date.now() / 1000),
        action_source: "WEB",
        event_source_url: "https://shop.example/thanks",
        user_data: { em: "jane@example.com" },
        custom_data: { value: 20, currency: "GBP" },
      };
      const { outcomes } = await new ConversionsClient(here).send(pixelId, [event], { token: conversionsToken });
      equal(outcomes[0].status, "delivered");
    },
    async auth() {
      const oauth = new OAuthClient({ clientId, clientSecret, redirectUri, ...here });
      const authorizeUrl = String(oauth.authorizationUrl({ state: "state-of-this-browser" }));
      const answer = await fetch(`${url}/__simulator/consent`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ authorizeUrl }),
      });
      const { redirect } = await answer.json();
      const tokens = await oauth.exchange(new URL(redirect).searchParams.get("code"));
      equal(tokens.accessToken !== undefined, true);
    },
    async sendNow() {
      const [outcome] = await (await composed()).sendNow([{ tenantId: "acme", event: purchase(unique("now")) }]);
      equal(outcome.status, "delivered");
    },
    async drain() {
      const snapchat = await composed();
      const [receipt] = await snapchat.tenant("acme").track([purchase(unique("drain"))]);
      equal(receipt.status, "queued");
      await snapchat.drain({ maxMs: 10_000 });
      equal((await snapchat.stats()).counters.delivered >= 1, true);
    },
  };
  const report = {};
  for (const [name, run] of Object.entries(steps)) {
    report[name] = await run().then(
      () => "ok",
      (error) => `${error.name}: ${error.message}`,
    );
  }
  await snapchat?.close();
  return report;
}

function equal(got, wanted) {
  if (got !== wanted) throw new Error(`got ${JSON.stringify(got)} instead of ${JSON.stringify(wanted)}`);
}
