import { Secret } from "../errors.ts";
import { decode, encode } from "./codec.ts";
import type { Context } from "./context.ts";
import { currentAssets, type StoredDestination, type StoredToken } from "./destination.ts";
import { invalid, isStorageConflict } from "./failure.ts";
import { keys, tokenAad } from "./keys.ts";

/** A new token may be refused by Snapchat for an hour; it is called refused after twice that. Milliseconds. */
export const CONFIRM_WITHIN_MS = 2 * 3_600_000;
/** Between two checks of an unconfirmed token. Milliseconds. */
export const RECHECK_MS = 5 * 60_000;
/** Between two checks of a refused one: the marketer may have mended its rights. Milliseconds. */
export const RECHECK_REFUSED_MS = 6 * 3_600_000;

type TokenContext = Pick<Context, "records" | "sealer" | "tokenCheck">;

/** When a token is asked about next. */
export interface PlannedCheck {
  n: number;
  savedAtMs: number;
  nextAtMs: number;
}

/** Sealed tokens by number: the current one, and for a moment the next. */
interface StoredSecrets {
  tokens: Record<string, string>;
}

/** @throws {SnapchatError} `conversions_token_malformed` */
export function readPastedToken(pasted: unknown): Secret {
  const text = typeof pasted === "string" ? pasted.trim() : "";
  if (/^[\x21-\x7e]{12,4096}$/.test(text)) return new Secret(text);
  throw invalid(
    "conversions_token_malformed",
    "This is not a Conversions API token: a token is one long word without spaces.",
    "Copy the whole token from the Business Dashboard (Business Details, Conversions API Tokens) and paste it again.",
  );
}

/**
 * Seals a pasted token under a number that was never used and asks Snapchat about it. Nothing refers to it yet: a
 * destination's record that is not written leaves a sealed text behind, which the next one removes.
 */
export async function saveToken(
  context: TokenContext,
  before: StoredDestination,
  token: Secret,
  assetId: string | undefined,
): Promise<StoredToken> {
  const { records, sealer } = context;
  const { tenantId, id } = before;
  const key = keys.conversionsToken(tenantId, id);
  const sealed = await sealer.sealText(token.reveal(), tokenAad(tenantId, id));
  for (;;) {
    const record = await records.get(key);
    const tokens = record ? decode<StoredSecrets>(record.value).tokens : {};
    const n = Math.max(before.tokenCount, ...Object.keys(tokens).map(Number)) + 1;
    try {
      await records.put(key, encode({ tokens: { ...tokens, [n]: sealed } }), { ifVersion: record?.version ?? 0 });
    } catch (error) {
      if (isStorageConflict(error)) continue;
      throw error;
    }
    const status = await judge(context, tenantId, token, assetId);
    return {
      n,
      masked: token.masked(),
      status: status === "accepted" ? "accepted" : "unconfirmed",
      savedAtMs: await records.now(),
    };
  }
}

/** The same token against another asset: it starts anew. */
export async function recheckForAsset(
  context: TokenContext,
  before: StoredDestination,
  token: StoredToken,
  assetId: string,
): Promise<StoredToken> {
  const secret = await openToken(context, before.tenantId, before.id, token.n);
  const status = secret ? await judge(context, before.tenantId, secret, assetId) : "unknown";
  return {
    ...token,
    status: status === "accepted" ? "accepted" : "unconfirmed",
    savedAtMs: await context.records.now(),
  };
}

export async function judge(
  { tokenCheck }: TokenContext,
  tenantId: string,
  token: Secret,
  assetId: string | undefined,
) {
  if (assetId === undefined) return "unknown";
  try {
    return await tokenCheck.check(tenantId, { assetId, token });
  } catch {
    // No answer is not a refusal; the token is asked about again later.
    return "unknown";
  }
}

/** The n-th token of a destination, for the credential that names it. `undefined`: replaced or removed. */
export async function openToken(
  { records, sealer }: Pick<Context, "records" | "sealer">,
  tenantId: string,
  id: string,
  n: number,
): Promise<Secret | undefined> {
  const record = await records.get(keys.conversionsToken(tenantId, id));
  const sealed = record && decode<StoredSecrets>(record.value).tokens[n];
  return sealed === undefined ? undefined : new Secret(await sealer.openText(sealed, tokenAad(tenantId, id)));
}

/** After a change of a token: removes the sealed texts it replaced and sets the next check. Safe to repeat. */
export async function settleToken({ records }: Pick<Context, "records">, stored: StoredDestination): Promise<void> {
  await prune(records, stored);
  const { tenantId, id, token } = stored;
  const open = token && token.status !== "accepted" && currentAssets(stored).length > 0;
  const key = keys.recheck(tenantId, id);
  const record = await records.get(key);
  if (!open) {
    if (record) await records.delete(key);
    return;
  }
  // Already planned for this token and asset: another change of the destination does not put it off.
  if (record && decode<PlannedCheck>(record.value).savedAtMs === token.savedAtMs) return;
  const plan: PlannedCheck = { n: token.n, savedAtMs: token.savedAtMs, nextAtMs: (await records.now()) + RECHECK_MS };
  await records.put(key, encode(plan));
}

async function prune(records: Context["records"], { tenantId, id, token }: StoredDestination): Promise<void> {
  const key = keys.conversionsToken(tenantId, id);
  const record = await records.get(key);
  if (!record) return;
  const { tokens } = decode<StoredSecrets>(record.value);
  // A higher number is being saved by someone else right now.
  const kept = Object.entries(tokens).filter(([n]) => token && Number(n) >= token.n);
  if (kept.length === Object.keys(tokens).length) return;
  try {
    if (kept.length === 0) await records.delete(key, { ifVersion: record.version });
    else await records.put(key, encode({ tokens: Object.fromEntries(kept) }), { ifVersion: record.version });
  } catch (error) {
    // Who wrote in between prunes after its own write.
    if (!isStorageConflict(error)) throw error;
  }
}
