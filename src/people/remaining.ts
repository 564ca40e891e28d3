/** Something that cannot be undone from here, in plain words. */
export interface Remaining {
  /** Stable, `snake_case`. */
  code: string;
  message: string;
  fix: string;
}

const IN_FLIGHT: Remaining = {
  code: "in_flight",
  message:
    "What was being sent at that moment may still arrive, up to 15 seconds later: a request that has left cannot be called back.",
  fix: "Call again after a minute: a membership that was being added then is found and removed.",
};

const COUNTED: Remaining = {
  code: "counted_events",
  message: "Events that Snapchat has taken stay there; it offers no way to take single events back.",
  fix: "For erasure at Snapchat, send the person to Snapchat's own privacy request form.",
};

const BROWSER: Remaining = {
  code: "browser",
  message: "The pixel in the person's browser keeps its cookie, and goes on if the page lets it.",
  fix: "Withhold the pixel on the page: its consent check comes before every call.",
};

const HASHES_ONLY: Remaining = {
  code: "other_identifiers",
  message: "Only what was given, and what your identity hook knows, was looked for.",
  fix: "Call again with every mail address, phone and id you have of the person.",
};

const MEMBERS_UNKNOWN: Remaining = {
  code: "members_unknown",
  message: "This storage does not keep who is in which segment, so memberships could not be looked up.",
  fix: "Send removed_from_segment for the person, or use a storage with the members port.",
};

const MEMBERS_KEPT: Remaining = {
  code: "memberships_kept",
  message: "Memberships were left as they are, as asked.",
  fix: "Send removed_from_segment for the person to end them.",
};

/** What a withdrawal leaves behind. */
export function remaining(o: { membersKnown: boolean; segments: "remove" | "keep" }): Remaining[] {
  const members = o.segments === "keep" ? [MEMBERS_KEPT] : o.membersKnown ? [] : [MEMBERS_UNKNOWN];
  return [IN_FLIGHT, COUNTED, BROWSER, HASHES_ONLY, ...members];
}
