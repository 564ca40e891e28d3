import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { createSnapchat, type SnapchatOptions } from "snapchat-destination";
import { toNodeHandler } from "snapchat-destination/auth";
import { sqlite } from "snapchat-destination/sqlite";
import { createSimulator } from "snapchat-destination/testing";
import { openShop } from "../pixel/shop.ts";
import { createApp } from "./app.ts";
import { segmentsPlugin } from "./segments.ts";

/**
 * The CDP, a customer's shop and a simulated Snapchat, all on this machine; what is stored goes away with `close`.
 * `options` are further settings of the package.
 */
export async function openHostCdp(port = 0, options: Partial<SnapchatOptions> = {}) {
  const server = createServer();
  await once(server.listen(port, "127.0.0.1"), "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const folder = mkdtempSync(join(tmpdir(), "host-cdp-"));
  const simulator = await createSimulator();
  const { clientId, clientSecret, redirectUris } = simulator.world;
  const redirectUri = `${url}/snapchat/callback`;
  redirectUris.add(redirectUri);

  const snapchat = createSnapchat({
    app: { clientId, clientSecret, redirectUri },
    storage: sqlite(join(folder, "snapchat.db")),
    encryptionKeys: [randomBytes(32).toString("base64")], // yours is a secret that outlives the process
    integration: "example-cdp",
    plugins: [segmentsPlugin],
    // Where Snapchat is simulated; leave both lines out for Snapchat itself.
    endpoints: simulator.endpoints,
    allowEndpoints: [simulator.url],
    // Nobody waits in a demonstration, and every receipt is kept.
    delivery: { lingerMs: 0, memberLingerMs: 0, journalShare: 1 },
    ...options,
  });
  const worker = snapchat.startWorker();
  const shop = await openShop({ snapchat, tenantId: "acme", simulator });
  const app = createApp(snapchat, { shopUrl: shop.url });

  // What `@hono/node-server` does in a host of yours.
  const handler = toNodeHandler((request, incoming) => {
    if (request.method !== "POST") return app.fetch(request);
    const body = Readable.toWeb(incoming) as ReadableStream;
    return app.fetch(new Request(request, { body, duplex: "half" }));
  });
  server.on("request", handler);

  return {
    url,
    snapchat,
    simulator,
    async close() {
      server.closeAllConnections();
      server.close();
      await shop.close();
      await worker.stop();
      await snapchat.close();
      await simulator.close();
      rmSync(folder, { recursive: true });
    },
  };
}
