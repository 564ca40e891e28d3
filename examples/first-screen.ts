/**
 * The first screen of the README, as a program. The text between the marks is the README's, to the letter; a test runs
 * it against the simulator.
 */
import type { Hono } from "hono";
// #region imports
import { createSnapchat, presets, setToggle } from "snapchat-destination";
import { sqlite } from "snapchat-destination/sqlite";
// #endregion

/** What the host has already: its app, its settings and its events. */
export interface Host {
  app: Hono;
  clientId: string;
  clientSecret: string;
  redirectUri: string;
  database: string;
  mail(tenantId: string, destinationId: string): void;
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
  const snapchat = createSnapchat({
    app: { clientId, clientSecret, redirectUri },
    storage: sqlite(database),
    encryptionKeys: [key], // 32 random bytes in base64
    onReauthRequired: ({ tenantId, destinationId }) => mail(tenantId, destinationId),
  });

  // Connect: both return a web-standard Response. Any framework.
  app.get("/snapchat/connect", (c) => {
    const destinationId = c.req.query("id") ?? "";
    return snapchat.oauth.connect(c.req.raw, { tenantId: "acme", destinationId });
  });
  app.get("/snapchat/callback", (c) =>
    snapchat.oauth.callback(c.req.raw, { authorize: ({ tenantId }) => mayEdit(tenantId) }),
  );

  // Refuses every id that is not Acme's.
  const acme = snapchat.tenant("acme");
  const shop = await acme.destinations.create({ name: "Snapchat, Acme UK" });
  // Here a browser opens /snapchat/connect?id=…, and the marketer signs in at Snapchat.
  await signsIn(shop.id);

  // The three dropdowns, with what may not be chosen and why.
  const { organizations } = await acme.accounts.tree(shop.id);
  const adAccounts = organizations.flatMap((organization) => organization.adAccounts);
  const adAccount = adAccounts.find(({ available, pixels }) => available && pixels.length > 0);

  // Every toggle is born off. removed_from_segment comes with added_to_segment.
  const consent = { names: ["ad_storage"], absent: "deny" } as const;
  let workflow = presets.customerlabs({ defaultCountry: "GB", consent });
  workflow = setToggle(workflow, "Purchased", { server: true, client: true });
  workflow = setToggle(workflow, "added_to_segment", { server: true });

  await acme.destinations.update(shop.id, {
    adAccountId: adAccount?.id,
    pixelId: adAccount?.pixels[0]?.id,
    conversionsToken: pasted, // write-only, sealed, reads back as "…3f9a"
    serverSide: true,
    workflow,
  });
  await acme.destinations.enable(shop.id);

  // Delivers in the background; drain({ maxMs }) for cron.
  const worker = snapchat.startWorker();
  // Durable once resolved.
  const receipts = await acme.track(events, { receivedAt: new Date() });
  await snapchat.drain({ maxMs: 10_000 });
  // What Events Manager would show, and what to fix.
  const report = await acme.verify(shop.id);
  await worker.stop();
  // #endregion
  await snapchat.close();
  return { receipts, report };
}
