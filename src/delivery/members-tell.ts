import type { SegmentRef } from "../storage/ports.ts";
import type { Context } from "./context.ts";
import type { Gate } from "./gate.ts";
import type { SegmentSender, SegmentSendOptions } from "./interfaces.ts";
import type { Job } from "./job.ts";
import { failedAnswer, judgeFailure } from "./members-failure.ts";
import { createPlan, type MembersPlan, type Plan } from "./members-plan.ts";
import { notAllTaken } from "./not-all-taken.ts";
import type { PageDone } from "./page-done.ts";
import type { RequestLines } from "./request-lines.ts";
import type { ReadySegment } from "./segment-ensure.ts";
import { storageCall } from "./storage-call.ts";

/** What the batches of one claim share. */
export interface Bringing {
  context: Context;
  job: Job;
  sender: SegmentSender;
  segment: SegmentRef;
  ensured: ReadySegment;
  gate: Gate;
  call: SegmentSendOptions;
  journal: RequestLines;
}

/** The segment was there and is not any more: deleted in Ads Manager. */
export class SegmentGone extends Error {
  readonly segmentId: string;
  readonly reason: unknown;

  constructor(segmentId: string, reason: unknown) {
    super("The segment is gone.");
    this.segmentId = segmentId;
    this.reason = reason;
  }
}

export function planFor({ context, segment, ensured }: Bringing): Plan {
  return createPlan({
    members: context.storage.members,
    segment,
    pageSize: context.settings.identifiersPerRequest,
    renewAfterMs: ensured.renewAfterMs ?? context.settings.renewMembersAfterMs,
  });
}

/** Sends what the plan holds, page by page, then writes it down. */
export async function tell(
  bringing: Bringing,
  plan: MembersPlan,
  o: { run?: number | undefined; eventIdsOf?: (op: "add" | "remove") => string[] } = {},
): Promise<PageDone | "lost"> {
  const { context, sender, ensured, gate, call, journal } = bringing;
  const brought = nothing();
  for (const page of plan.pages) {
    await gate.pass();
    const startedMs = context.clock.monotonic();
    const written = { op: page.op, items: page.hashes.length, eventIds: () => o.eventIdsOf?.(page.op) ?? [] };
    try {
      const { accepted, requestId } = await sender.members[page.op](ensured.segmentId, page.kind, page.hashes, call);
      const { code, message } = notAllTaken(page.hashes.length, accepted) ?? {};
      journal.members(written, { status: "delivered", startedMs, requestId, code, message });
      brought.accepted += accepted;
      brought.requests++;
      if (page.op === "add") brought.added += page.hashes.length;
      else brought.removed += page.hashes.length;
    } catch (error) {
      journal.members(written, { startedMs, ...failedAnswer(error) });
      throw judgeFailure(error) === "gone" ? new SegmentGone(ensured.segmentId, error) : error;
    }
  }
  return (await commit(bringing, plan, o.run)) === "lost" ? "lost" : brought;
}

export function nothing(): PageDone {
  return { added: 0, removed: 0, accepted: 0, requests: 0 };
}

/** Writes down what Snapchat holds now. Refused where a later claim has done so. */
async function commit(
  { context, job, segment }: Bringing,
  plan: MembersPlan,
  run: number | undefined,
): Promise<"committed" | "lost"> {
  const { clock, random } = context;
  const { members } = context.storage;
  const { fence } = job.claim;
  for (const { ops, sent } of plan.commits) {
    const write = async () => members?.commit(segment, ops(), { fence, sent, ...(run === undefined ? {} : { run }) });
    if ((await storageCall(write, { clock, random, maxMs: 30_000 })) === "lost") return "lost";
  }
  return "committed";
}
