import type { Heard } from "./heard.ts";
import type { EventOutcome } from "./interfaces.ts";

/** What became of an item that was sent without being stored. */
export interface NowOutcome {
  /**
   * - `delivered`, `validated`: taken by Snapchat; judged only.
   * - `retry`: nothing is wrong with it; offer it again after `retryAfterMs`.
   * - `paused`: a person has to act first; keep it and ask again later.
   * - `rejected`: Snapchat refuses it and would again.
   * - `withdrawn`: the person may not be contacted any more.
   */
  status: "delivered" | "validated" | "retry" | "paused" | "rejected" | "withdrawn";
  /** `false`: Snapchat may have taken it. Offered again within 48 hours, an event is absorbed by its id. */
  known: boolean;
  reason?: string | undefined;
  /** Snapchat's words, redacted. */
  message?: string | undefined;
  requestId?: string | undefined;
  /** Milliseconds. */
  retryAfterMs?: number | undefined;
}

/** A pause is asked about again after this long. */
export const PAUSED_MS = 60_000;

/** From the sender's words on one event. */
export function ofEvent(
  { status, known, code, message, requestId, retryAfterMs }: EventOutcome,
  heard: Heard,
  validateOnly: boolean,
): NowOutcome {
  const words = { known, message, requestId };
  switch (status) {
    case "delivered":
      return { status: validateOnly ? "validated" : "delivered", known, requestId };
    case "rejected":
      return { ...words, status: "rejected", reason: code };
    case "unauthorized":
      return heard.login === "pause"
        ? { ...paused("reauth_required"), ...words }
        : { ...words, status: "retry", reason: code, retryAfterMs: 1_000 };
    case "forbidden":
      return { ...paused("forbidden"), ...words };
    case "retry": {
      const waitMs = code === "rate_limited" ? heard.waitMs : (retryAfterMs ?? 1_000);
      return { ...words, status: "retry", reason: code, retryAfterMs: Math.ceil(waitMs) };
    }
  }
}

export function paused(reason: string): NowOutcome {
  return { status: "paused", known: true, reason, retryAfterMs: PAUSED_MS };
}

export function later(reason: string, retryAfterMs: number): NowOutcome {
  return { status: "retry", known: true, reason, retryAfterMs: Math.ceil(retryAfterMs) };
}
