import type { Vault } from "../auth/index.ts";
import type { Credential, Credentials, LimitScope } from "../delivery/index.ts";
import { type Destinations, parseCredentialId } from "../destinations/index.ts";
import { SnapchatError } from "../errors.ts";
import { LIMITS } from "../wire/limits.ts";

/** Requests in an interval, by credential. Snapchat's own numbers where a host sets none. */
export interface LimitSettings {
  oauthTokenPerSecond?: number;
  oauthAppPerSecond?: number;
  conversionsTokenPerSecond?: number;
  segmentWritesPer5Seconds?: number;
}

export interface CredentialsDependencies {
  vault: Pick<Vault, "credential" | "refused" | "connections">;
  destinations: Pick<Destinations, "conversionsToken" | "tokenRefused" | "tokenAccepted">;
  limits?: LimitSettings | undefined;
}

/** What the worker sends with: logins from the vault, Conversions tokens from the destinations, each with its limits. */
export function createCredentials(dependencies: CredentialsDependencies): Credentials {
  const { vault, destinations, limits = {} } = dependencies;

  async function resolve(id: string): Promise<Credential> {
    const parsed = parseCredentialId(id);
    if (parsed?.kind === "oauth") {
      const { tenantId, connectionId } = parsed;
      const { token, version, appId } = await vault.credential(tenantId, connectionId);
      const shared = loginLimits({ tenantId, connectionId, appId }, limits);
      const segments = [...shared, segmentWrites({ tenantId, connectionId }, limits)];
      return { id, kind: "oauth", token, version, limits: { events: shared, segments } };
    }
    if (parsed) {
      const { tenantId, destinationId, n } = parsed;
      const token = await destinations.conversionsToken(tenantId, destinationId, n);
      if (!token) throw tokenGone(destinationId);
      const events = tokenLimits(parsed, limits);
      return { id, kind: "conversions_token", token, version: n, limits: { events, segments: [] } };
    }
    throw tokenGone(id);
  }

  return {
    resolve,
    async refused(credential) {
      const parsed = parseCredentialId(credential.id);
      if (parsed?.kind === "oauth") return vault.refused(parsed.tenantId, parsed.connectionId, credential.version);
      return parsed ? destinations.tokenRefused(parsed.tenantId, parsed.destinationId, parsed.n) : "pause";
    },
    async lost(id) {
      const parsed = parseCredentialId(id);
      if (parsed?.kind === "conversions_token") {
        return !(await destinations.tokenAccepted(parsed.tenantId, parsed.destinationId, parsed.n));
      }
      if (!parsed) return true;
      const login = await vault.connections.get(parsed.tenantId, parsed.connectionId);
      return login?.status !== "connected";
    },
  };
}

/** The limits that every request with a login falls under. */
export function loginLimits(
  { tenantId, connectionId, appId }: { tenantId: string; connectionId: string; appId: string },
  limits: LimitSettings = {},
): LimitScope[] {
  return [
    perSecond(`oauth-token/${tenantId}/${connectionId}`, limits.oauthTokenPerSecond ?? LIMITS.oauthTokenPerSecond),
    perSecond(`oauth-app/${appId}`, limits.oauthAppPerSecond ?? LIMITS.oauthAppPerSecond),
  ];
}

/** The limit that changes of segments fall under besides those of their login. */
export function segmentWrites(
  { tenantId, connectionId }: { tenantId: string; connectionId: string },
  limits: LimitSettings = {},
): LimitScope {
  return {
    key: `segment-writes/${tenantId}/${connectionId}`,
    perWindow: limits.segmentWritesPer5Seconds ?? LIMITS.segmentWritesPer5Seconds,
    windowMs: 5_000,
  };
}

/** The limit that every request with a Conversions token falls under. */
export function tokenLimits(
  { tenantId, destinationId, n }: { tenantId: string; destinationId: string; n: number },
  limits: LimitSettings = {},
): LimitScope[] {
  const perToken = limits.conversionsTokenPerSecond ?? LIMITS.conversionsTokenPerSecond;
  return [perSecond(`conversions-token/${tenantId}/${destinationId}/${n}`, perToken)];
}

const perSecond = (key: string, perWindow: number): LimitScope => ({ key, perWindow, windowMs: 1_000 });

function tokenGone(destinationId: string): SnapchatError {
  return new SnapchatError({
    code: "conversions_token_gone",
    kind: "reauthorize",
    message: "The Conversions API token that this work was to leave with is no longer there.",
    fix: "Paste a Conversions API token, or connect the destination to Snapchat.",
    details: { destinationId },
  });
}
