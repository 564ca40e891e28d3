import { isSnapchatError, Secret, SnapchatError } from "../errors.ts";
import type { Record_ } from "../storage/ports.ts";
import type { Context } from "./context.ts";
import type { StoredDestination } from "./destination.ts";
import { isStorageConflict } from "./failure.ts";
import { keys, tokenAad } from "./keys.ts";

/**
 * The sealed Conversions tokens of a destination, by number: the current one, and those that are being saved. The value
 * of a record below `secret/` is one byte of format version and a sealed text; its associated data is its key without
 * `secret/`, so that keys can be rotated without knowing what it holds.
 */
type Tokens = Record<string, string>;
type SecretContext = Pick<Context, "records" | "sealer">;

const FORMAT = 1;

interface Stored {
  tokens: Tokens;
  version: number;
}

async function read(context: SecretContext, tenantId: string, id: string): Promise<Stored> {
  const record = await context.records.get(keys.conversionsToken(tenantId, id));
  if (!record) return { tokens: {}, version: 0 };
  return { tokens: await open(context, tenantId, id, record), version: record.version };
}

async function open({ sealer }: SecretContext, tenantId: string, id: string, record: Record_): Promise<Tokens> {
  if (record.value[0] !== FORMAT) throw unreadable();
  const sealed = new TextDecoder().decode(record.value.subarray(1));
  return JSON.parse(await sealer.openText(sealed, tokenAad(tenantId, id))) as Tokens;
}

/** The same where what is stored may be past opening, its key lost for good: then none is known. */
async function readIfPossible(
  context: SecretContext,
  tenantId: string,
  id: string,
): Promise<Stored & { lost?: boolean }> {
  const record = await context.records.get(keys.conversionsToken(tenantId, id));
  if (!record) return { tokens: {}, version: 0 };
  try {
    return { tokens: await open(context, tenantId, id, record), version: record.version };
  } catch (error) {
    const past = isSnapchatError(error) && (error.code === "encryption_key_gone" || error.code === "sealed_invalid");
    if (!past) throw error;
    return { tokens: {}, version: record.version, lost: true };
  }
}

/** `false`: someone else wrote in between. */
async function write(
  context: SecretContext,
  tenantId: string,
  id: string,
  { tokens, version }: Stored,
): Promise<boolean> {
  const key = keys.conversionsToken(tenantId, id);
  try {
    if (Object.keys(tokens).length === 0) {
      await context.records.delete(key, { ifVersion: version });
    } else {
      const sealed = await context.sealer.sealText(JSON.stringify(tokens), tokenAad(tenantId, id));
      await context.records.put(key, sealedValue(sealed), { ifVersion: version });
    }
    return true;
  } catch (error) {
    if (isStorageConflict(error)) return false;
    throw error;
  }
}

/**
 * Seals a token under a number above all that were ever used, and returns that number. Tokens that no longer open do not
 * stand in the way of a new one.
 */
export async function addToken(context: SecretContext, before: StoredDestination, token: Secret): Promise<number> {
  for (;;) {
    const { tokens, version } = await readIfPossible(context, before.tenantId, before.id);
    const n = Math.max(before.tokenCount, ...Object.keys(tokens).map(Number)) + 1;
    const next = { tokens: { ...tokens, [n]: token.reveal() }, version };
    if (await write(context, before.tenantId, before.id, next)) return n;
  }
}

/** The n-th token of a destination, for the credential that names it. `undefined`: replaced or removed. */
export async function openToken(
  context: SecretContext,
  tenantId: string,
  id: string,
  n: number,
): Promise<Secret | undefined> {
  const { tokens } = await read(context, tenantId, id);
  const text = Object.hasOwn(tokens, n) ? tokens[n] : undefined;
  return text === undefined ? undefined : new Secret(text);
}

/** Removes what the record no longer refers to. A number above the record's count is being saved right now and stays. */
export async function pruneTokens(
  context: SecretContext,
  { tenantId, id, token, tokenCount }: StoredDestination,
): Promise<void> {
  for (;;) {
    const { tokens, version, lost } = await readIfPossible(context, tenantId, id);
    if (lost) return;
    const kept = Object.entries(tokens).filter(([n]) => Number(n) === token?.n || Number(n) > tokenCount);
    if (kept.length === Object.keys(tokens).length) return;
    if (await write(context, tenantId, id, { tokens: Object.fromEntries(kept), version })) return;
  }
}

/** Where the sealed texts of this room are, for the rotation of keys. */
export const sealedTokens = {
  prefix: "secret/",
  aad: (key: string): string => key.slice("secret/".length),
  read: (value: Uint8Array): string | undefined =>
    value[0] === FORMAT ? new TextDecoder().decode(value.subarray(1)) : undefined,
  write: (_value: Uint8Array, sealed: string): Uint8Array => sealedValue(sealed),
};

function sealedValue(sealed: string): Uint8Array {
  const value = new TextEncoder().encode(`\u0000${sealed}`);
  value[0] = FORMAT;
  return value;
}

const unreadable = () =>
  new SnapchatError({
    code: "record_too_new",
    kind: "fix_configuration",
    message: "A sealed token is stored in a format that this version does not read.",
    fix: "Run the version of snapchat-destination that wrote the database, or a newer one.",
  });
