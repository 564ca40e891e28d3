import { SnapchatError } from "../errors.ts";
import type { Verdict } from "./answer.ts";

/** The error for a call that gave no data: what to do about it, in the kinds every caller knows. */
export function failureOf(verdict: Verdict, call: "validate" | "logs" | "stats"): SnapchatError {
  const details = { call, ...(verdict.requestId === undefined ? {} : { requestId: verdict.requestId }) };
  switch (verdict.kind) {
    case "unauthorized":
      return new SnapchatError({
        code: "token_refused",
        kind: "reauthorize",
        message: `Snapchat refused the token: ${verdict.message}`,
        fix: "Reconnect, or paste a new Conversions API token; a new one may be refused for up to an hour.",
        details,
      });
    case "forbidden":
      return new SnapchatError({
        code: "asset_forbidden",
        kind: "fix_configuration",
        message: `The token may not use this pixel or app: ${verdict.message}`,
        fix: "Use a token of the organization that owns the pixel or app, and check the id.",
        details,
      });
    case "retry": {
      const limited = verdict.code === "rate_limited";
      return new SnapchatError({
        code: limited ? "rate_limited" : "snapchat_unavailable",
        kind: "retry",
        message: limited ? "Snapchat asks to slow down." : `No usable answer came: ${verdict.message}`,
        fix: "Try again later.",
        details: { ...details, reason: verdict.code },
        ...(verdict.retryAfterMs === undefined ? {} : { retryAfterMs: verdict.retryAfterMs }),
      });
    }
    default:
      return new SnapchatError({
        code: "request_refused",
        kind: "fix_data",
        message: `Snapchat refused the request: ${verdict.kind === "valid" ? "the answer holds no data" : verdict.message}`,
        fix: "Check the asset id; if it is right, report the answer's request id.",
        details,
      });
  }
}
