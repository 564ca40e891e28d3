/**
 * The first screen of the README, as a program. The text between the marks is the README's, to the letter; a test runs
 * it against the simulator.
 */
import type { Hono } from "hono";

/** What the host has already: its app, its settings and its events. */
export interface Host {
  app: Hono;
  clientId: string;
  clientSecret: string;
  redirectUri: string;
  database: string;
  mail(tenantId: string, path: string): void;
  mayEdit(tenantId: string): boolean;
  /** The marketer clicks "Authenticate Snapchat" in the browser. */
  signsIn(destinationId: string): Promise<void>;
  pasted: string;
  events: unknown[];
}

export async function firstScreen(host: Host) {
  const { app, clientId, clientSecret, redirectUri, database, mail, mayEdit, signsIn, pasted, events } = host;
  const key = process.env.SNAPCHAT_KEY ?? "";
  // #region readme
  const { createSnapchat, presets, setToggle } = await import("snapchat-destination");
  const { sqlite } = await import("snapchat-destination/sqlite");

  const snapchat = createSnapchat({
    app: { clientId, clientSecret, redirectUri },
    storage: sqlite(database),
    encryptionKeys: [key], //                                32 random bytes in base64
    onReauthRequired: ({ tenantId, destinationId }) => mail(tenantId, `/destinations/${destinationId}`),
  });

  // Connect: both return a web-standard Response. Any framework.
  app.get("/snapchat/connect", (c) =>
    snapchat.oauth.connect(c.req.raw, { tenantId: "acme", destinationId: c.req.query("id") ?? "" }),
  );
  app.get("/snapchat/callback", (c) =>
    snapchat.oauth.callback(c.req.raw, { authorize: ({ tenantId }) => mayEdit(tenantId) }),
  );

  const acme = snapchat.tenant("acme"); //                   refuses every id that is not Acme's
  const shop = await acme.destinations.create({ name: "Snapchat, Acme UK" });
  await signsIn(shop.id); //                                 in the browser, at Snapchat
  const { organizations } = await acme.accounts.tree(shop.id); // the three dropdowns, with what may not be chosen and why
  const adAccount = organizations.flatMap((o) => o.adAccounts).find((a) => a.available && a.pixels.length > 0);

  let workflow = presets.customerlabs({ defaultCountry: "GB", consent: { names: ["ad_storage"], absent: "deny" } });
  workflow = setToggle(workflow, "Purchased", { server: true, client: true }); // every toggle is born off
  workflow = setToggle(workflow, "added_to_segment", { server: true }); //        removed_from_segment comes with it

  await acme.destinations.update(shop.id, {
    adAccountId: adAccount?.id,
    pixelId: adAccount?.pixels[0]?.id,
    conversionsToken: pasted, //                             write-only, sealed, reads back as "…3f9a"
    serverSide: true,
    workflow,
  });
  await acme.destinations.enable(shop.id);

  const worker = snapchat.startWorker(); //                  delivers in the background; drain({ maxMs }) for cron
  const receipts = await acme.track(events, { receivedAt: new Date() }); // durable once resolved
  await snapchat.drain({ maxMs: 10_000 });
  const report = await acme.verify(shop.id); //              what Events Manager would show, and what to fix
  await worker.stop();
  // #endregion
  await snapchat.close();
  return { receipts, report };
}
