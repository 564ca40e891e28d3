/** What goes wrong at Snapchat during the demo: each kind three times on events and three times on members. */
const KINDS = [
  { words: "it answers 503", action: { status: 503 } },
  { words: "it answers 429, too many requests", action: { status: 429 } },
  { words: "it cuts the connection", action: { reset: true } },
  { words: "it takes the request and never answers", action: { timeoutAfterAcceptance: "hang" } },
] as const;

const TARGETS = [
  { name: "events", spread: 1, match: { area: "conversions", method: "POST", pathPattern: "/events$" } },
  { name: "members", spread: 0, match: { area: "ads", pathPattern: "/segments/[0-9]+/users$" } },
] as const;

export const FAULTS_OF_A_KIND = 3;

/** In plain words. */
export const FAULTS = TARGETS.flatMap(({ name }) =>
  KINDS.map(({ words }) => `${FAULTS_OF_A_KIND} × on ${name}: ${words}`),
);

/**
 * One rule per fault. On events each lets one more request pass than the one before, so that about every second fails
 * until all have struck; members have a queue per segment, so there the first requests of each fail.
 */
export const FAULT_RULES = TARGETS.flatMap(({ match, spread }) =>
  Array.from({ length: KINDS.length * FAULTS_OF_A_KIND }, (_, n) => ({
    ...match,
    ...KINDS[n % KINDS.length]?.action,
    count: 1,
    after: spread * n,
  })),
);
