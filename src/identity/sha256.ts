import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";

type Sha256Hex = (text: string) => string;

/** The slow way, for runtimes without `node:crypto`: edges and browsers. */
export const portableSha256Hex: Sha256Hex = (text) => bytesToHex(sha256(utf8ToBytes(text)));

let chosen: Sha256Hex | undefined;

/**
 * `crypto.hash` where the runtime has it. `getBuiltinModule` asks without an import, so that bundles for the edge do not
 * fail on `node:crypto`, and at the first hash, because loading it takes longer than this whole room.
 */
function choose(): Sha256Hex {
  const crypto = globalThis.process?.getBuiltinModule?.("node:crypto");
  if (typeof crypto?.hash !== "function") return portableSha256Hex;
  const { hash } = crypto;
  return (text) => hash("sha256", text, "hex");
}

/**
 * SHA-256 of the text's UTF-8 bytes, as 64 lower-case hexadecimal digits. The text is hashed as it is: normalise it first,
 * or call {@link hash}.
 *
 * @example
 * ```ts
 * import { sha256Hex } from "snapchat-destination/identity";
 *
 * console.log(sha256Hex("person@example.com")); // 542d2401…
 * ```
 */
export function sha256Hex(text: string): string {
  chosen ??= choose();
  return chosen(text);
}
