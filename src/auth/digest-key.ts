import { randomBytes } from "node:crypto";
import type { VaultContext } from "./vault-context.ts";

const part = encodeURIComponent;
export const DIGEST_KEYS = "digest-key/";
const recordKey = (tenantId: string) => `${DIGEST_KEYS}${part(tenantId)}`;
export const digestAad = (tenantId: string) => `${part(tenantId)}/digest-key`;

/**
 * A random key per tenant for digests of people (tombstones, members). It is not derived from the sealing keys, for those
 * rotate and digests must stay comparable; destroyed with the tenant, the digests that are left say nothing any more.
 */
export function createDigestKeys(context: VaultContext) {
  const held = new Map<string, { key: Uint8Array; readAt: number }>();
  const { sealed, clock, times } = context;

  function hold(tenantId: string, text: string): Uint8Array {
    const key = new Uint8Array(Buffer.from(text, "base64"));
    if (held.size >= 10_000) held.delete(held.keys().next().value as string);
    held.set(tenantId, { key, readAt: clock.monotonic() });
    return key;
  }

  async function get(tenantId: string): Promise<Uint8Array> {
    const known = held.get(tenantId);
    if (known && clock.monotonic() - known.readAt < times.rereadMs) return known.key;
    held.delete(tenantId);
    for (;;) {
      const found = await sealed.get<{ key: string }>(recordKey(tenantId), digestAad(tenantId));
      if (found) return hold(tenantId, found.value.key);
      const made = randomBytes(32).toString("base64");
      const put = await sealed.put(recordKey(tenantId), digestAad(tenantId), { key: made }, 0);
      if (put !== "conflict") return hold(tenantId, made);
    }
  }

  return {
    get,
    async destroy(tenantId: string): Promise<void> {
      held.delete(tenantId);
      await sealed.delete(recordKey(tenantId));
    },
  };
}
