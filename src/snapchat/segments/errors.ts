import { SnapchatError } from "../../errors.ts";

/** Longer keys are no names of segments. UTF-16 code units. */
export const MAX_SEGMENT_KEY = 400;

/** @throws {SnapchatError} `segment_key_invalid` (fix_data) */
export function checkSegmentKey(key: unknown): string {
  if (typeof key === "string" && key.trim() !== "" && key.length <= MAX_SEGMENT_KEY) return key;
  const length = typeof key === "string" ? key.length : 0;
  throw new SnapchatError({
    code: "segment_key_invalid",
    kind: "fix_data",
    message: `A segment's key is a text of 1 to ${MAX_SEGMENT_KEY} characters, not ${length}.`,
    fix: "Pass the key by which your platform knows the segment.",
    details: { length },
  });
}

export function wrong(code: string, message: string, fix: string): SnapchatError {
  return new SnapchatError({ code, kind: "fix_configuration", message, fix });
}

export const segmentUnknown = () =>
  wrong(
    "segment_unknown",
    "No segment of this key is known at this destination.",
    "Take the key from segments.list(); a segment is known from its first member, from the segments hook, or by segments.link().",
  );

export const notConnected = () =>
  wrong(
    "not_connected",
    "Nobody has signed in at Snapchat for this destination yet.",
    "Send the marketer to oauth.connect() first.",
  );
