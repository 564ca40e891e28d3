import { readSegmentLink, type SegmentLinkRef } from "../../delivery/index.ts";
import { SnapchatError } from "../../errors.ts";
import type { Storage } from "../../storage/ports.ts";

/**
 * Why a list that waits for delivery would wait for a person.
 *
 * @throws {SnapchatError} `segment_deleted`, `segment_stopped`, `delivery_paused` (fix_configuration): once it is mended, the same
 * run id goes on
 */
export async function checkDelivery(
  { records, outbox }: Pick<Storage, "records" | "outbox">,
  ref: SegmentLinkRef,
): Promise<void> {
  const stored = await readSegmentLink(records, ref);
  const state = stored?.link.state;
  if (state === "deleted" || state === "stopped" || stored === undefined) {
    throw new SnapchatError({
      code: state === "deleted" ? "segment_deleted" : "segment_stopped",
      kind: "fix_configuration",
      message:
        state === "deleted"
          ? "The segment was deleted in Ads Manager; the list waits."
          : "The segment is no longer kept in step; the list was dropped.",
      fix: "Call segments.recreate(), then sync again with the same runId.",
    });
  }
  const [depth] = await outbox.depth([ref.destinationId]);
  const reasons = (depth?.paused ?? []).filter((reason) => WHOLE.has(reason));
  if (reasons.length === 0) return;
  throw new SnapchatError({
    code: "delivery_paused",
    kind: "fix_configuration",
    message: `The list waits: delivery of the destination is paused (${reasons.join(", ")}).`,
    fix: "Mend the reason, then sync again with the same runId: it goes on where it is.",
    details: { reasons: reasons.join(",") },
  });
}

/** Reasons that hold memberships too; a segment's own is looked at above. */
const WHOLE: ReadonlySet<string> = new Set(["disabled", "deleting", "tenant_suspended", "reauth_required", "operator"]);
