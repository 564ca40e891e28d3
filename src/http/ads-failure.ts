import { redact, SnapchatError } from "../errors.ts";
import type { HttpResponse } from "./client.ts";

/** One entity of an answer that Snapchat refused, in its words. */
export interface ItemFailure {
  /** Snapchat's code, `E3004`. */
  code?: string;
  message: string;
}

/** `Error code: E3004, message: Entity does not exist … : [context]` (Ads-API, as recorded). */
const REASON = /^Error code:\s*(E\d+),\s*message:\s*(.*)$/s;

export function itemFailure(reason: unknown, response: Pick<HttpResponse, "withoutSent">): ItemFailure {
  const text = typeof reason === "string" ? redact(response.withoutSent(reason)) : "Snapchat gave no reason.";
  const match = REASON.exec(text);
  return match ? { code: match[1] as string, message: match[2] as string } : { message: text };
}

/** What a failed answer of the Marketing API asks for. Bodies come as envelopes, as `unauthorized` in plain text, or as a gateway's page. */
export function adsFailure(response: HttpResponse, label: string): SnapchatError {
  const { status, requestId } = response;
  const said = envelope(response);
  const details = { label, status, ...said, ...(requestId ? { requestId } : {}) };
  if (status === 401) {
    return new SnapchatError({
      code: "access_token_refused",
      kind: "reauthorize",
      message: "Snapchat refused the access token.",
      fix: "Get a new one by refreshing; if that is refused as well, a person has to sign in again.",
      details,
    });
  }
  if (status === 403) {
    return new SnapchatError({
      code: "access_forbidden",
      kind: "fix_configuration",
      message: "The person who connected may not see this at Snapchat.",
      fix: "Ask an organization admin for a role in the ad account, or connect as somebody who has one; both scopes must be granted.",
      details,
    });
  }
  if (status === 404) {
    return new SnapchatError({
      code: "entity_not_found",
      kind: "fix_configuration",
      message: "Snapchat does not know this id.",
      fix: "Choose again: the account or pixel may have been removed in Ads Manager.",
      details,
    });
  }
  if (status === 429) {
    const retryAfterMs = resetIn(response.headers);
    return new SnapchatError({
      code: "rate_limited",
      kind: "capacity",
      message: "Snapchat asks to slow down.",
      fix: "Try again in a few seconds.",
      details,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    });
  }
  if (status >= 500 || status === 408) {
    return new SnapchatError({
      code: "snapchat_unavailable",
      kind: "retry",
      message: `Snapchat failed with status ${status}.`,
      fix: "Try again later; nothing has to be done.",
      details,
    });
  }
  return new SnapchatError({
    code: "request_refused",
    kind: "fix_configuration",
    message: `Snapchat refused ${label} with status ${status}.`,
    fix: "See `details` for Snapchat's own words.",
    details,
  });
}

/** A success that holds a failure, or no answer at all. */
export function answerFailure(response: HttpResponse, label: string, failure: ItemFailure): SnapchatError {
  return new SnapchatError({
    code: "answer_incomplete",
    kind: "retry",
    message: "Snapchat answered with failures inside.",
    fix: "Try again; see `details` for Snapchat's own words.",
    details: {
      label,
      status: response.status,
      errorCode: failure.code,
      said: failure.message,
      requestId: response.requestId,
    },
  });
}

function envelope({ json, withoutSent }: HttpResponse): { errorCode?: string; said?: string } {
  if (typeof json !== "object" || json === null) return {};
  const { error_code: code, debug_message: debug } = json as Record<string, unknown>;
  return {
    ...(typeof code === "string" ? { errorCode: withoutSent(code) } : {}),
    ...(typeof debug === "string" ? { said: withoutSent(debug) } : {}),
  };
}

/** `X-Rate-Limit-Reset` was recorded in epoch milliseconds; seconds are told by their size. */
function resetIn(headers: Headers): number | undefined {
  const reset = Number(headers.get("x-rate-limit-reset") ?? Number.NaN);
  const date = Date.parse(headers.get("date") ?? "");
  if (!Number.isFinite(reset) || !Number.isFinite(date)) return undefined;
  const left = (reset > 1e11 ? reset : reset * 1_000) - date;
  return left > 0 && left <= 60_000 ? left : undefined;
}
