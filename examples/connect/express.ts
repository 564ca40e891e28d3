import type { Express } from "express";
import { toNodeHandler } from "snapchat-destination/auth";
import type { Host } from "./host.ts";

export function mount(app: Express, { oauth, mayEdit }: Host): void {
  // #region docs
  app.get(
    "/snapchat/connect",
    toNodeHandler((request, { headers }) => {
      const query = new URL(request.url).searchParams;
      const [tenantId, destinationId] = [query.get("tenant") ?? "", query.get("destination") ?? ""];
      if (!mayEdit(headers.cookie, tenantId)) return new Response("Forbidden", { status: 403 });
      return oauth.connect(request, { tenantId, destinationId, returnTo: `/destinations/${destinationId}` });
    }),
  );
  app.get(
    "/snapchat/callback",
    toNodeHandler((request, { headers }) =>
      oauth.callback(request, { authorize: ({ tenantId }) => mayEdit(headers.cookie, tenantId) }),
    ),
  );
  // #endregion
}
