import type { StoredDestination } from "./destination.ts";
import type { ConnectionInfo } from "./interfaces.ts";
import { loginCredential, tokenCredential } from "./keys.ts";

/**
 * The credential that a destination's events leave with: its Conversions token where Snapchat has accepted it, else
 * the login, else a token that is not accepted yet. `undefined`: neither is there.
 */
export function eventsCredential(
  stored: StoredDestination,
  connection: ConnectionInfo | undefined,
): string | undefined {
  const { tenantId, id, token } = stored;
  const login =
    connection && connection.status !== "disconnected" ? loginCredential(tenantId, connection.id) : undefined;
  const ownToken = token && tokenCredential(tenantId, id, token.n);
  if (token?.status === "accepted") return ownToken;
  if (connection?.status === "connected") return login;
  return token?.status === "unconfirmed" ? ownToken : (login ?? ownToken);
}

/** The parts of a credential id, as the groups carry it. `undefined`: it is not one of ours. */
export function parseCredentialId(
  id: string,
):
  | { kind: "conversions_token"; tenantId: string; destinationId: string; n: number }
  | { kind: "oauth"; tenantId: string; connectionId: string }
  | undefined {
  const [kind, tenant, owner, n] = id.split("/");
  if (!tenant || !owner) return undefined;
  const [tenantId, ownerId] = [decodeURIComponent(tenant), decodeURIComponent(owner)];
  if (kind === "oauth") return { kind, tenantId, connectionId: ownerId };
  if (kind === "conversions" && n) return { kind: "conversions_token", tenantId, destinationId: ownerId, n: Number(n) };
  return undefined;
}
