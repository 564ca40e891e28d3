import express, { type ErrorRequestHandler, type Express } from "express";
import { isSnapchatError, type Snapchat } from "snapchat-destination";
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
    if (!Array.isArray(request.body)) return void response.status(400).json(NO_ARRAY);
    // Durable once this resolves; a worker delivers.
    const receipts = await snapchat.tenant(request.params.tenant).track(request.body, { receivedAt: Date.now() });
    response.status(202).json(receipts.map(({ eventId, status }) => ({ eventId, status })));
  });
  app.use(refuse);
  return app;
}

const NO_ARRAY = { code: "bad_request", message: "The body has to be an array of events." };

/** Express itself would answer with a page that shows the stack. */
const refuse: ErrorRequestHandler = (error, _request, response, next) => {
  if (response.headersSent) return next(error);
  if (isSnapchatError(error)) {
    const { code, kind, message, fix } = error;
    const status = code === "not_found" ? 404 : kind === "retry" ? 503 : 422;
    return void response.status(status).json({ code, message, fix });
  }
  // Express' own: a body that is no JSON, or too large.
  const { status, message } = error;
  if (status < 500) return void response.status(status).json({ code: "bad_request", message });
  console.error(error);
  response.status(500).json({ code: "internal", message: "Something broke on our side." });
};
