import type { Clock } from "../clock.ts";
import { SnapchatError } from "../errors.ts";
import type { Records } from "../storage/ports.ts";
import type { DigestKeys } from "./interfaces.ts";

interface TextSealer {
  sealText(plain: string, aad: string): string | Promise<string>;
  openText(sealed: string, aad: string): string | Promise<string>;
}

const FORMAT = 1;
const KEY_BYTES = 32;
const MAX_KEPT = 10_000;
/** A destroyed key is forgotten by other processes within this time. Milliseconds. */
const KEEP_MS = 10 * 60_000;

const keyOf = (tenantId: string): string => `secret/${encodeURIComponent(tenantId)}/-/digest_key`;
/** The key without `secret/`, as for every sealed record there. */
const aadOf = (tenantId: string): string => `${encodeURIComponent(tenantId)}/-/digest_key`;

/**
 * Keeps a random key per tenant, sealed in `records`: made at first use, never rotated (digests made with it are stored
 * for weeks), destroyed when the tenant leaves, which makes every digest of it meaningless.
 */
export function createDigestKeys(options: {
  records: Records;
  sealer: TextSealer;
  clock: Clock;
  randomBytes?: (length: number) => Uint8Array;
}): DigestKeys {
  const { records, sealer, clock } = options;
  const randomBytes = options.randomBytes ?? ((length) => crypto.getRandomValues(new Uint8Array(length)));
  const known = new Map<string, { key: Promise<Uint8Array>; until: number }>();

  async function read(tenantId: string): Promise<Uint8Array | undefined> {
    const record = await records.get(keyOf(tenantId));
    if (!record) return undefined;
    const sealed = record.value[0] === FORMAT ? new TextDecoder().decode(record.value.subarray(1)) : undefined;
    const key = sealed === undefined ? undefined : fromHex(await sealer.openText(sealed, aadOf(tenantId)));
    if (key?.length === KEY_BYTES) return key;
    throw unreadable();
  }

  async function readOrMake(tenantId: string): Promise<Uint8Array> {
    const found = await read(tenantId);
    if (found) return found;
    const key = randomBytes(KEY_BYTES);
    const value = new TextEncoder().encode(`\u0000${await sealer.sealText(toHex(key), aadOf(tenantId))}`);
    value[0] = FORMAT;
    try {
      await records.put(keyOf(tenantId), value, { ifVersion: 0 });
      return key;
    } catch (error) {
      if ((error as { code?: unknown }).code !== "version_conflict") throw error;
      // Another process made it first: that one counts.
      return (await read(tenantId)) ?? readOrMake(tenantId);
    }
  }

  return {
    of(tenantId) {
      const entry = known.get(tenantId);
      if (entry && entry.until > clock.monotonic()) return entry.key;
      const key = readOrMake(tenantId);
      known.delete(tenantId);
      known.set(tenantId, { key, until: clock.monotonic() + KEEP_MS });
      key.catch(() => known.delete(tenantId));
      if (known.size > MAX_KEPT) known.delete(known.keys().next().value ?? "");
      return key;
    },
    async destroy(tenantId) {
      await records.delete(keyOf(tenantId));
      known.delete(tenantId);
    },
  };
}

const toHex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const fromHex = (text: string): Uint8Array =>
  Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

const unreadable = () =>
  new SnapchatError({
    code: "digest_key_unreadable",
    kind: "fix_configuration",
    message: "The tenant's key for digests of people does not read.",
    fix: "Restore its record below secret/ from a backup; without it tombstones cannot be matched.",
  });
