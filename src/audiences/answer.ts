import { isSnapchatError, SnapchatError } from "../errors.ts";
import { adsFailure, answerFailure, itemFailure } from "../http/ads-failure.ts";
import type { HttpResponse } from "../http/index.ts";

/**
 * The entities of an answer. Snapchat fails in two shapes: as a status with an envelope, and inside the list of an answer
 * that may well say 200; both are thrown as what they are.
 *
 * @throws {SnapchatError} `access_token_refused` (reauthorize), `access_forbidden`, `entity_not_found`,
 * `request_refused` (fix_configuration), `rate_limited` (capacity), `snapchat_unavailable`, `answer_incomplete` (retry)
 */
export function entitiesOf(
  response: HttpResponse,
  label: string,
  plural = "segments",
  singular = "segment",
): unknown[] {
  const json = isRecord(response.json) ? response.json : {};
  const list = json[plural];
  const wrappers = Array.isArray(list) ? list.filter(isRecord) : [];
  for (const wrapper of wrappers) {
    if (!isSuccess(wrapper.sub_request_status ?? "SUCCESS")) throw subFailure(response, label, wrapper);
  }
  if (response.status < 200 || response.status > 299) throw withTerms(adsFailure(response, label));
  if (!isSuccess(json.request_status)) {
    throw answerFailure(response, label, { message: "The answer does not say that it succeeded." });
  }
  return wrappers.map((wrapper) => wrapper[singular]);
}

/** The path of the next page, on the pinned host only: the token goes along. */
export function nextPath(response: HttpResponse, origin: string, label: string): string | undefined {
  const paging = isRecord(response.json) ? response.json.paging : undefined;
  const link = isRecord(paging) ? paging.next_link : undefined;
  if (typeof link !== "string" || link === "") return undefined;
  const url = URL.canParse(link) ? new URL(link) : undefined;
  if (url?.origin === origin && url.pathname.startsWith("/v1/")) return `${url.pathname.slice(3)}${url.search}`;
  throw answerFailure(response, label, { message: "The next page is on a foreign host." });
}

/**
 * Whether a failure says that the segment is not there any more: deleted in Ads Manager, or out of reach.
 *
 * @example
 * ```ts
 * import { Secret } from "snapchat-destination";
 * import { type AudiencesClient, isSegmentGone } from "snapchat-destination/audiences";
 *
 * export async function find(audiences: AudiencesClient, token: Secret, segmentId: string) {
 *   try {
 *     return await audiences.segments.get(segmentId, { token });
 *   } catch (error) {
 *     if (isSegmentGone(error)) return undefined; // ask its owner before making it again
 *     throw error;
 *   }
 * }
 * ```
 */
export function isSegmentGone(error: unknown): boolean {
  return isSnapchatError(error) && error.code === "entity_not_found";
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Snapchat writes `SUCCESS`; older documents print `success`. */
function isSuccess(status: unknown): boolean {
  return typeof status === "string" && status.toUpperCase() === "SUCCESS";
}

/** Snapchat's codes inside an answer: E3003 and E3004 are a missing entity, E3002 a missing role, E1… and E2… a value it refuses. */
function subFailure(response: HttpResponse, label: string, wrapper: Record<string, unknown>): SnapchatError {
  const failure = itemFailure(wrapper.sub_request_error_reason, response);
  const { code = "" } = failure;
  const status =
    code === "E3002" ? 403 : code === "E3003" || code === "E3004" ? 404 : /^E[12]/.test(code) ? 400 : undefined;
  if (status === undefined) return answerFailure(response, label, failure);
  return withTerms(
    adsFailure({ ...response, status, json: { error_code: code, debug_message: failure.message } }, label),
  );
}

/** Audiences have two more reasons to be forbidden than accounts have. */
function withTerms(error: SnapchatError): SnapchatError {
  if (error.code !== "access_forbidden") return error;
  return new SnapchatError({
    code: error.code,
    kind: "fix_configuration",
    message: "The person who connected may not change audiences of this ad account.",
    fix: "Give them the role Data Manager or higher in the ad account, and let an organization admin accept the Customer List terms in Ads Manager.",
    details: error.details,
  });
}
