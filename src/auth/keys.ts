import type { Record_ } from "../storage/ports.ts";
import { connectionAad, connectionKeys, idsOfKey } from "./connection.ts";
import { DIGEST_KEYS, digestAad } from "./digest-key.ts";
import type { Sealer, SyncSealer } from "./seal.ts";
import { patiently, putIfVersion, sealedTextOf, sealedValue } from "./sealed-records.ts";
import type { VaultContext } from "./vault-context.ts";

/** Sealed records of the host's or another room's own form: where they are, what binds them, and where in their value the sealed text is. */
export interface SealedKind {
  prefix: string;
  /** The associated data of a record. */
  aad(key: string): string;
  /** The sealed text in a value, or `undefined` where there is none. */
  read(value: Uint8Array): string | undefined;
  /** The value with another sealed text. */
  write(value: Uint8Array, sealed: string): Uint8Array;
}

/** How far a rotation has come. */
export interface RotateProgress {
  /** Records looked at. */
  records: number;
  /** Sealed again with the newest key. */
  resealed: number;
  /** They did not open, or the storage failed: call again, or see `errors`. */
  failed: number;
}

/** What a rotation did. */
export interface RotateReport extends RotateProgress {
  /** Failures by code. */
  errors: Record<string, number>;
}

/** A sealing key, and what still needs it. */
export interface KeyUse {
  keyId: string;
  /** It seals now. */
  sealing: boolean;
  /** Records that only it opens. */
  records: number;
  /** Payloads that only it opens may be waiting yet. */
  payloads: boolean;
  /** It may leave `encryptionKeys`. */
  mayGo: boolean;
}

/** Rotating the sealing keys, and seeing which may go. */
export interface VaultKeys {
  /**
   * Seals every record again with the newest key, once all processes run with it in front. Safe to repeat and to run
   * beside everything else. Payloads keep their key until they are delivered.
   */
  rotate(o?: { onProgress?: (progress: RotateProgress) => void; signal?: AbortSignal }): Promise<RotateReport>;
  /** Which keys are still needed. */
  inUse(): Promise<KeyUse[]>;
}

/** The longest that a payload lives: 37 days in the queue, then 30 as a dead letter. */
const PAYLOAD_LIFE_MS = 67 * 86_400_000;
const SINCE = "key-use/";
const SECRETS = "secret/";

export function createKeys(
  context: VaultContext,
  sealer: Sealer,
  further: readonly SealedKind[],
  oldestPayloadMs: (() => Promise<number | undefined>) | undefined,
): VaultKeys {
  const { records, clock, sealed } = context;
  const kinds: readonly SealedKind[] = [
    { ...OWN, prefix: connectionKeys.all, aad: (key) => connectionAad(idsOfKey(key).tenantId, idsOfKey(key).id) },
    { ...OWN, prefix: DIGEST_KEYS, aad: (key) => digestAad(decodeURIComponent(key.slice(DIGEST_KEYS.length))) },
    // Conversions tokens: their associated data is their key without the prefix.
    { ...OWN, prefix: SECRETS, aad: (key) => key.slice(SECRETS.length) },
    ...further,
  ];

  async function reseal(kind: SealedKind, key: string): Promise<boolean> {
    for (;;) {
      const record = await patiently(() => records.get(key), clock);
      const text = record && kind.read(record.value);
      const next = text && (await sealer.resealText(text, kind.aad(key)));
      if (!record || !next) return false;
      const put = await putIfVersion(records, clock, key, kind.write(record.value, next), {
        ifVersion: record.version,
      });
      if (put !== "conflict") return true;
    }
  }

  async function rotate(o: { onProgress?: (progress: RotateProgress) => void; signal?: AbortSignal } = {}) {
    const report: RotateReport = { records: 0, resealed: 0, failed: 0, errors: {} };
    for (const kind of kinds) {
      for await (const record of sealed.list(kind.prefix)) {
        if (o.signal?.aborted) return report;
        report.records += 1;
        try {
          if (await reseal(kind, record.key)) report.resealed += 1;
        } catch (error) {
          const code = String((error as { code?: unknown }).code ?? "unknown");
          report.failed += 1;
          report.errors[code] = (report.errors[code] ?? 0) + 1;
        }
        o.onProgress?.({ records: report.records, resealed: report.resealed, failed: report.failed });
      }
    }
    // Whatever was sealed again shows that an old key was sealing until now, payloads too.
    if (report.failed === 0) await noteSince(report.resealed > 0);
    return report;
  }

  /** The built-in ring's first key. A provider has a key per tenant, and no order among them. */
  const newest = (sealer as Partial<SyncSealer>).keyIds?.[0];
  const sinceKey = SINCE + encodeURIComponent(newest ?? "");

  async function noteSince(anew: boolean): Promise<void> {
    if (newest === undefined) return;
    const value = new TextEncoder().encode(`\u0001${await context.now()}`);
    if (anew) await patiently(() => records.put(sinceKey, value), clock);
    else await putIfVersion(records, clock, sinceKey, value, { ifVersion: 0 });
  }

  async function inUse(): Promise<KeyUse[]> {
    const counts = new Map<string, { records: number; sealing: boolean }>();
    const count = (keyId: string) => {
      const found = counts.get(keyId) ?? { records: 0, sealing: false };
      counts.set(keyId, found);
      return found;
    };
    for (const keyId of (sealer as Partial<SyncSealer>).keyIds ?? []) count(keyId).sealing = keyId === newest;
    for (const kind of kinds) {
      for await (const record of sealed.list(kind.prefix)) {
        const text = kind.read(record.value);
        if (text === undefined) continue;
        const tenantId = decodeURIComponent(kind.aad(record.key).split("/", 1)[0] ?? "");
        count(sealer.keyIdOf(text)).records += 1;
        count(await sealer.sealingKeyId(tenantId)).sealing = true;
      }
    }
    const payloads = await oldPayloads();
    return [...counts].map(([keyId, { records: held, sealing }]) => ({
      keyId,
      sealing,
      records: held,
      payloads: sealing || payloads,
      mayGo: !sealing && held === 0 && !payloads,
    }));
  }

  /** Whether a payload may be left that was sealed before the newest key took over. */
  async function oldPayloads(): Promise<boolean> {
    const oldest = oldestPayloadMs ? await oldestPayloadMs() : (await context.now()) - PAYLOAD_LIFE_MS;
    if (oldest === undefined) return false;
    const since = newest === undefined ? undefined : await patiently(() => records.get(sinceKey), clock);
    return !since || oldest <= Number(new TextDecoder().decode(since.value.subarray(1)));
  }

  return { rotate, inUse };
}

const OWN = {
  read: (value: Uint8Array) => sealedTextOf({ value } as Record_),
  write: (_value: Uint8Array, text: string) => sealedValue(text),
};
