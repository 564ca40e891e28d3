/** What this process has done since it started. */
export interface Counters {
  claims: number;
  released: number;
  lost: number;
  requests: number;
  delivered: number;
  validated: number;
  retried: number;
  withdrawn: number;
  dead: Record<string, number>;
  /** Identifiers sent to enter. */
  membersAdded: number;
  /** Identifiers sent to leave. */
  membersRemoved: number;
  /** Of both, those that Snapchat says it took. */
  membersAccepted: number;
  rateLimited: number;
}

export function newCounters(): Counters {
  return {
    claims: 0,
    released: 0,
    lost: 0,
    requests: 0,
    delivered: 0,
    validated: 0,
    retried: 0,
    withdrawn: 0,
    dead: {},
    membersAdded: 0,
    membersRemoved: 0,
    membersAccepted: 0,
    rateLimited: 0,
  };
}
