import type { IncomingMessage, ServerResponse } from "node:http";
import { toNodeHandler } from "snapchat-destination/auth";
import type { Host } from "./host.ts";

/** The part of an Express app that is used. Express's requests and responses are Node's own. */
export interface ExpressApp {
  get(
    path: string,
    handler: (request: IncomingMessage, response: ServerResponse, next: (error: unknown) => void) => void,
  ): unknown;
}

export function mount(app: ExpressApp, { oauth, mayEdit }: Host): void {
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
