import type { FastifyInstance } from "fastify";
import { toNodeHandler } from "snapchat-destination/auth";
import type { Host } from "./host.ts";

export function mount(app: FastifyInstance, { oauth, mayEdit }: Host): void {
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
  for (const [path, handler] of [
    ["/snapchat/connect", connect],
    ["/snapchat/callback", callback],
  ] as const) {
    app.get(path, (request, reply) => {
      reply.hijack();
      handler(request.raw, reply.raw);
    });
  }
  // #endregion
}
