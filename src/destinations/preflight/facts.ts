import { isSnapchatError, SnapchatError } from "../../errors.ts";
import { type FoundAccount, findAccount } from "../choices.ts";
import type { Context } from "../context.ts";
import type { StoredDestination } from "../destination.ts";
import type { AccountTree, ConnectionInfo } from "../interfaces.ts";
import { everyDestination, readDestination } from "../store.ts";
import type { TenantStatus } from "../tenant.ts";
import { readTenant } from "../tenants.ts";

/** What the set-up checks look at, read once. The live checks of `verify` extend it. */
export interface SetupFacts {
  destination: StoredDestination;
  /** What events carry as `integration`: the destination's own name or the host's. */
  integration: string | undefined;
  tenant: TenantStatus;
  /** The tenant's other destinations. */
  siblings: readonly StoredDestination[];
  connection: ConnectionInfo | undefined;
  /** What the login may choose from; `undefined` without a working login. */
  tree: AccountTree | undefined;
  /** Why `tree` is missing although there is a login. */
  treeError: SnapchatError | undefined;
  /** The chosen ad account as the login sees it. */
  account: FoundAccount | undefined;
  /** How many rules are switched on, by way; `undefined` without a workflow. */
  toggles: { server: number; client: number; audience: number } | undefined;
  /** Rules that are on and send under a name that is none of Snapchat's. */
  ownNames: readonly { rule: string; name: string }[];
}

/** @throws {SnapchatError} `not_found` */
export async function collectSetupFacts(context: Context, tenantId: string, id: string): Promise<SetupFacts> {
  const { stored: destination } = await readDestination(context.records, tenantId, id);
  const siblings: StoredDestination[] = [];
  for await (const { stored } of everyDestination(context.records, tenantId)) {
    if (stored.id !== id && !stored.deleting) siblings.push(stored);
  }
  const { connectionId, adAccountId, workflow } = destination;
  const connection = connectionId ? await context.connections.info(tenantId, connectionId) : undefined;
  const { tree, treeError } = await readTree(context, tenantId, connection);
  return {
    destination,
    integration: destination.settings.integration ?? context.integration,
    tenant: (await readTenant(context, tenantId))?.tenant.status ?? "active",
    siblings,
    connection,
    tree,
    treeError,
    account: tree && adAccountId ? findAccount(tree, adAccountId) : undefined,
    toggles: workflow === undefined ? undefined : context.workflowCheck.toggles?.(workflow),
    ownNames: (workflow !== undefined && context.workflowCheck.ownNames?.(workflow)) || [],
  };
}

async function readTree(context: Context, tenantId: string, connection: ConnectionInfo | undefined) {
  if (connection?.status !== "connected") return { tree: undefined, treeError: undefined };
  try {
    return { tree: await context.accounts.tree(tenantId, connection.id), treeError: undefined };
  } catch (error) {
    return { tree: undefined, treeError: isSnapchatError(error) ? error : unexpected() };
  }
}

const unexpected = () =>
  new SnapchatError({
    code: "accounts_unreadable",
    kind: "retry",
    message: "The list of accounts could not be read.",
    fix: "Try again in a minute.",
  });
