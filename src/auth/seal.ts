import { type Clock, systemClock } from "../clock.ts";
import { isSnapchatError, SnapchatError } from "../errors.ts";
import type { KeyProvider, SealingKey } from "./key-provider.ts";
import { createKeyRing, KEY_BYTES } from "./key-ring.ts";
import {
  createDerive,
  createPayloadSeal,
  openPayload,
  openText,
  readPayload,
  readText,
  sealText,
} from "./sealed-format.ts";

type Maybe<T> = T | Promise<T>;

/**
 * Seals and opens with AES-256-GCM. `aad` is the associated data: parts joined by `/`, the tenant's id first, each part
 * through `encodeURIComponent` (`acme/<connection>/tokens`). It is not stored; a value that was moved to another place,
 * another tenant above all, does not open.
 */
export interface Sealer {
  /** Bytes, in a compact form. For payloads. */
  seal(plain: Uint8Array, aad: string): Maybe<Uint8Array>;
  /** @throws {SnapchatError} `sealed_invalid`, `encryption_key_gone` (fix_configuration), `encryption_key_unavailable` (retry) */
  open(sealed: Uint8Array, aad: string): Maybe<Uint8Array>;
  /** Text, as `v1.<key id>.<nonce>.<text>`. For records. */
  sealText(plain: string, aad: string): Maybe<string>;
  /** @throws {SnapchatError} as {@link Sealer.open} */
  openText(sealed: string, aad: string): Maybe<string>;
  /** The id of the key that would seal for this tenant now. */
  sealingKeyId(tenantId: string): Maybe<string>;
  /** The id of the key that sealed a value. */
  keyIdOf(sealed: string | Uint8Array): string;
  /** The same value under the key that seals now, or `undefined` where it already is. */
  resealText(sealed: string, aad: string): Maybe<string | undefined>;
}

/** A sealer over the built-in keys: every answer is there at once. */
export interface SyncSealer extends Sealer {
  seal(plain: Uint8Array, aad: string): Uint8Array;
  open(sealed: Uint8Array, aad: string): Uint8Array;
  sealText(plain: string, aad: string): string;
  openText(sealed: string, aad: string): string;
  sealingKeyId(tenantId: string): string;
  resealText(sealed: string, aad: string): string | undefined;
  /** Ids of all keys, first the one that seals. */
  readonly keyIds: readonly string[];
}

/**
 * Makes a sealer from base64 keys of 32 bytes (the first seals, all open) or from a {@link KeyProvider}.
 *
 * @throws {SnapchatError} `encryption_key_missing`, `encryption_key_invalid` (fix_configuration)
 * @example
 * ```ts
 * import { createSealer } from "snapchat-destination/auth";
 *
 * const sealer = createSealer({ keys: ["3q2+7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhs="] });
 * const sealed = sealer.sealText("a token", "acme/connection-1/tokens");
 * sealer.openText(sealed, "acme/connection-1/tokens"); // "a token"
 * ```
 */
export function createSealer(o: { keys: readonly string[] }): SyncSealer;
export function createSealer(o: { keys: readonly string[] | KeyProvider; keepMs?: number; clock?: Clock }): Sealer;
export function createSealer(o: { keys: readonly string[] | KeyProvider; keepMs?: number; clock?: Clock }): Sealer {
  if (o.keys === undefined || o.keys === null) createKeyRing([]);
  return isProvider(o.keys) ? providerSealer(o.keys, o.keepMs ?? 300_000, o.clock ?? systemClock) : ringSealer(o.keys);
}

function isProvider(keys: readonly string[] | KeyProvider): keys is KeyProvider {
  return "sealingKey" in keys;
}

function ringSealer(texts: readonly string[]): SyncSealer {
  const ring = createKeyRing(texts);
  const derive = createDerive();
  const sealPayload = createPayloadSeal(derive);
  const opening = (id: string): Uint8Array => ring.opening(id) ?? fail(keyGone(id));

  const sealer: SyncSealer = {
    keyIds: ring.ids,
    seal: (plain, aad) => sealPayload(plain, aad, ring.sealing),
    open(sealed, aad) {
      const payload = readPayload(sealed);
      return openPayload(payload, aad, opening(payload.keyId), derive);
    },
    sealText: (plain, aad) => sealText(plain, aad, ring.sealing, derive),
    openText(sealed, aad) {
      const text = readText(sealed);
      return openText(text, aad, opening(text.keyId), derive);
    },
    sealingKeyId: () => ring.sealing.id,
    keyIdOf,
    resealText(sealed, aad) {
      return keyIdOf(sealed) === ring.sealing.id ? undefined : sealer.sealText(sealer.openText(sealed, aad), aad);
    },
  };
  return sealer;
}

function providerSealer(provider: KeyProvider, keepMs: number, clock: Clock): Sealer {
  const derive = createDerive();
  const sealPayload = createPayloadSeal(derive);
  const sealing = kept((tenantId: string) => provider.sealingKey(tenantId), keepMs, clock);
  const known = kept(
    async (name: string) => {
      const [id = "", tenantId = ""] = name.split("/").map(decodeURIComponent);
      const key = await provider.openingKey(id, tenantId);
      if (!key) throw keyGone(id);
      return { id, key };
    },
    keepMs,
    clock,
  );

  async function sealingKey(tenantId: string): Promise<SealingKey> {
    return checked(await guarded(() => sealing(tenantId)));
  }
  async function openingKey(id: string, aad: string): Promise<Uint8Array> {
    const name = `${encodeURIComponent(id)}/${encodeURIComponent(tenantOf(aad))}`;
    return checked(await guarded(() => known(name))).key;
  }

  const sealer: Sealer = {
    seal: async (plain, aad) => sealPayload(plain, aad, await sealingKey(tenantOf(aad))),
    async open(sealed, aad) {
      const payload = readPayload(sealed);
      return openPayload(payload, aad, await openingKey(payload.keyId, aad), derive);
    },
    sealText: async (plain, aad) => sealText(plain, aad, await sealingKey(tenantOf(aad)), derive),
    async openText(sealed, aad) {
      const text = readText(sealed);
      return openText(text, aad, await openingKey(text.keyId, aad), derive);
    },
    sealingKeyId: async (tenantId) => (await sealingKey(tenantId)).id,
    keyIdOf,
    async resealText(sealed, aad) {
      const { id } = await sealingKey(tenantOf(aad));
      return keyIdOf(sealed) === id ? undefined : sealer.sealText(await sealer.openText(sealed, aad), aad);
    },
  };
  return sealer;
}

function keyIdOf(sealed: string | Uint8Array): string {
  return typeof sealed === "string" ? readText(sealed).keyId : readPayload(sealed).keyId;
}

/** The tenant that associated data belongs to: its first part. */
function tenantOf(aad: string): string {
  const first = aad.split("/", 1)[0] ?? "";
  try {
    return decodeURIComponent(first);
  } catch {
    return first;
  }
}

/** Keeps answers for a while; failures are not kept, and one question at a time is asked per name. */
function kept<T>(ask: (name: string) => Maybe<T>, keepMs: number, clock: Clock): (name: string) => Promise<T> {
  const answers = new Map<string, { until: number; answer: Promise<T> }>();
  return (name) => {
    const known = answers.get(name);
    if (known && known.until > clock.monotonic()) return known.answer;
    const answer = Promise.resolve().then(() => ask(name));
    answers.delete(name);
    if (answers.size >= 10_000) answers.delete(answers.keys().next().value as string);
    answers.set(name, { until: clock.monotonic() + keepMs, answer });
    answer.catch(() => {
      if (answers.get(name)?.answer === answer) answers.delete(name);
    });
    return answer;
  };
}

async function guarded<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (isSnapchatError(error)) throw error;
    throw new SnapchatError({
      code: "encryption_key_unavailable",
      kind: "retry",
      message: "The key provider did not answer.",
      fix: "Work waits and goes on when it answers; if it stays, check the key management service and the rights on it.",
    });
  }
}

function checked(key: SealingKey): SealingKey {
  if (key.key.length === KEY_BYTES && /^[^.]{1,64}$/.test(key.id) && Buffer.byteLength(key.id) <= 64) return key;
  throw new SnapchatError({
    code: "encryption_key_invalid",
    kind: "fix_configuration",
    message: `The key provider answered a key of ${key.key.length} bytes, or an id that does not fit.`,
    fix: "Answer keys of 32 bytes, with ids of 1 to 64 bytes without a dot.",
    details: { bytes: key.key.length },
  });
}

function keyGone(keyId: string): SnapchatError {
  return new SnapchatError({
    code: "encryption_key_gone",
    kind: "fix_configuration",
    message: `A stored value was sealed with key ${keyId}, which is not among the keys.`,
    fix: "Add it to the end of `encryptionKeys`: an old key stays until `keys.inUse()` says that it may go, a new one comes to every process before it seals.",
    details: { keyId },
  });
}

function fail(error: SnapchatError): never {
  throw error;
}
