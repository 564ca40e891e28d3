import type { SegmentProblem } from "./segment-link.ts";

/** What Snapchat's count says of a request that it took with SUCCESS; `undefined`: all that was sent. */
export function notAllTaken(sent: number, accepted: number): SegmentProblem | undefined {
  if (accepted >= sent) return undefined;
  return {
    code: "identifiers_not_taken",
    message: `Snapchat says that it took ${accepted.toLocaleString("en")} of ${sent.toLocaleString("en")} identifiers.`,
    fix: "It does not say which ones, so nothing is sent again. Look at the segment's size once it is matched; if it stays too small, ask Snapchat's support with the request id of the receipt.",
  };
}
