import type { OAuthRoutes } from "snapchat-destination/auth";

/** What the host brings to each example: the routes, and its own idea of who is signed in. */
export interface Host {
  /** `snapchat.oauth`, or `createOAuthRoutes()` alone. */
  oauth: Pick<OAuthRoutes, "connect" | "callback">;
  /** Reads the host's own session. */
  mayEdit(cookie: string | undefined, tenantId: string): boolean;
}
