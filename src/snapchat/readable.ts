import { brokenBound } from "../wire/bounds.ts";

/**
 * Why an event from outside is not even read; `undefined` where it can be. A getter or proxy of the host that throws is
 * that event's fault and no other's.
 */
export function unreadable(event: unknown): "event_too_large" | "event_not_an_object" | "event_unreadable" | undefined {
  try {
    if (brokenBound(event) !== undefined) return "event_too_large";
  } catch {
    return "event_unreadable";
  }
  return typeof event !== "object" || event === null ? "event_not_an_object" : undefined;
}
