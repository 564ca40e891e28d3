import { hkdfSync } from "node:crypto";
import { SnapchatError } from "../errors.ts";

export const KEY_BYTES = 32;
const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/;

/** The built-in keys: the first seals, all open. Answers at once. */
export interface KeyRing {
  /** First the one that seals. */
  readonly ids: readonly string[];
  readonly sealing: { id: string; key: Uint8Array };
  opening(id: string): Uint8Array | undefined;
}

/**
 * Reads base64 keys of 32 bytes each. A key's id is derived from the key, so that it needs no name and says nothing
 * about it.
 *
 * @throws {SnapchatError} `encryption_key_missing`, `encryption_key_invalid` (fix_configuration)
 */
export function createKeyRing(texts: readonly string[]): KeyRing {
  const keys = new Map<string, Uint8Array>();
  let first: { id: string; key: Uint8Array } | undefined;
  texts.forEach((text, index) => {
    const key = readKey(text, index);
    const id = keyId(key);
    keys.set(id, key);
    first ??= { id, key };
  });
  if (!first) throw missing("No encryption key is given.");
  return { ids: [...keys.keys()], sealing: first, opening: (id) => keys.get(id) };
}

function readKey(text: string | undefined, index: number): Uint8Array {
  if (text === undefined || text === null || text.trim() === "") throw missing(`Encryption key ${index + 1} is empty.`);
  if (typeof text !== "string" || !BASE64.test(text.trim())) {
    throw invalid(index, `Encryption key ${index + 1} is not base64.`);
  }
  const key = Buffer.from(text.trim(), "base64");
  if (key.length !== KEY_BYTES) {
    throw invalid(index, `Encryption key ${index + 1} has ${key.length} bytes, not ${KEY_BYTES}.`, key.length);
  }
  // 32 random bytes hold about 30 different ones; a handful is a placeholder or typed by hand.
  if (new Set(key).size < 10) throw invalid(index, `Encryption key ${index + 1} is not random.`);
  return key;
}

function keyId(key: Uint8Array): string {
  return Buffer.from(hkdfSync("sha256", key, "", "snapchat-destination key id", 6)).toString("base64url");
}

const FIX = "Make one with `openssl rand -base64 32` and keep it where the host keeps its secrets.";

function missing(message: string): SnapchatError {
  return new SnapchatError({ code: "encryption_key_missing", kind: "fix_configuration", message, fix: FIX });
}

function invalid(index: number, message: string, bytes?: number): SnapchatError {
  return new SnapchatError({
    code: "encryption_key_invalid",
    kind: "fix_configuration",
    message,
    fix: FIX,
    details: { index, ...(bytes === undefined ? {} : { bytes }) },
  });
}
