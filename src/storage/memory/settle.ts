import { outcomesById } from "../checks.ts";
import type { Claim, Outcome } from "../ports.ts";
import { type Entry, type GroupState, makeReady, makeWait, type OpenClaim, unqueue, updateReadyAt } from "./group.ts";
import { addDead, leave, type OutboxState } from "./state.ts";

export function settleClaim(
  state: OutboxState,
  claim: Claim,
  outcomes: readonly Outcome[],
  holdGroupMs: number | undefined,
  at: number,
): "settled" | "lost" {
  const byId = outcomesById(claim, outcomes);
  if (state.claims.get(claim.id)?.state === "settled") return "settled";
  const open = end(state, claim, holdGroupMs, at);
  if (!open) return "lost";
  open.state = "settled";
  for (const entry of open.entries) {
    const outcome = byId.get(entry.id);
    if (!outcome) {
      backToReady(open.group, entry, at);
      continue;
    }
    for (const item of outcome.dead ?? []) addDead(state, open.group, entry, item, at);
    if (outcome.rest) {
      entry.claims = 0;
      entry.progress = outcome.rest.progress.slice();
      makeWait(open.group, entry, at + outcome.rest.retryInMs);
    } else {
      leave(open.group, entry, at);
    }
  }
  updateReadyAt(open.group, at);
  return "settled";
}

export function releaseClaim(state: OutboxState, claim: Claim, holdGroupMs: number | undefined, at: number): void {
  const open = end(state, claim, holdGroupMs, at);
  if (!open) return;
  state.claims.delete(open.id);
  for (const entry of open.entries) {
    entry.claims--;
    backToReady(open.group, entry, at);
  }
  open.group.tenant.virtualTime--;
  open.group.tenant.turns--;
  updateReadyAt(open.group, at);
}

export function extendClaim(state: OutboxState, claim: Claim, leaseMs: number, at: number): boolean {
  const open = owned(state, claim);
  if (!open) return false;
  if (open.state === "expired") {
    for (const entry of open.entries) {
      unqueue(open.group, entry);
      entry.place = "claimed";
    }
    updateReadyAt(open.group, at);
    open.state = "open";
  }
  open.leaseUntil = at + leaseMs;
  return true;
}

/** The claim, if no other has taken what it holds; its lease may be over. */
function owned(state: OutboxState, claim: Claim): OpenClaim | undefined {
  const open = state.claims.get(claim.id);
  return open?.state === "open" || open?.state === "expired" ? open : undefined;
}

function end(state: OutboxState, claim: Claim, holdGroupMs: number | undefined, at: number): OpenClaim | undefined {
  const open = owned(state, claim);
  if (!open) return undefined;
  const { group } = open;
  if (holdGroupMs !== undefined) group.holdUntil = Math.max(group.holdUntil, at + holdGroupMs);
  for (const entry of open.entries) {
    unqueue(group, entry);
    entry.claim = undefined;
  }
  group.claims.delete(open);
  return open;
}

function backToReady(group: GroupState, entry: Entry, at: number): void {
  entry.dueAt = Math.min(entry.dueAt, at);
  makeReady(group, entry);
}
