import { isSnapchatError } from "../errors.ts";
import type { Claim, ClaimedEntry, Group, Outcome } from "../storage/ports.ts";
import { type Context, safeError } from "./context.ts";
import type { Credential } from "./interfaces.ts";
import type { Lease } from "./lease.ts";
import type { Progress } from "./progress.ts";
import { storageCall } from "./storage-call.ts";

/** A claim in hand. */
export interface Job {
  readonly claim: Claim;
  readonly lease: Lease;
  /** Aborts when the claim is lost or the worker must end now. */
  readonly signal: AbortSignal;
  /** Age of an entry now, on the engine's clock. */
  ageMs(entry: ClaimedEntry): number;
}

/** What an entry's claim starts from. */
export interface Started {
  entry: ClaimedEntry;
  progress: Progress;
}

/** How a claim ended. */
export interface Ended {
  end: "settled" | "released" | "lost";
  /** For how long its credential has no slot. */
  skipCredentialMs?: number;
  /** When the first of what went back is due again. */
  dueInMs?: number;
}

/**
 * Nothing was sent: the claim goes back as it was, neither it nor the turn counted. Where some entries have an outcome
 * already (`outcomes`), those are settled and the others go back.
 */
export async function giveBack(
  context: Context,
  job: Job,
  outcomes: Outcome[],
  holdGroupMs?: number,
  skipCredentialMs?: number,
): Promise<Ended> {
  const skip = skipCredentialMs === undefined ? {} : { skipCredentialMs };
  if (outcomes.length > 0) return { ...(await settle(context, job, outcomes, holdGroupMs)), ...skip };
  const { storage, clock, random, counters } = context;
  const hold = holdGroupMs === undefined || holdGroupMs <= 0 ? {} : { holdGroupMs: Math.ceil(holdGroupMs) };
  await storageCall(() => storage.outbox.release(job.claim, hold), { clock, random, maxMs: 20_000 });
  counters.released++;
  return { end: "released", ...skip, dueInMs: Math.max(holdGroupMs ?? 0, skipCredentialMs ?? 0) };
}

/** Stores all outcomes, or learns that another worker owns the claim. Repeats while the engine is away. */
export async function settle(context: Context, job: Job, outcomes: Outcome[], holdGroupMs?: number): Promise<Ended> {
  const { storage, clock, random } = context;
  const hold = holdGroupMs === undefined || holdGroupMs <= 0 ? {} : { holdGroupMs: Math.ceil(holdGroupMs) };
  const end = await storageCall(() => storage.outbox.settle(job.claim, outcomes, hold), {
    clock,
    random,
    maxMs: 120_000,
  });
  const rests = outcomes.flatMap(({ rest }) => (rest ? [rest.retryInMs] : []));
  return rests.length > 0 ? { end, dueInMs: Math.max(holdGroupMs ?? 0, Math.min(...rests)) } : { end };
}

/** The claim's credential, or the end of the claim where there is none now. */
export async function resolveCredential(context: Context, job: Job, outcomes: Outcome[]): Promise<Credential | Ended> {
  const { credentialId } = job.claim.group;
  try {
    return await context.credentials.resolve(credentialId);
  } catch (error) {
    if (isSnapchatError(error) && error.kind === "reauthorize") {
      await pauseCredential(context, job.claim.group);
      return giveBack(context, job, outcomes);
    }
    const waitMs = isSnapchatError(error) && error.retryAfterMs !== undefined ? error.retryAfterMs : 5_000;
    context.emit({ type: "worker_error", ...safeError(error), destinationId: job.claim.group.destinationId });
    return giveBack(context, job, outcomes, waitMs, waitMs);
  }
}

/** A person has to act: the credential's work waits, and no attempt is counted. */
export async function pauseCredential(
  { storage, clock, random, emit, credentials }: Context,
  { tenantId, destinationId, credentialId }: Pick<Group, "tenantId" | "destinationId" | "credentialId">,
): Promise<void> {
  const patience = { clock, random, maxMs: 20_000 };
  await storageCall(() => storage.outbox.pause({ credentialId }, "reauth_required"), patience);
  // Not known is as good as lost: whoever signs in resumes.
  const lost = await (credentials.lost?.(credentialId) ?? Promise.resolve(true)).catch(() => true);
  if (!lost) {
    await storageCall(() => storage.outbox.resume({ credentialId }, "reauth_required"), patience);
    return;
  }
  emit({ type: "reauth_required", tenantId, destinationId, credentialId });
}
