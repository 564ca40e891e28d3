import { isSnapchatError, type Secret } from "../errors.ts";
import type { AccountsCall, AccountsClient, AccountsList } from "./accounts-client.ts";
import type { Me } from "./accounts-entities.ts";
import type { AccountTree, TreeOptions } from "./accounts-tree.ts";
import type { VaultCredential } from "./connection.ts";
import type { Vault } from "./vault.ts";

/** Account discovery by a stored login. */
export interface Accounts {
  /** @throws {SnapchatError} as {@link AccountsClient} and {@link Vault.accessToken} */
  tree(tenantId: string, connectionId: string, o?: TreeOptions & AccountsOptions): Promise<AccountTree>;
  /** Who signed in. @throws {SnapchatError} as {@link Accounts.tree} */
  me(tenantId: string, connectionId: string, o?: AccountsOptions): Promise<Me>;
  /** A list of {@link AccountsClient} by the login of a connection that is looked up when the list is walked. */
  list<T>(
    tenantId: string,
    connectionId: () => Promise<string>,
    open: (client: AccountsClient, call: LoginCall) => AccountsList<T>,
  ): AccountsList<T>;
}

/** As {@link AccountsCall}, without what a login brings. */
export type AccountsOptions = Omit<AccountsCall, "token" | "beforeRequest">;

/** What a login brings to a call: its token, and its part in the rate limits. */
type LoginCall = Pick<AccountsCall, "token" | "beforeRequest">;

/** Resolves when a request with this login may leave. */
export type LoginSlot = (login: { tenantId: string; connectionId: string; appId: string }) => Promise<void>;

/**
 * Joins the client with the vault: the token is looked up per call, and refreshed once where Snapchat refuses it.
 *
 * @example
 * ```ts
 * import { AccountsClient, createAccounts, type Vault } from "snapchat-destination/auth";
 *
 * export const dropdowns = (vault: Vault, connectionId: string) =>
 *   createAccounts({ vault, client: new AccountsClient() }).tree("acme", connectionId);
 * ```
 */
export function createAccounts({
  vault,
  client,
  slot,
}: {
  vault: Vault;
  client: AccountsClient;
  slot?: LoginSlot | undefined;
}): Accounts {
  const callOf = (tenantId: string, connectionId: string, { token, appId }: VaultCredential): LoginCall => ({
    token,
    ...(slot ? { beforeRequest: () => slot({ tenantId, connectionId, appId }) } : {}),
  });
  const once = <T>(tenantId: string, id: string, task: (call: LoginCall) => Promise<T>): Promise<T> =>
    withCredential(vault, tenantId, id, (credential) => task(callOf(tenantId, id, credential)));

  return {
    tree: (tenantId, id, o = {}) => once(tenantId, id, (call) => client.tree({ ...o, ...call })),
    me: (tenantId, id, o = {}) => once(tenantId, id, (call) => client.me({ ...o, ...call })),
    list<T>(
      tenantId: string,
      connectionId: () => Promise<string>,
      open: (client: AccountsClient, call: LoginCall) => AccountsList<T>,
    ): AccountsList<T> {
      async function* walk<I>(read: (list: AccountsList<T>) => AsyncIterable<I>): AsyncGenerator<I> {
        const id = await connectionId();
        const credential = await vault.credential(tenantId, id);
        let begun = false;
        try {
          for await (const item of read(open(client, callOf(tenantId, id, credential)))) {
            begun = true;
            yield item;
          }
          return;
        } catch (error) {
          // What was given already cannot be taken back.
          if (begun || !isSnapchatError(error) || error.kind !== "reauthorize") throw error;
        }
        await vault.refused(tenantId, id, credential.version);
        yield* read(open(client, callOf(tenantId, id, await vault.credential(tenantId, id))));
      }
      return {
        pages: () => walk((list) => list.pages()),
        [Symbol.asyncIterator]: () => walk((list) => list),
      };
    },
  };
}

/**
 * Runs a task with an access token. Where it throws kind `reauthorize` because the token was refused (status 401), the
 * token is refreshed and the task runs once more. The task's second argument says which app the token is of.
 *
 * @example
 * ```ts
 * import { type Vault, withAccessToken } from "snapchat-destination/auth";
 *
 * export const whoIsIt = (vault: Vault, connectionId: string) =>
 *   withAccessToken(vault, "acme", connectionId, async (token) => {
 *     const headers = { authorization: `Bearer ${token.reveal()}` };
 *     return (await fetch("https://adsapi.snapchat.com/v1/me", { headers })).json();
 *   });
 * ```
 */
export function withAccessToken<T>(
  vault: Pick<Vault, "credential" | "refused">,
  tenantId: string,
  connectionId: string,
  task: (token: Secret, credential: VaultCredential) => Promise<T>,
): Promise<T> {
  return withCredential(vault, tenantId, connectionId, (credential) => task(credential.token, credential));
}

async function withCredential<T>(
  vault: Pick<Vault, "credential" | "refused">,
  tenantId: string,
  connectionId: string,
  task: (credential: VaultCredential) => Promise<T>,
): Promise<T> {
  const credential = await vault.credential(tenantId, connectionId);
  try {
    return await task(credential);
  } catch (error) {
    if (!isSnapchatError(error) || error.kind !== "reauthorize") throw error;
    // "pause" as well: asking for a token again says what is wrong with the login.
    await vault.refused(tenantId, connectionId, credential.version);
    return task(await vault.credential(tenantId, connectionId));
  }
}
