import type { Host } from "./host.ts";

/** One route file each: `app/snapchat/connect/route.ts` and `app/snapchat/callback/route.ts`. */
export function handlers({ oauth, mayEdit }: Host) {
  // #region docs
  async function connect(request: Request): Promise<Response> {
    const query = new URL(request.url).searchParams;
    const [tenantId, destinationId] = [query.get("tenant") ?? "", query.get("destination") ?? ""];
    if (!mayEdit(request.headers.get("cookie") ?? "", tenantId)) return new Response("Forbidden", { status: 403 });
    return oauth.connect(request, { tenantId, destinationId, returnTo: `/destinations/${destinationId}` });
  }
  const callback = (request: Request): Promise<Response> =>
    oauth.callback(request, {
      authorize: ({ tenantId }) => mayEdit(request.headers.get("cookie") ?? "", tenantId),
    });
  // #endregion
  // `export { connect as GET }` and `export { callback as GET }`, one in each file.
  return { connect, callback };
}
