import type { Context } from "./context.ts";
import { eventsCredential } from "./credential.ts";
import { HOLD, holds, statusOf } from "./effects.ts";
import { eventsGroup, loginCredential } from "./keys.ts";
import { readDestination } from "./store.ts";

/** What work leaves with now, or the reason why it may not leave. */
export type SendingCredential = { credentialId: string } | { paused: string };

/**
 * The credential of a destination's events of one asset, or of its memberships, by the same rules that hold its queue:
 * for work that no queue of ours keeps.
 *
 * @param assetId absent: memberships, which need the login.
 */
export async function sendingCredential(
  context: Pick<Context, "records" | "connections">,
  tenantId: string,
  id: string,
  assetId: string | undefined,
): Promise<SendingCredential> {
  const { stored } = await readDestination(context.records, tenantId, id);
  const { connectionId } = stored;
  const connection = connectionId ? await context.connections.info(tenantId, connectionId) : undefined;
  const events = eventsCredential(stored, connection);
  const login =
    connection && connection.status !== "disconnected" ? loginCredential(tenantId, connection.id) : undefined;
  const credentialId = assetId === undefined ? login : events;
  if (credentialId === undefined) return { paused: HOLD.noCredential };
  const plan = holds(stored, { connection, credentialId: events, tenant: await statusOf(context, tenantId) });
  const group = assetId === undefined ? undefined : eventsGroup(assetId);
  const hold = plan.find(({ target, held }) => {
    if (!held) return false;
    if ("credentialId" in target) return target.credentialId === credentialId;
    return target.group === undefined || target.group === group;
  });
  return hold ? { paused: hold.reason } : { credentialId };
}
