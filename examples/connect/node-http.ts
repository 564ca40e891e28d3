import { createServer, type Server } from "node:http";
import { toNodeHandler } from "snapchat-destination/auth";
import type { Host } from "./host.ts";

export function server({ oauth, mayEdit }: Host): Server {
  // #region docs
  const connect = toNodeHandler((request, { headers }) => {
    const query = new URL(request.url).searchParams;
    const [tenantId, destinationId] = [query.get("tenant") ?? "", query.get("destination") ?? ""];
    if (!mayEdit(headers.cookie, tenantId)) return new Response("Forbidden", { status: 403 });
    return oauth.connect(request, { tenantId, destinationId, returnTo: `/destinations/${destinationId}` });
  });
  const callback = toNodeHandler((request, { headers }) =>
    oauth.callback(request, { authorize: ({ tenantId }) => mayEdit(headers.cookie, tenantId) }),
  );

  return createServer((incoming, outgoing) => {
    const path = incoming.url?.split("?", 1)[0];
    if (path === "/snapchat/connect") connect(incoming, outgoing);
    else if (path === "/snapchat/callback") callback(incoming, outgoing);
    else outgoing.writeHead(404).end();
  });
  // #endregion
}
