import { isSnapchatError, type Secret } from "../errors.ts";
import type { AccountsCall, AccountsClient, AccountsList } from "./accounts-client.ts";
import type { Me } from "./accounts-entities.ts";
import type { AccountTree, TreeOptions } from "./accounts-tree.ts";
import type { Vault } from "./vault.ts";

/** Account discovery by a stored login. */
export interface Accounts {
  /** @throws {SnapchatError} as {@link AccountsClient} and {@link Vault.accessToken} */
  tree(tenantId: string, connectionId: string, o?: TreeOptions & AccountsOptions): Promise<AccountTree>;
  me(tenantId: string, connectionId: string, o?: AccountsOptions): Promise<Me>;
  /** A list of {@link AccountsClient} by the login of a connection that is looked up when the list is walked. */
  list<T>(
    tenantId: string,
    connectionId: () => Promise<string>,
    open: (client: AccountsClient, token: Secret) => AccountsList<T>,
  ): AccountsList<T>;
}

/** As {@link AccountsCall}, without the token. */
export type AccountsOptions = Omit<AccountsCall, "token">;

/** Joins the client with the vault: the token is looked up per call, and refreshed once where Snapchat refuses it. */
export function createAccounts({ vault, client }: { vault: Vault; client: AccountsClient }): Accounts {
  return {
    tree: (tenantId, id, o = {}) => withAccessToken(vault, tenantId, id, (token) => client.tree({ ...o, token })),
    me: (tenantId, id, o = {}) => withAccessToken(vault, tenantId, id, (token) => client.me({ ...o, token })),
    list<T>(
      tenantId: string,
      connectionId: () => Promise<string>,
      open: (client: AccountsClient, token: Secret) => AccountsList<T>,
    ): AccountsList<T> {
      async function* walk<I>(read: (list: AccountsList<T>) => AsyncIterable<I>): AsyncGenerator<I> {
        const id = await connectionId();
        const credential = await vault.credential(tenantId, id);
        let begun = false;
        try {
          for await (const item of read(open(client, credential.token))) {
            begun = true;
            yield item;
          }
          return;
        } catch (error) {
          // What was given already cannot be taken back.
          if (begun || !isSnapchatError(error) || error.kind !== "reauthorize") throw error;
        }
        await vault.refused(tenantId, id, credential.version);
        yield* read(open(client, (await vault.credential(tenantId, id)).token));
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
 * token is refreshed and the task runs once more.
 */
export async function withAccessToken<T>(
  vault: Pick<Vault, "credential" | "refused">,
  tenantId: string,
  connectionId: string,
  task: (token: Secret) => Promise<T>,
): Promise<T> {
  const credential = await vault.credential(tenantId, connectionId);
  try {
    return await task(credential.token);
  } catch (error) {
    if (!isSnapchatError(error) || error.kind !== "reauthorize") throw error;
    // "pause" as well: asking for a token again says what is wrong with the login.
    await vault.refused(tenantId, connectionId, credential.version);
    return task((await vault.credential(tenantId, connectionId)).token);
  }
}
