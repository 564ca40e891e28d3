import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createSnapchat } from "snapchat-destination";
import { memory } from "snapchat-destination/memory";
import { createSimulator } from "snapchat-destination/testing";
import { enableAcme } from "../acme.ts";
import { createApp } from "./app.ts";

/** The host and a simulated Snapchat on this machine. Everybody may edit `acme`: there is no session to sign in to. */
export async function openHost(port = 0) {
  const server = createServer();
  await once(server.listen(port, "127.0.0.1"), "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const simulator = await createSimulator();
  const { clientId, clientSecret, redirectUris } = simulator.world;
  const redirectUri = `${url}/snapchat/callback`;
  redirectUris.add(redirectUri);
  const snapchat = createSnapchat({
    app: { clientId, clientSecret, redirectUri },
    storage: memory(),
    acceptLoss: true,
    encryptionKeys: [randomBytes(32).toString("base64")],
    endpoints: simulator.endpoints,
    allowEndpoints: [simulator.url],
    delivery: { lingerMs: 0 },
  });
  const id = await enableAcme(snapchat, simulator);
  const worker = snapchat.startWorker();
  const app = createApp({ snapchat, mayEdit: (_, tenantId) => tenantId === "acme" });
  // Where sign-in ends: your settings page; here, what there is to choose from.
  app.get("/destinations/:id", ({ params }, response) =>
    response.redirect(`/tenants/acme/destinations/${params.id}/accounts`),
  );
  server.on("request", app);
  return {
    url,
    id,
    simulator,
    async close() {
      server.closeAllConnections();
      server.close();
      await worker.stop();
      await snapchat.close();
      await simulator.close();
    },
  };
}
