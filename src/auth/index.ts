export type { ConnectionInfo, ConnectionStatus, ReauthReason, VaultCredential } from "./connection.ts";
export type { ImportedConnection, NewConnection, SavedConnection, VaultConnections } from "./connections.ts";
export type { KeyProvider, SealingKey } from "./key-provider.ts";
export type { KeyUse, RotateProgress, RotateReport, SealedKind, VaultKeys } from "./keys.ts";
export type { OAuthApp, OAuthClientOptions, TokenCallOptions, TokenSet } from "./oauth-client.ts";
export { DEFAULT_SCOPES, OAuthClient } from "./oauth-client.ts";
export { createSealer, type Sealer, type SyncSealer } from "./seal.ts";
export { createVault, type Vault, type VaultOptions } from "./vault.ts";
export type { ReauthTransition, VaultTimes } from "./vault-context.ts";
