import {
  type AudiencesCall,
  type AudiencesClient,
  type Segment,
  type SegmentState,
  segmentState,
} from "../../audiences/index.ts";
import type { SegmentLink, SegmentProblem } from "../../delivery/index.ts";
import { isSnapchatError } from "../../errors.ts";

/** A CDP segment and the Snapchat segment it is kept in step with. */
export interface LinkedSegment {
  /** The CDP's key. */
  key: string;
  /** Its name in Ads Manager. */
  name: string;
  /** Snapchat's id; absent until it is made. */
  segmentId: string | undefined;
  adAccountId: string;
  /**
   * Where it stands. `not_made`: it will be, with its first member. `deleted`: somebody deleted it in Ads Manager; its work
   * waits for `recreate` or `stop`. `stopped`: no longer kept in step. Else Snapchat's own word.
   */
  state: SegmentState["state"] | "not_made" | "deleted" | "stopped";
  /** The same for a marketer, in one sentence. */
  words: string;
  /** What may be done about it. */
  advice?: string | undefined;
  /** People matched, estimated: `about 12,000`. */
  size?: string | undefined;
  /** Why Snapchat last refused its work, or what it said that it did not take of it (`identifiers_not_taken`). */
  problem?: SegmentProblem | undefined;
}

/** Snapchat's word on an ad account's segments, by id; or why there is none. */
export type AccountSegments = { ok: true; segments: ReadonlyMap<string, Segment> } | { ok: false; why: string };

export async function askAccount(
  audiences: AudiencesClient,
  adAccountId: string,
  asLogin: (task: (call: AudiencesCall) => Promise<Map<string, Segment>>) => Promise<Map<string, Segment>>,
): Promise<AccountSegments> {
  try {
    const segments = await asLogin(async (call) => {
      const found = new Map<string, Segment>();
      for await (const segment of audiences.segments.list(adAccountId, call)) {
        found.set(segment.id, segment);
      }
      return found;
    });
    return { ok: true, segments };
  } catch (error) {
    if (!isSnapchatError(error)) throw error;
    return { ok: false, why: error.message };
  }
}

/** A link in words, with what Snapchat says of its segment. */
export function linkedSegment(
  link: SegmentLink,
  account: AccountSegments | undefined,
  memberLingerMs: number,
): LinkedSegment {
  const { key, name, segmentId, adAccountId, problem } = link;
  const base = { key, name, segmentId, adAccountId, ...(problem ? { problem } : {}) };
  if (link.state === "stopped") {
    return {
      ...base,
      state: "stopped",
      words: "The segment is no longer kept in step.",
      advice: "Link it again to go on.",
    };
  }
  const seen = account?.ok && segmentId !== undefined ? account.segments.get(segmentId) : undefined;
  if (link.state === "deleted" || (segmentId !== undefined && account?.ok && !seen)) {
    return {
      ...base,
      state: "deleted",
      words: "The segment was deleted in Ads Manager; its changes wait.",
      advice: "Decide whether it is made again with its members, or no longer kept in step.",
    };
  }
  if (segmentId === undefined) {
    const words = problem
      ? `The segment could not be made: ${problem.message}`
      : `The segment is made with its first member${waits(memberLingerMs)}.`;
    return { ...base, state: "not_made", words, ...(problem ? { advice: problem.fix } : {}) };
  }
  if (!seen) {
    const why = account && !account.ok ? ` ${account.why}` : "";
    return { ...base, state: "unknown", words: `Snapchat did not say where the segment stands.${why}` };
  }
  const { state, words, advice, size } = segmentState(seen);
  return { ...base, name: seen.name || name, state, words, advice: problem?.fix ?? advice, size };
}

/** How long a change of membership waits for others before it is sent. */
function waits(lingerMs: number): string {
  if (lingerMs < 1_000) return "";
  const seconds = Math.round(lingerMs / 1_000);
  return `; changes wait up to ${seconds === 60 ? "a minute" : `${seconds} seconds`} for others before they are sent`;
}
