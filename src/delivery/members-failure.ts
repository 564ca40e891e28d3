import { isSnapchatError } from "../errors.ts";
import { safeError } from "./context.ts";

/** What a failed segment request means for its work. */
export type SegmentFailure =
  /** Nothing left: no slot, lease or connection. */
  | "not_sent"
  | "limited"
  | "unauthorized"
  | "forbidden"
  /** The segment does not exist (404, E3003, E3004): deleted in Ads Manager, or out of reach. */
  | "gone"
  /** Snapchat read it and does not want it. */
  | "refused"
  /** No answer that says so: it may have been taken, or still be on its way. */
  | "unknown";

export function judgeFailure(error: unknown): SegmentFailure {
  if (!isSnapchatError(error)) return "unknown";
  const { status, sent, errorCode } = error.details;
  if (error.code === "slot_refused" || sent === "no") return "not_sent";
  if (status === 429 || error.code === "rate_limited") return "limited";
  if (status === 401 || error.kind === "reauthorize") return "unauthorized";
  if (status === 404 || errorCode === "E3003" || errorCode === "E3004") return "gone";
  if (status === 403 || errorCode === "E3002") return "forbidden";
  if (typeof status === "number" && status >= 400 && status < 500 && status !== 408) return "refused";
  if (error.kind === "fix_data" || error.kind === "fix_configuration") return "refused";
  return "unknown";
}

/** A failure as the journal keeps it: its work waits and is tried again. */
export function failedAnswer(error: unknown) {
  const requestId = isSnapchatError(error) ? error.details.requestId : undefined;
  return {
    status: "retry" as const,
    ...safeError(error),
    requestId: typeof requestId === "string" ? requestId : undefined,
  };
}
