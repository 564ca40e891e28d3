/** What goes wrong at Snapchat during the demo: each four times, on events and on members. */
const EVENTS = { area: "conversions", method: "POST", pathPattern: "/events$" };
const MEMBERS = { area: "ads", pathPattern: "/segments/[0-9]+/users$" };

const KINDS = [
  { words: "it answers 503", action: { status: 503 } },
  { words: "it answers 429, too many requests", action: { status: 429 } },
  { words: "it cuts the connection", action: { reset: true } },
  { words: "it takes the request and never answers", action: { timeoutAfterAcceptance: "hang" } },
] as const;

export const FAULTS = KINDS.flatMap(({ words, action }) => [
  { words: `3 × on events: ${words}`, rule: { ...EVENTS, ...action, count: 3 } },
  { words: `3 × on members: ${words}`, rule: { ...MEMBERS, ...action, count: 3 } },
]);
