/** Where an event happened, in the spelling every source agrees works (Conversions-API/UsingTheAPI). */
export type ActionSource = "WEB" | "MOBILE_APP" | "OFFLINE";

/**
 * Spellings Snapchat or its peers use, folded to lower case, and what they mean. A name that is not here has no
 * meaning: an event is never called offline because nothing better was known.
 */
export const ACTION_SOURCES: Readonly<Record<string, ActionSource>> = {
  web: "WEB",
  website: "WEB",
  mobile_app: "MOBILE_APP",
  app: "MOBILE_APP",
  offline: "OFFLINE",
  physical_store: "OFFLINE",
  phone_call: "OFFLINE",
  phone: "OFFLINE",
  email: "OFFLINE",
  chat: "OFFLINE",
  system_generated: "OFFLINE",
  other: "OFFLINE",
};

const BY_SPELLING = new Map<string, ActionSource>([
  ...Object.entries(ACTION_SOURCES),
  ["WEB", "WEB"],
  ["MOBILE_APP", "MOBILE_APP"],
  ["OFFLINE", "OFFLINE"],
]);

/** The action source meant by any known spelling, or `undefined`. */
export function toActionSource(spelling: string): ActionSource | undefined {
  return BY_SPELLING.get(spelling) ?? BY_SPELLING.get(spelling.trim().toLowerCase());
}
