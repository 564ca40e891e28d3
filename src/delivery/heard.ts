import type { Group } from "../storage/ports.ts";
import type { Context } from "./context.ts";
import type { Credential, EventOutcome, RequestRecord } from "./interfaces.ts";
import { pauseCredential } from "./job.ts";

export const FORBIDDEN_MIN_MS = 60_000;

/** One call of the sender: an outcome for each event, and the requests it took. */
export interface Sent {
  outcomes: EventOutcome[];
  requests: RequestRecord[];
}

/** What a call's outcomes mean for more than their own events. */
export interface Heard {
  /** After a 429: nothing of this limit leaves before then. */
  waitMs: number;
  /** After a refused token: another one is there already, or a person has to act. */
  login: "retry" | "pause" | undefined;
  /** The asset is left alone for so long. */
  holdMs: number;
}

/** Tells the limits, the credential and the circuit what a call has shown of them. */
export async function hear(
  context: Context,
  group: Pick<Group, "tenantId" | "destinationId" | "name" | "credentialId">,
  credential: Credential,
  { outcomes, requests }: Sent,
): Promise<Heard> {
  const { limits, circuits, emit, counters } = context;
  const { tenantId, destinationId, name } = group;
  const scopes = credential.limits.events;
  const seen = summary(outcomes);
  const heard: Heard = { waitMs: 0, login: undefined, holdMs: 0 };

  for (const request of requests) {
    if (request.status !== 429 && request.rateLimit) await limits.observed(scopes, request.rateLimit);
  }
  if (seen.limited) {
    counters.rateLimited++;
    heard.waitMs = await limits.refused(scopes, seen.limited.retryAfterMs);
    emit({ type: "rate_limited", key: scopes[0]?.key ?? credential.id, forMs: heard.waitMs });
  }
  if (seen.unauthorized) {
    heard.login = await context.credentials.refused(credential);
    if (heard.login === "pause") await pauseCredential(context, group);
  }
  if (seen.forbidden) {
    heard.holdMs = FORBIDDEN_MIN_MS;
    emit({ type: "forbidden", tenantId, destinationId, group: name, message: seen.forbidden.message });
  }
  if (requests.length > 0 && !seen.limited && !seen.unauthorized) {
    const changed = circuits.report(name, !seen.failed);
    if (changed) emit({ type: changed === "opened" ? "circuit_opened" : "circuit_closed", group: name, destinationId });
    const open = circuits.open().find(({ asset }) => asset === name);
    if (open) heard.holdMs = Math.max(heard.holdMs, open.retryInMs);
  }
  return heard;
}

/** The outcomes that mean something for more than their own event. */
function summary(outcomes: readonly EventOutcome[]) {
  const seen: Partial<Record<"limited" | "unauthorized" | "forbidden" | "failed", EventOutcome>> = {};
  for (const outcome of outcomes) {
    if (outcome.status === "delivered" || outcome.status === "rejected") continue;
    if (outcome.status === "unauthorized") seen.unauthorized ??= outcome;
    else if (outcome.status === "forbidden") seen.forbidden ??= outcome;
    else if (outcome.code === "rate_limited") seen.limited ??= outcome;
    else if (!OURS.has(outcome.code ?? "")) seen.failed ??= outcome;
  }
  return seen;
}

/** Retries that say nothing about the asset. */
const OURS = new Set(["slot_refused", "aborted", "isolation_budget_spent"]);
