import { type ErrorKind, SnapchatError } from "../errors.ts";
import type { HttpResponse } from "../http/index.ts";

/** Codes of RFC 6749 (4.1.2.1 and 5.2) and what each asks for. Snapchat answers `error` and `error_description`. */
const MEANING: Readonly<Record<string, { kind: ErrorKind; message: string; fix: string }>> = {
  invalid_grant: {
    kind: "reauthorize",
    message: "Snapchat no longer accepts this login.",
    fix: "Let a person sign in at Snapchat again.",
  },
  invalid_client: {
    kind: "fix_configuration",
    message: "Snapchat does not know this client id, or the client secret is wrong.",
    fix: "Copy both from Business Manager, Business Details, OAuth Apps; keys of Snap Kit or Login Kit do not work here.",
  },
  unauthorized_client: {
    kind: "fix_configuration",
    message: "Snapchat does not let this OAuth app use this way of signing in.",
    fix: "Use an OAuth app made in Business Manager, Business Details, OAuth Apps.",
  },
  invalid_request: {
    kind: "fix_configuration",
    message: "Snapchat refused the sign-in request as malformed.",
    fix: "Compare the redirect URI with the one registered for the OAuth app: they must be equal to the letter.",
  },
  redirect_uri_mismatch: {
    kind: "fix_configuration",
    message: "Snapchat does not know the redirect URI.",
    fix: "It must equal the one registered for the OAuth app to the letter; it cannot be edited there, so a new one needs a new app.",
  },
  invalid_scope: {
    kind: "fix_configuration",
    message: "Snapchat does not grant one of the scopes that were asked for.",
    fix: "Ask for the marketing and conversions scopes only.",
  },
  unsupported_grant_type: {
    kind: "bug",
    message: "Snapchat does not support this grant.",
    fix: "Please report it: this package only uses grants that Snapchat documents.",
  },
  unsupported_response_type: {
    kind: "bug",
    message: "Snapchat does not support this way of signing in.",
    fix: "Please report it: this package only asks for what Snapchat documents.",
  },
  access_denied: {
    kind: "reauthorize",
    message: "The person did not allow the connection at Snapchat.",
    fix: "Start again and choose Allow, as somebody who may manage the ad account.",
  },
  server_error: {
    kind: "retry",
    message: "Snapchat's sign-in failed on its side.",
    fix: "Start again in a minute.",
  },
  temporarily_unavailable: {
    kind: "retry",
    message: "Snapchat's sign-in is not available at the moment.",
    fix: "Start again in a few minutes.",
  },
};

/** Snapchat's `error` on the way back to the redirect URI. The description in the URL is anybody's text and is not used. */
export function authorizeFailure(error: string): SnapchatError {
  const code = Object.hasOwn(MEANING, error) ? error : "sign_in_refused";
  const meaning = MEANING[code] ?? {
    kind: "fix_configuration" as const,
    message: "Snapchat refused the sign-in.",
    fix: "Start again; if it stays, check the OAuth app in Business Manager.",
  };
  return new SnapchatError({ code: `oauth_${code}`, ...meaning });
}

/** What an answer of the token endpoint other than success means. */
export function tokenFailure(response: HttpResponse, label: string): SnapchatError {
  const { status, requestId } = response;
  const details = { label, status, ...(requestId ? { requestId } : {}) };
  if (status === 429) {
    const retryAfterMs = retryAfter(response.headers.get("retry-after"));
    return new SnapchatError({
      code: "oauth_rate_limited",
      kind: "retry",
      message: "Snapchat's token endpoint asks to slow down.",
      fix: "It is tried again later; nothing has to be done.",
      details,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    });
  }
  if (status >= 500 || status === 408) {
    return new SnapchatError({
      code: "oauth_unavailable",
      kind: "retry",
      message: `Snapchat's token endpoint failed with status ${status}.`,
      fix: "It is tried again later; nothing has to be done.",
      details,
    });
  }
  const said = errorCode(response.json);
  const code = said ?? (status === 401 ? "invalid_client" : "token_request_refused");
  const meaning = MEANING[code] ?? {
    kind: "fix_configuration" as const,
    message: `Snapchat's token endpoint refused the request with status ${status}.`,
    fix: "Check client id, client secret and redirect URI of the OAuth app.",
  };
  return new SnapchatError({ code: `oauth_${code}`, ...meaning, details });
}

/** A success that is not one. */
export function unreadableAnswer(response: HttpResponse, label: string, what: string): SnapchatError {
  return new SnapchatError({
    code: "oauth_answer_unreadable",
    kind: "retry",
    message: `Snapchat's token endpoint answered status ${response.status} with ${what}.`,
    fix: "It is tried again later; if it stays, something between this host and Snapchat changes the answers.",
    details: { label, status: response.status },
  });
}

function errorCode(json: unknown): string | undefined {
  const error = typeof json === "object" && json !== null ? (json as { error?: unknown }).error : undefined;
  return typeof error === "string" && Object.hasOwn(MEANING, error) ? error : undefined;
}

function retryAfter(header: string | null): number | undefined {
  const seconds = header === null ? Number.NaN : Number(header);
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds, 3_600) * 1_000 : undefined;
}
