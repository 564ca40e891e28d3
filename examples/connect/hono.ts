import type { Hono } from "hono";
import type { Host } from "./host.ts";

export function mount(app: Hono, { oauth, mayEdit }: Host): void {
  // #region docs
  app.get("/snapchat/connect", (c) => {
    const [tenantId, destinationId] = [c.req.query("tenant") ?? "", c.req.query("destination") ?? ""];
    if (!mayEdit(c.req.header("cookie"), tenantId)) return c.text("Forbidden", 403);
    return oauth.connect(c.req.raw, { tenantId, destinationId, returnTo: `/destinations/${destinationId}` });
  });
  app.get("/snapchat/callback", (c) =>
    oauth.callback(c.req.raw, { authorize: ({ tenantId }) => mayEdit(c.req.header("cookie"), tenantId) }),
  );
  // #endregion
}
