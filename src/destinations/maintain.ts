import { decode } from "./codec.ts";
import type { Context } from "./context.ts";
import { keys } from "./keys.ts";
import { type PendingOperation, recoverOperation } from "./mutation.ts";
import { recheckTokens } from "./token-status.ts";

/** A call that is still at work finishes by itself; only older ones are taken over. Milliseconds. */
const TAKE_OVER_MS = 30_000;

export interface Maintenance {
  /** Changes that a crash had cut off and that are finished now. */
  recovered: number;
  /** Conversions tokens that Snapchat was asked about. */
  checkedTokens: number;
}

/**
 * The upkeep of destinations: finishes changes that a crash cut off and asks again about tokens that are not accepted
 * yet. Any process may call it at any time; the worker does so every half minute.
 */
export async function maintain(context: Context, signal?: AbortSignal): Promise<Maintenance> {
  const recovered = await recoverAll(context, signal);
  return { recovered, checkedTokens: await recheckTokens(context, signal) };
}

async function recoverAll(context: Context, signal: AbortSignal | undefined): Promise<number> {
  const { records } = context;
  const now = await records.now();
  let recovered = 0;
  let after: string | undefined;
  do {
    const page = await records.list(keys.pendings, { ...(after ? { after } : {}), limit: 200 });
    for (const { value } of page) {
      const pending = decode<PendingOperation>(value);
      if (now - Date.parse(pending.line.at) < TAKE_OVER_MS || signal?.aborted) continue;
      // What fails for one destination is tried again next time, and keeps nothing from the others.
      if (await recoverOperation(context, pending).catch(() => false)) recovered++;
    }
    after = page.length === 200 ? page.at(-1)?.key : undefined;
  } while (after !== undefined && !signal?.aborted);
  return recovered;
}
