import express, { type Express } from "express";
import type { Snapchat } from "snapchat-destination";
import { mount } from "../connect/express.ts";

export interface AppOptions {
  snapchat: Snapchat;
  /** The host's own session: may whoever sends this cookie edit the tenant's destinations? */
  mayEdit(cookie: string | undefined, tenantId: string): boolean;
}

/** An Express host: sign-in (examples/connect/express.ts), the dropdowns, and events in. */
export function createApp({ snapchat, mayEdit }: AppOptions): Express {
  const app = express();
  mount(app, { oauth: snapchat.oauth, mayEdit });

  app.use("/tenants/:tenant", (request, response, next) => {
    if (mayEdit(request.headers.cookie, request.params.tenant)) next();
    else response.sendStatus(403);
  });
  app.get("/tenants/:tenant/destinations/:id/accounts", async (request, response) => {
    const { tenant, id } = request.params;
    response.json(await snapchat.tenant(tenant).accounts.tree(id));
  });
  app.post("/tenants/:tenant/events", express.json({ limit: "5mb" }), async (request, response) => {
    if (!Array.isArray(request.body)) return void response.status(400).send("An array of events, please");
    // Durable once this resolves; a worker delivers.
    const receipts = await snapchat.tenant(request.params.tenant).track(request.body, { receivedAt: Date.now() });
    response.status(202).json(receipts.map(({ eventId, status }) => ({ eventId, status })));
  });
  return app;
}
