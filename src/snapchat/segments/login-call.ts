import type { AudiencesCall } from "../../audiences/index.ts";
import { type Vault, withAccessToken } from "../../auth/index.ts";
import type { LoginSlots } from "../interactive.ts";

/** Calls with a login's token, each request of which takes a slot of every limit it falls under. */
export interface LoginCalls {
  vault: Pick<Vault, "credential" | "refused">;
  slot: LoginSlots;
}

/** Of a call that a person waits for. */
const RETRIES = 2;

/** `writes`: the requests change segments, which has a limit of its own. */
export function withLogin<T>(
  { vault, slot }: LoginCalls,
  { tenantId, connectionId }: { tenantId: string; connectionId: string },
  task: (call: Pick<AudiencesCall, "token" | "beforeRequest" | "maxRetries">) => Promise<T>,
  o: { writes?: boolean } = {},
): Promise<T> {
  return withAccessToken(vault, tenantId, connectionId, (token, { appId }) =>
    task({ token, maxRetries: RETRIES, beforeRequest: () => slot({ tenantId, connectionId, appId }, o) }),
  );
}
