import { isSnapchatError } from "../errors.ts";
import { type Context, safeError } from "./context.ts";
import type { Gate } from "./gate.ts";
import type { hear } from "./heard.ts";
import type { Credential } from "./interfaces.ts";
import type { DeliveryItem, MemberItem } from "./item.ts";
import { pauseCredential } from "./job.ts";
import { judgeFailure } from "./members-failure.ts";
import { foldMembers } from "./members-fold.ts";
import { createPlan } from "./members-plan.ts";
import { notAllTaken } from "./not-all-taken.ts";
import { later, type NowOutcome, PAUSED_MS, paused } from "./now-outcome.ts";
import { storedMembers } from "./payload.ts";
import { ensureSegment } from "./segment-ensure.ts";

/** Items of one group on their way, without a claim. */
export interface NowWork {
  batch: { items: readonly DeliveryItem[] };
  group: Parameters<typeof hear>[1];
  circuit: string;
  credential: Credential;
  gate: Gate;
  options: { signal?: AbortSignal | undefined };
}

/** The last word on each identifier, told to Snapchat whatever it may hold: nothing here remembers members. */
export async function sendMembersNow(
  context: Context,
  work: NowWork,
  allowed: readonly number[],
): Promise<NowOutcome[]> {
  const { batch, group, credential, gate, options, circuit } = work;
  const sender = context.segments;
  if (!sender) return batch.items.map(() => later("no_sender", PAUSED_MS));
  const positions = new Set(allowed);
  const placed = batch.items.flatMap((item, position) =>
    positions.has(position)
      ? storedMembers(item as MemberItem).map((member) => ({ member, position, doubted: false }))
      : [],
  );
  const { link } = batch.items[0] as MemberItem;
  const segment = { tenantId: group.tenantId, destinationId: group.destinationId, link };
  const settled = (outcome: NowOutcome): NowOutcome[] =>
    batch.items.map((_, at) => (positions.has(at) ? outcome : { status: "withdrawn", known: true }));
  const call = {
    token: credential.token,
    timeoutMs: context.settings.requestTimeoutMs,
    ...(options.signal ? { signal: options.signal } : {}),
  };
  try {
    const { identifiersPerRequest: pageSize } = context.settings;
    const plan = createPlan({ members: undefined, segment, pageSize });
    await plan.changes(foldMembers(placed, false));
    const { pages } = plan.finish();
    if (pages.length === 0) return settled({ status: "withdrawn", known: true });
    const ensured = await ensureSegment(context, sender, segment, call, gate);
    if (ensured.state === "busy") return settled(later("segment_busy", ensured.retryInMs));
    if (ensured.state !== "ready") return settled(paused(`segment_${ensured.state}`));
    let sent = 0;
    let taken = 0;
    for (const page of pages) {
      await gate.pass();
      const { accepted } = await sender.members[page.op](ensured.segmentId, page.kind, page.hashes, call);
      sent += page.hashes.length;
      taken += accepted;
      if (page.op === "add") context.counters.membersAdded += page.hashes.length;
      else context.counters.membersRemoved += page.hashes.length;
      context.counters.membersAccepted += accepted;
    }
    if (gate.passed > 0) context.circuits.report(circuit, true);
    const short = notAllTaken(sent, taken);
    return settled({ status: "delivered", known: true, ...(short && { reason: short.code, message: short.message }) });
  } catch (error) {
    return settled(await failed(context, work, error));
  }
}

async function failed(
  context: Context,
  { group, circuit, credential, gate }: NowWork,
  error: unknown,
): Promise<NowOutcome> {
  const { code, message } = safeError(error);
  const asked = isSnapchatError(error) ? error.retryAfterMs : undefined;
  const known = gate.passed === 0;
  switch (judgeFailure(error)) {
    case "not_sent":
      return { ...later(code, asked ?? 1_000), known };
    case "limited": {
      context.counters.rateLimited++;
      const waitMs = await context.limits.refused(credential.limits.segments, asked);
      return { ...later("rate_limited", waitMs), known };
    }
    case "unauthorized": {
      if ((await context.credentials.refused(credential)) === "retry") return { ...later(code, 1_000), known };
      await pauseCredential(context, group);
      return { ...paused("reauth_required"), known };
    }
    case "gone":
      return { ...paused("segment_deleted"), message, known };
    case "forbidden":
      return { ...paused("forbidden"), message, known };
    case "refused":
      return { status: "rejected", reason: code, message, known: true };
    default:
      context.circuits.report(circuit, false);
      // A request that is still on its way must have landed before the same identifiers are told again.
      return { ...later(code, context.settings.settleDownMs), message, known: false };
  }
}
