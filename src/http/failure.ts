import { isSnapchatError, SnapchatError } from "../errors.ts";

/** Faults that happen before the first byte of the request can have left. */
const NOT_SENT = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/** Turns whatever `fetch` threw into our error: no URL, no body, no `cause`. */
export function toHttpFailure(
  error: unknown,
  context: { label: string; timedOut: boolean; aborted: boolean | undefined },
): SnapchatError {
  if (isSnapchatError(error)) return error;
  const { label } = context;
  if (context.aborted) {
    return new SnapchatError({
      code: "aborted",
      kind: "retry",
      message: `${label} was ended by the caller.`,
      fix: "Call again when the caller is ready.",
      details: { label, sent: "maybe" },
    });
  }
  if (context.timedOut) {
    return new SnapchatError({
      code: "request_timeout",
      kind: "retry",
      message: `${label} had no complete answer before its deadline.`,
      fix: "Try again later; Snapchat may or may not have taken the request.",
      details: { label, sent: "maybe" },
    });
  }
  const reason = causeCode(error);
  return new SnapchatError({
    code: "network_error",
    kind: "retry",
    message: `${label} failed on the network (${reason}).`,
    fix: "Try again later; if it stays, check the way from this host to Snapchat.",
    details: { label, reason, sent: NOT_SENT.has(reason) ? "no" : "maybe" },
  });
}

export function isFailure(error: unknown): error is SnapchatError {
  return (
    isSnapchatError(error) &&
    (error.code === "network_error" ||
      error.code === "request_timeout" ||
      error.code === "aborted" ||
      error.code === "origin_not_allowed")
  );
}

function causeCode(error: unknown, depth = 0): string {
  if (typeof error !== "object" || error === null || depth > 4) return "unknown";
  const { code, cause, errors } = error as { code?: unknown; cause?: unknown; errors?: unknown[] };
  if (typeof code === "string") return code;
  if (Array.isArray(errors) && errors.length > 0) return causeCode(errors[0], depth + 1);
  return cause === undefined ? "unknown" : causeCode(cause, depth + 1);
}
