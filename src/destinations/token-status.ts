import { isSnapchatError } from "../errors.ts";
import { decode, encode } from "./codec.ts";
import type { Context } from "./context.ts";
import { CONFIRM_WITHIN_MS, judge, type PlannedCheck, RECHECK_MS, RECHECK_REFUSED_MS } from "./conversions-token.ts";
import { eventsCredential } from "./credential.ts";
import { currentAssets, type StoredToken, type TokenStatus } from "./destination.ts";
import { isStorageConflict } from "./failure.ts";
import { idsOf, keys } from "./keys.ts";
import { mutate } from "./mutation.ts";
import { readDestination } from "./store.ts";
import { openToken } from "./token-secrets.ts";

/** The actor of changes that Snapchat's answers cause. */
const SNAPCHAT = "snapchat";

type TokenVerdict = Awaited<ReturnType<typeof judge>>;

/** Asks Snapchat about a destination's token and keeps the answer. */
export async function confirmToken(context: Context, tenantId: string, id: string): Promise<TokenVerdict> {
  const { stored } = await readDestination(context.records, tenantId, id);
  const [asset] = currentAssets(stored);
  const secret = stored.token && (await openToken(context, tenantId, id, stored.token.n));
  const verdict = stored.token && secret ? await judge(context, stored, stored.token.n, secret, asset) : "unknown";
  const now = await context.records.now();
  if (stored.token && verdict !== "unknown")
    await keep(context, tenantId, id, stored.token, statusAfter(stored.token, verdict, now));
  return verdict;
}

/** The credential that the destination's events leave with now. */
export async function sendsWith(context: Context, tenantId: string, id: string): Promise<string | undefined> {
  const { stored } = await readDestination(context.records, tenantId, id);
  const connection = stored.connectionId ? await context.connections.info(tenantId, stored.connectionId) : undefined;
  return eventsCredential(stored, connection);
}

/**
 * A token in use was refused while sending, and Snapchat does not answer whether for good: nobody knows. It counts as
 * not accepted until somebody does, so that it is asked about again and what waits for it is not forgotten.
 */
export async function doubtToken(context: Context, tenantId: string, id: string, n: number): Promise<void> {
  const { token } = (await readDestination(context.records, tenantId, id)).stored;
  if (token?.n === n && token.status === "accepted") await keep(context, tenantId, id, token, "unconfirmed");
}

/** A new token has two hours; one that was accepted before has none. */
function statusAfter(token: StoredToken, verdict: "accepted" | "refused", nowMs: number): TokenStatus {
  if (verdict === "accepted") return "accepted";
  if (token.status === "unconfirmed" && nowMs - token.savedAtMs < CONFIRM_WITHIN_MS) return "unconfirmed";
  return "refused";
}

async function keep(
  context: Context,
  tenantId: string,
  id: string,
  judged: StoredToken,
  status: TokenStatus,
): Promise<void> {
  const action = `destination.token_${status}`;
  await mutate(context, { tenantId, id, action }, { actor: SNAPCHAT }, (before) => {
    const { token } = before;
    // Replaced, or given another pixel, while Snapchat was asked: the answer is not about this one.
    if (!token || token.n !== judged.n || token.savedAtMs !== judged.savedAtMs || token.status === status)
      return undefined;
    return { next: { ...before, token: { ...token, status } }, detail: { conversionsToken: status } };
  });
}

/**
 * Asks again about every token whose time has come. Several processes may call it: each check is taken by a
 * compare-and-set.
 *
 * @returns how many were asked about
 */
export async function recheckTokens(context: Context, signal?: AbortSignal): Promise<number> {
  const { records } = context;
  let count = 0;
  let after: string | undefined;
  do {
    const page = await records.list(keys.rechecks, { ...(after ? { after } : {}), limit: 200 });
    for (const { key, value, version } of page) {
      const plan = decode<PlannedCheck>(value);
      const now = await records.now();
      if (plan.nextAtMs > now || signal?.aborted) continue;
      let taken: number;
      try {
        taken = await records.put(key, encode({ ...plan, nextAtMs: now + RECHECK_MS }), { ifVersion: version });
      } catch (error) {
        if (isStorageConflict(error)) continue;
        throw error;
      }
      // One tenant's trouble, a lost key for example, is not the next one's; its turn comes again.
      const verdict = await recheck(context, key).catch(() => undefined);
      count += verdict ? 1 : 0;
      if (verdict === "refused" && now - plan.savedAtMs >= 2 * CONFIRM_WITHIN_MS) {
        await putOff(records, key, { ...plan, nextAtMs: now + RECHECK_REFUSED_MS }, taken);
      }
    }
    after = page.length === 200 ? page.at(-1)?.key : undefined;
  } while (after !== undefined && !signal?.aborted);
  return count;
}

async function putOff(records: Context["records"], key: string, plan: PlannedCheck, ifVersion: number): Promise<void> {
  try {
    await records.put(key, encode(plan), { ifVersion });
  } catch (error) {
    // The token was accepted or replaced meanwhile.
    if (!isStorageConflict(error)) throw error;
  }
}

async function recheck(context: Context, key: string): Promise<TokenVerdict | undefined> {
  const { tenantId, destinationId } = idsOf(key);
  try {
    return await confirmToken(context, tenantId, destinationId);
  } catch (error) {
    if (!isSnapchatError(error) || (error.code !== "not_found" && error.code !== "destination_deleting")) throw error;
    await context.records.delete(key);
    return undefined;
  }
}
