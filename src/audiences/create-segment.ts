import { isSnapchatError, SnapchatError } from "../errors.ts";
import { answerFailure } from "../http/ads-failure.ts";
import { maybeSent } from "../http/index.ts";
import { LIMITS } from "../wire/limits.ts";
import { entitiesOf } from "./answer.ts";
import type { AudiencesCall, Seen } from "./call.ts";
import { listSegments } from "./list-segments.ts";
import { readSegment, type Segment } from "./segment.ts";
import { type Channel, mayPass, request, withRetries } from "./transport.ts";

const LABEL = "POST /adaccounts/{id}/segments";

/**
 * Makes one segment. Where the answer is lost, its marker is looked for in the account's descriptions; only where that
 * finds nothing is it tried again. Without a marker it is never tried again.
 */
export function createSegment(
  channel: Channel,
  adAccountId: string,
  segment: Record<string, unknown>,
  marker: string | undefined,
  call: AudiencesCall,
  seen: Seen,
): Promise<Segment> {
  const most = call.maxRetries ?? channel.maxRetries;
  let unknown = false;

  async function attempt(before: number): Promise<Segment> {
    // After the pause, since the request whose answer was lost may have arrived meanwhile.
    const made = unknown ? await findByMarker(channel, adAccountId, marker ?? "", call) : undefined;
    if (made) return made;
    try {
      return await post();
    } catch (error) {
      if ((call.explainRefusal ?? most > 0) && isRefusal(error))
        throw await refusal(channel, adAccountId, segment, call, error);
      if (most === 0 || marker === undefined || !isOutcomeUnknown(error)) throw error;
      unknown = true;
      const late =
        before < most ? undefined : await findByMarker(channel, adAccountId, marker, call).catch(() => undefined);
      if (late) return late;
      throw error;
    }
  }

  async function post(): Promise<Segment> {
    const path = `/adaccounts/${encodeURIComponent(adAccountId)}/segments`;
    const body = JSON.stringify({ segments: [segment] });
    const response = await request(channel, call, seen, { method: "POST", path, label: LABEL, body });
    const [made] = entitiesOf(response, LABEL);
    if (made === undefined) throw answerFailure(response, LABEL, { message: "The answer holds no segment." });
    return readSegment(made);
  }

  const mayRepeat = (error: unknown) => mayPass(error) && (marker !== undefined || !isOutcomeUnknown(error));
  return withRetries(channel, call, attempt, mayRepeat);
}

/** The segment of the account whose description holds the marker. */
export async function findByMarker(
  channel: Channel,
  adAccountId: string,
  marker: string,
  call: AudiencesCall,
): Promise<Segment | undefined> {
  for await (const segment of listSegments(channel, adAccountId, call)) {
    if (segment.description?.includes(marker)) return segment;
  }
  return undefined;
}

/** No answer says whether it was made: a timeout, a lost connection, a gateway's failure. */
function isOutcomeUnknown(error: unknown): boolean {
  if (!isSnapchatError(error) || error.code === "rate_limited") return false;
  return mayPass(error) && maybeSent(error);
}

function isRefusal(error: unknown): error is SnapchatError {
  return isSnapchatError(error) && error.code === "request_refused";
}

/** Snapchat's refusals do not say which rule was broken; the account's own list often does. */
async function refusal(
  channel: Channel,
  adAccountId: string,
  segment: Record<string, unknown>,
  call: AudiencesCall,
  error: SnapchatError,
): Promise<SnapchatError> {
  const { name, source_type: sourceType } = segment;
  let count = 0;
  let taken = false;
  try {
    for await (const other of listSegments(channel, adAccountId, call)) {
      count++;
      taken ||= other.name === name && (other.sourceType ?? sourceType) === sourceType;
    }
  } catch {
    return error;
  }
  if (count >= LIMITS.segmentsPerAdAccount) {
    return new SnapchatError({
      code: "segment_limit_reached",
      kind: "fix_configuration",
      message: `The ad account holds ${count} audiences; Snapchat allows ${LIMITS.segmentsPerAdAccount}.`,
      fix: "Delete audiences in Ads Manager that no campaign uses.",
      details: { ...error.details, count },
    });
  }
  if (taken) {
    return new SnapchatError({
      code: "segment_name_taken",
      kind: "fix_configuration",
      message: "The ad account has an audience of this name already.",
      fix: "Link the existing audience, or choose another name.",
      details: error.details,
    });
  }
  return error;
}
