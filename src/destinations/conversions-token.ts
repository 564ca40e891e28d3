import { Secret } from "../errors.ts";
import { decode, encode } from "./codec.ts";
import type { Context } from "./context.ts";
import { currentAssets, type StoredDestination, type StoredToken } from "./destination.ts";
import { invalid } from "./failure.ts";
import { keys } from "./keys.ts";
import { addToken, openToken, pruneTokens } from "./token-secrets.ts";

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
  const n = await addToken(context, before, token);
  const status = await judge(context, before, n, token, assetId);
  return {
    n,
    masked: token.masked(),
    status: status === "accepted" ? "accepted" : "unconfirmed",
    savedAtMs: await context.records.now(),
  };
}

/** The same token against another asset: it starts anew. */
export async function recheckForAsset(
  context: TokenContext,
  before: StoredDestination,
  token: StoredToken,
  assetId: string,
): Promise<StoredToken> {
  const secret = await openToken(context, before.tenantId, before.id, token.n);
  const status = secret ? await judge(context, before, token.n, secret, assetId) : "unknown";
  return {
    ...token,
    status: status === "accepted" ? "accepted" : "unconfirmed",
    savedAtMs: await context.records.now(),
  };
}

export async function judge(
  { tokenCheck }: TokenContext,
  { tenantId, id: destinationId }: Pick<StoredDestination, "tenantId" | "id">,
  n: number,
  token: Secret,
  assetId: string | undefined,
) {
  if (assetId === undefined) return "unknown";
  try {
    return await tokenCheck.check({ tenantId, destinationId, n }, { assetId, token });
  } catch {
    // No answer is not a refusal; the token is asked about again later.
    return "unknown";
  }
}

/** After a change of a token: removes the sealed texts it replaced and sets the next check. Safe to repeat. */
export async function settleToken(
  context: Pick<Context, "records" | "sealer">,
  stored: StoredDestination,
): Promise<void> {
  await pruneTokens(context, stored);
  const { records } = context;
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
