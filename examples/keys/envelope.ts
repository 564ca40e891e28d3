import { randomUUID } from "node:crypto";
import type { KeyProvider } from "snapchat-destination/auth";

/** The two calls of a key management service; AWS's GenerateDataKey and Decrypt have this shape. The tenant is its encryption context. */
export interface Kms {
  generateDataKey(tenantId: string): Promise<{ plain: Uint8Array; wrapped: Uint8Array }>;
  unwrap(wrapped: Uint8Array, tenantId: string): Promise<Uint8Array>;
}

/** A table of yours: one row for each data key, wrapped. */
export interface WrappedKeys {
  newest(tenantId: string): Promise<{ id: string; wrapped: Uint8Array } | undefined>;
  byId(tenantId: string, id: string): Promise<Uint8Array | undefined>;
  /** Adds a key behind `after`, the newest that the caller knows; `false` where another process was faster. */
  add(tenantId: string, key: { id: string; wrapped: Uint8Array }, after: string | undefined): Promise<boolean>;
  removeAll(tenantId: string): Promise<void>;
}

/**
 * A data key per tenant, wrapped by a key management service: the database of this package, that table and the service are
 * three places, and whoever has two of them opens nothing.
 */
export function envelopeKeys(kms: Kms, keys: WrappedKeys) {
  async function make(tenantId: string, after: string | undefined): Promise<void> {
    const { wrapped } = await kms.generateDataKey(tenantId);
    // Whoever was first made the key that seals; ours is then not used.
    await keys.add(tenantId, { id: randomUUID(), wrapped }, after);
  }

  const provider: KeyProvider = {
    async sealingKey(tenantId) {
      for (;;) {
        const newest = await keys.newest(tenantId);
        if (newest) return { id: newest.id, key: await kms.unwrap(newest.wrapped, tenantId) };
        await make(tenantId, undefined);
      }
    },
    async openingKey(id, tenantId) {
      const wrapped = await keys.byId(tenantId, id);
      return wrapped && kms.unwrap(wrapped, tenantId);
    },
  };

  return {
    ...provider,
    /** A new data key for a tenant. Five minutes later every process seals with it; then `snapchat.keys.rotate()`. */
    renew: async (tenantId: string) => make(tenantId, (await keys.newest(tenantId))?.id),
    /** After `snapchat.tenants.offboard()`: what backups still hold of the tenant stays closed for ever. */
    shred: (tenantId: string) => keys.removeAll(tenantId),
  };
}
