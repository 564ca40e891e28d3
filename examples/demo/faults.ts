/** What goes wrong at Snapchat during the demo: each kind three times on events and three times on members. */
const KINDS = [
  { words: "it answers 503", action: { status: 503 } },
  { words: "it answers 429, too many requests", action: { status: 429 } },
  { words: "it cuts the connection", action: { reset: true } },
  { words: "it takes the request and never answers", action: { timeoutAfterAcceptance: "hang" } },
] as const;

const TARGETS = [
  { name: "events", match: { area: "conversions", method: "POST", pathPattern: "/events$" } },
  { name: "members", match: { area: "ads", pathPattern: "/segments/[0-9]+/users$" } },
] as const;

export const FAULTS_OF_A_KIND = 3;

/** In plain words. */
export const FAULTS = TARGETS.flatMap(({ name }) =>
  KINDS.map(({ words }) => `${FAULTS_OF_A_KIND} × on ${name}: ${words}`),
);

/**
 * One rule per fault. Each lets one more request pass than the one before, so that about every second request fails
 * until all have struck, and good requests come between.
 */
export const FAULT_RULES = TARGETS.flatMap(({ match }) =>
  Array.from({ length: KINDS.length * FAULTS_OF_A_KIND }, (_, n) => ({
    ...match,
    ...KINDS[n % KINDS.length]?.action,
    count: 1,
    after: n,
  })),
);
