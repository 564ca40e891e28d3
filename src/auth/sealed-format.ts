import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomFillSync,
} from "node:crypto";
import { SnapchatError } from "../errors.ts";

/**
 * Two forms of one thing, AES-256-GCM with associated data.
 *
 * text    v1.<key id>.<nonce>.<ciphertext and tag>      base64url parts; for records
 * binary  01 | length of key id | key id | salt (16) | nonce (12) | ciphertext | tag (16)      for payloads
 *
 * A random nonce is good for 2^32 messages under one key, which a busy queue reaches in weeks. The binary form therefore
 * derives a key of its own from the salt, and a sealer changes its salt long before the bound.
 */
const VERSION = 1;
const TEXT_VERSION = "v1";
const NONCE = 12;
const TAG = 16;
const SALT = 16;
const MESSAGES_PER_SALT = 2 ** 24;
const DERIVED_KEYS_KEPT = 256;
/** What a cipher answers at a time: beside what is sealed, a list's page, there is then no second copy of it. Bytes. */
const CIPHER_STEP = 64 * 1024;

const encoder = new TextEncoder();

const TEXT_KEY = "snapchat-destination text v1";
const PAYLOAD_KEY = "snapchat-destination payload v1";

export type Derive = (key: Uint8Array, salt: Uint8Array, use: string) => KeyObject;

/**
 * Derived keys, remembered as long as the key itself is: deriving costs more than sealing. As objects, which OpenSSL has
 * taken in already: given as bytes, a key costs three times as much as what is sealed with it.
 */
export function createDerive(): Derive {
  const byKey = new WeakMap<Uint8Array, Map<string, KeyObject>>();
  return (key, salt, use) => {
    const derived = byKey.get(key) ?? new Map<string, KeyObject>();
    byKey.set(key, derived);
    const name = use + Buffer.from(salt.buffer, salt.byteOffset, salt.length).toString("latin1");
    const known = derived.get(name);
    if (known) return known;
    const made = createSecretKey(Buffer.from(hkdfSync("sha256", key, salt, use, 32)));
    if (derived.size >= DERIVED_KEYS_KEPT) derived.delete(derived.keys().next().value as string);
    derived.set(name, made);
    return made;
  };
}

const NO_SALT = new Uint8Array(0);

export function sealText(
  plain: string,
  aad: string,
  { id, key }: { id: string; key: Uint8Array },
  derive: Derive,
): string {
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv("aes-256-gcm", derive(key, NO_SALT, TEXT_KEY), nonce);
  cipher.setAAD(encoder.encode(aad));
  const sealed = Buffer.concat([cipher.update(plain, "utf8"), cipher.final(), cipher.getAuthTag()]);
  return `${TEXT_VERSION}.${id}.${Buffer.from(nonce).toString("base64url")}.${sealed.toString("base64url")}`;
}

export interface SealedText {
  keyId: string;
  nonce: Uint8Array;
  sealed: Uint8Array;
}

/** @throws {SnapchatError} `sealed_invalid` */
export function readText(text: string): SealedText {
  const [version, keyId, nonce, sealed, ...rest] = text.split(".");
  if (version !== TEXT_VERSION || !keyId || !nonce || !sealed || rest.length > 0) throw notSealed();
  const bytes = { keyId, nonce: Buffer.from(nonce, "base64url"), sealed: Buffer.from(sealed, "base64url") };
  if (bytes.nonce.length !== NONCE || bytes.sealed.length < TAG) throw notSealed();
  return bytes;
}

export function openText(text: SealedText, aad: string, key: Uint8Array, derive: Derive): string {
  return open(derive(key, NO_SALT, TEXT_KEY), text.nonce, text.sealed, aad).toString("utf8");
}

/** Seals payloads under a salt that it changes in time. */
export function createPayloadSeal(derive: Derive, messagesPerSalt = MESSAGES_PER_SALT) {
  let salt = randomBytes(SALT);
  let left = messagesPerSalt;
  return (plain: Uint8Array, aad: string, { id, key }: { id: string; key: Uint8Array }): Uint8Array => {
    if (left === 0) {
      salt = randomBytes(SALT);
      left = messagesPerSalt;
    }
    left -= 1;
    const idBytes = encoder.encode(id);
    const head = 2 + idBytes.length;
    const text = head + SALT + NONCE;
    const sealed = new Uint8Array(text + plain.length + TAG);
    sealed[0] = VERSION;
    sealed[1] = idBytes.length;
    sealed.set(idBytes, 2);
    sealed.set(salt, head);
    fillRandom(sealed, head + SALT, NONCE);
    const cipher = createCipheriv("aes-256-gcm", derive(key, salt, PAYLOAD_KEY), sealed.subarray(head + SALT, text));
    cipher.setAAD(encoder.encode(aad));
    for (let from = 0; from < plain.length; from += CIPHER_STEP) {
      sealed.set(cipher.update(plain.subarray(from, from + CIPHER_STEP)), text + from);
    }
    cipher.final();
    sealed.set(cipher.getAuthTag(), text + plain.length);
    return sealed;
  };
}

export interface SealedPayload {
  keyId: string;
  salt: Uint8Array;
  nonce: Uint8Array;
  sealed: Uint8Array;
}

/** @throws {SnapchatError} `sealed_invalid` */
export function readPayload(bytes: Uint8Array): SealedPayload {
  const head = 2 + (bytes[1] ?? 0);
  if (bytes[0] !== VERSION || bytes.length < head + SALT + NONCE + TAG) throw notSealed();
  return {
    keyId: Buffer.from(bytes.buffer, bytes.byteOffset + 2, head - 2).toString("utf8"),
    salt: bytes.subarray(head, head + SALT),
    nonce: bytes.subarray(head + SALT, head + SALT + NONCE),
    sealed: bytes.subarray(head + SALT + NONCE),
  };
}

export function openPayload(payload: SealedPayload, aad: string, key: Uint8Array, derive: Derive): Uint8Array {
  return open(derive(key, payload.salt, PAYLOAD_KEY), payload.nonce, payload.sealed, aad);
}

function open(key: KeyObject, nonce: Uint8Array, sealed: Uint8Array, aad: string): Buffer {
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG });
  decipher.setAAD(encoder.encode(aad));
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG));
  try {
    const plain = decipher.update(sealed.subarray(0, sealed.length - TAG));
    const last = decipher.final();
    return last.length === 0 ? plain : Buffer.concat([plain, last]);
  } catch {
    throw new SnapchatError({
      code: "sealed_invalid",
      kind: "fix_configuration",
      message: "A sealed value did not open: it was changed, or it was moved here from another place.",
      fix: "Restore the value from a backup of this database, or enter it again.",
    });
  }
}

const pool = new Uint8Array(4_096);
let used = pool.length;

/** Random bytes in batches: one call to the system for hundreds of nonces. */
function fillRandom(into: Uint8Array, at: number, length: number): void {
  if (used + length > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  into.set(pool.subarray(used, used + length), at);
  used += length;
}

function randomBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  fillRandom(bytes, 0, length);
  return bytes;
}

function notSealed(): SnapchatError {
  return new SnapchatError({
    code: "sealed_invalid",
    kind: "fix_configuration",
    message: "A stored value is not in the sealed form.",
    fix: "Restore the value from a backup, or run the version of snapchat-destination that wrote it.",
  });
}
