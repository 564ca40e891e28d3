import { randomBytes } from "node:crypto";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { createSnapchat, presets, type Snapchat, setToggle } from "snapchat-destination";
import { memory } from "snapchat-destination/memory";
import { pixelCsp } from "snapchat-destination/pixel";
import { createSimulator, type Simulator } from "snapchat-destination/testing";
import { shopPage } from "./page.ts";

/** What a shop works with: its platform, who it is there, and the Snapchat that both speak to. */
export interface ShopWorld {
  snapchat: Snapchat;
  tenantId: string;
  simulator: Simulator;
}

/**
 * A shop whose pages carry the tag of a destination and whose server sends the same purchases: what a browser and a
 * server tell the simulator shows up in a table on the page. Each destination has its page, `/<id>/`.
 */
export async function openShop({ snapchat, tenantId, simulator }: ShopWorld, port = 0) {
  const acme = snapchat.tenant(tenantId);

  // #region page
  async function page(id: string, response: ServerResponse): Promise<void> {
    const nonce = randomBytes(16).toString("base64");
    const tag = await acme.pixel.tag(id, { nonce, pageViews: true, identity: { email: "Jane@Example.com" } });
    const policy = Object.entries(pixelCsp({ nonce, endpoints: simulator.endpoints }))
      .map(([directive, sources]) => `${directive} 'self' ${sources.join(" ")}`)
      .join("; ");
    response.setHeader("content-security-policy", `default-src 'none'; style-src 'nonce-${nonce}'; ${policy}`);
    response.setHeader("content-type", "text/html; charset=utf-8");
    const { config } = await acme.pixel.config(id);
    response.end(shopPage({ tag, nonce, pixelId: config.pixelId }));
  }
  // #endregion

  /** The server's copy: it carries the id that `track` gave to the page, and the visitor's answer. */
  async function purchase(body: string): Promise<void> {
    const { eventId, granted, value, currency, orderId, url, clickId, cookie1 } = JSON.parse(body) as Record<
      string,
      unknown
    >;
    const properties = { value, currency, order_id: orderId, page_url: url, sc_click_id: clickId, sc_cookie1: cookie1 };
    await acme.track([
      {
        event: "Purchased",
        timestamp: new Date().toISOString(),
        snap_event_id: eventId,
        consent: { ad_storage: granted ? "granted" : "denied" },
        customProperties: { ...properties, user_traits: { email: "Jane@Example.com" } },
      },
    ]);
    await snapchat.drain({ maxMs: 5_000 });
  }

  const received = () =>
    simulator.inspect.events.list().map(({ channel, name, eventId, outcome }) => ({ channel, name, eventId, outcome }));

  const server = createServer(async (request, response) => {
    const [, id = "", path = ""] = (request.url ?? "").split("?", 1)[0]?.split("/") ?? [];
    try {
      if (request.method === "POST") {
        await purchase(await text(request));
        response.writeHead(204).end();
      } else if (path === "received") {
        response.setHeader("content-type", "application/json");
        response.end(JSON.stringify(received()));
      } else if (id === "favicon.ico") response.writeHead(204).end();
      else await page(id, response);
    } catch {
      // No such destination, or a body that is none.
      if (!response.headersSent) response.writeHead(400);
      response.end();
    }
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The shop with a destination of its own, switched on. Run it with `npm run example:pixel`. */
export async function openExampleShop(port = 0) {
  const simulator = await createSimulator();
  const { clientId, clientSecret, main } = simulator.world;
  const snapchat = createSnapchat({
    app: { clientId, clientSecret, redirectUri: "http://127.0.0.1/callback" },
    storage: memory(),
    acceptLoss: true,
    encryptionKeys: [randomBytes(32).toString("base64")],
    endpoints: simulator.endpoints,
    allowEndpoints: [simulator.url],
    integration: "example-shop",
    delivery: { lingerMs: 0 },
  });
  const acme = snapchat.tenant("acme");
  const { id } = await acme.destinations.create({ name: "Snapchat" });
  const consent = { names: ["ad_storage"], absent: "deny" } as const;
  let workflow = presets.customerlabs({ defaultCountry: "GB", consent });
  workflow = setToggle(workflow, "Purchased", { server: true, client: true });
  workflow = setToggle(workflow, "Page viewed", { client: true });
  await acme.destinations.update(id, { pixelId: main.pixel.id, conversionsToken: main.conversionsToken, workflow });
  await acme.destinations.enable(id);
  const shop = await openShop({ snapchat, tenantId: acme.id, simulator }, port);
  return {
    url: `${shop.url}/${id}/`,
    simulator,
    async close() {
      await shop.close();
      await snapchat.close();
      await simulator.close();
    },
  };
}
