/**
 * Signing in at Snapchat: the OAuth client, its two routes, the vault that keeps logins, and the accounts behind them.
 *
 * @module auth
 */
export type { ItemFailure } from "../http/ads-failure.ts";
export { type Accounts, type AccountsOptions, createAccounts, type LoginSlot, withAccessToken } from "./accounts.ts";
export {
  type AccountsCall,
  AccountsClient,
  type AccountsClientOptions,
  type AccountsList,
  type AccountsPage,
} from "./accounts-client.ts";
export type { AdAccount, Me, MobileApp, Organization, Pixel } from "./accounts-entities.ts";
export type { AccountTree, AdAccountChoice, Choice, OrganizationChoice, TreeOptions } from "./accounts-tree.ts";
export type { ConnectionInfo, ConnectionStatus, ReauthReason, VaultCredential } from "./connection.ts";
export type { ImportedConnection, NewConnection, SavedConnection, VaultConnections } from "./connections.ts";
export { checkRedirectUri, resolveEndpoints } from "./endpoints.ts";
export type { KeepAliveReport } from "./keep-alive.ts";
export type { KeyProvider, SealingKey } from "./key-provider.ts";
export type { KeyUse, RotateProgress, RotateReport, SealedKind, VaultKeys } from "./keys.ts";
export { toNodeHandler } from "./node-handler.ts";
export type { OAuthApp, OAuthClientOptions, TokenCallOptions, TokenSet } from "./oauth-client.ts";
export { DEFAULT_SCOPES, OAuthClient } from "./oauth-client.ts";
export type { PageText } from "./oauth-page.ts";
export {
  type CallbackOptions,
  type Connected,
  type ConnectOptions,
  createOAuthRoutes,
  type OAuthRoutes,
  type OAuthRoutesOptions,
} from "./oauth-routes.ts";
export { checkReturnTo } from "./return-to.ts";
export { createSealer, type Sealer, type SyncSealer } from "./seal.ts";
export { createVault, type Vault, type VaultOptions } from "./vault.ts";
export type { ReauthTransition, VaultTimes } from "./vault-context.ts";
