import type { IncomingMessage, ServerResponse } from "node:http";

type Handle = (request: Request, incoming: IncomingMessage) => Response | Promise<Response>;

/**
 * Makes a handler of Node's own kind from one with web-standard requests and responses: for `node:http`, Express and
 * Fastify. What the handler throws goes to `next` where there is one (Express), else it answers status 500 and nothing of
 * the error.
 *
 * The request carries no body: the addresses of the sign-in take none.
 *
 * @example
 * ```ts
 * import { createServer } from "node:http";
 * import { type OAuthRoutes, toNodeHandler } from "snapchat-destination/auth";
 *
 * export const server = (oauth: OAuthRoutes) =>
 *   createServer(toNodeHandler((request) => oauth.callback(request, { authorize: () => true })));
 * ```
 */
export function toNodeHandler(
  handle: Handle,
): (incoming: IncomingMessage, outgoing: ServerResponse, next?: (error: unknown) => void) => Promise<void> {
  return async (incoming, outgoing, next) => {
    try {
      const response = await handle(toRequest(incoming), incoming);
      const body = Buffer.from(await response.arrayBuffer());
      outgoing.statusCode = response.status;
      for (const [name, value] of response.headers) if (name !== "set-cookie") outgoing.setHeader(name, value);
      const cookies = response.headers.getSetCookie();
      if (cookies.length > 0) outgoing.appendHeader("set-cookie", cookies);
      outgoing.end(incoming.method === "HEAD" ? undefined : body);
    } catch (error) {
      if (next) return next(error);
      if (!outgoing.headersSent) outgoing.writeHead(500, { "content-type": "text/plain" });
      outgoing.end("Internal Server Error");
    }
  };
}

/** Paths and cookies are all that is read of it, so the origin may be the one inside a proxy. Express keeps the whole path in `originalUrl`. */
function toRequest(incoming: IncomingMessage & { originalUrl?: string }): Request {
  const host = incoming.headers.host ?? "localhost";
  const origin = URL.canParse(`http://${host}`) ? `http://${host}` : "http://localhost";
  const path = incoming.originalUrl ?? incoming.url ?? "/";
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined && !name.startsWith(":"))
      headers.set(name, Array.isArray(value) ? value.join("; ") : value);
  }
  // Two slashes in front would name another host.
  return new Request(new URL(path.replace(/^\/+/, "/"), origin), { method: incoming.method ?? "GET", headers });
}
