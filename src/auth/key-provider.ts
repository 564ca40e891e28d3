/** A key that seals. `id` is printed in front of every ciphertext and must not contain a dot. At most 64 bytes. */
export interface SealingKey {
  id: string;
  /** 32 bytes. */
  key: Uint8Array;
}

/**
 * Where sealing keys come from when they do not stand in the host's configuration: a key management service with one
 * data key per tenant, for example. The sealer keeps what it got for a few minutes, so that a provider is asked rarely.
 *
 * A provider that cannot answer throws; that counts as a fault to wait for, never as a lost login. A key that is
 * destroyed for good is answered with `undefined`: what it sealed stays closed.
 *
 * @example
 * ```ts
 * import type { KeyProvider } from "snapchat-destination/auth";
 *
 * export function envelopeKeys(kms: {
 *   newest(tenantId: string): Promise<{ id: string; wrapped: Uint8Array }>;
 *   byId(tenantId: string, id: string): Promise<Uint8Array | undefined>;
 *   unwrap(wrapped: Uint8Array): Promise<Uint8Array>;
 * }): KeyProvider {
 *   return {
 *     async sealingKey(tenantId) {
 *       const { id, wrapped } = await kms.newest(tenantId);
 *       return { id, key: await kms.unwrap(wrapped) };
 *     },
 *     async openingKey(id, tenantId) {
 *       const wrapped = await kms.byId(tenantId, id); // deleting the wrapped key shreds all that it sealed
 *       return wrapped && kms.unwrap(wrapped);
 *     },
 *   };
 * }
 * ```
 */
export interface KeyProvider {
  /** The key that seals now. The tenant is the first part of the associated data. */
  sealingKey(tenantId: string): Promise<SealingKey> | SealingKey;
  /** A key that sealed earlier, or `undefined` where it no longer exists. */
  openingKey(id: string, tenantId: string): Promise<Uint8Array | undefined> | Uint8Array | undefined;
}
