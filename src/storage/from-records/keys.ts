import { hash, randomBytes } from "node:crypto";

/**
 * Where what is not a record of the library's own lies. Every part is a digest, a number or a random token, so keys are
 * ASCII and at most 130 bytes, whatever the ids are.
 *
 * ```
 * $/g/<destination>/<group>             a group: its queue without payloads, counters, open claims
 * $/c/<group>/<token>/<n>               parts of a group's state that is too large for one value
 * $/e/<group>/<token>                   an entry's payload
 * $/l/<group>/<entry id>                an id that left and still answers "duplicate"; expires
 * $/d/<destination>/<newest first>      dead letters of one settle or bury
 * $/x/<token>/<n>                       their payloads
 * $/s/<tenant>/<segment>                a segment: its fence
 * $/m/<segment>/<token>                 a block of its members
 * $/n/<segment>/<token>                 a split of a block that has begun and not ended
 * $/j/<destination>/<newest first>      journal lines of one write
 * ~outbox/pauses                        every pause
 * ~outbox/fence/<group>                 the fence of a group that was purged
 * ```
 */
export const ROOT = "$/";

const digest = (...parts: string[]): string => hash("sha256", JSON.stringify(parts), "base64url").slice(0, 32);

export const newToken = (): string => randomBytes(15).toString("base64url");

export const groupId = (destinationId: string, name: string): string => digest(destinationId, name);
export const destinationKey = (destinationId: string): string => digest(destinationId);
export const segmentId = (tenantId: string, destinationId: string, link: string): string =>
  digest(tenantId, destinationId, link);

export const keys = {
  groups: `${ROOT}g/`,
  group: (destinationId: string, name: string) =>
    `${ROOT}g/${destinationKey(destinationId)}/${groupId(destinationId, name)}`,
  chunk: (gid: string, token: string, index: number) => `${ROOT}c/${gid}/${token}/${index}`,
  payload: (gid: string, token: string) => `${ROOT}e/${gid}/${token}`,
  leftOfGroup: (gid: string) => `${ROOT}l/${gid}/`,
  left: (gid: string, id: string) => `${ROOT}l/${gid}/${digest(id)}`,
  deadOf: (destinationId: string) => `${ROOT}d/${destinationKey(destinationId)}/`,
  deadPart: (token: string, index: number) => `${ROOT}x/${token}/${index}`,
  segmentsOf: (tenantId: string) => `${ROOT}s/${digest(tenantId)}/`,
  segments: `${ROOT}s/`,
  blocksOf: (sid: string) => `${ROOT}m/${sid}/`,
  block: (sid: string, token: string) => `${ROOT}m/${sid}/${token}`,
  splits: `${ROOT}n/`,
  splitsOf: (sid: string) => `${ROOT}n/${sid}/`,
  journals: `${ROOT}j/`,
  journalOf: (destinationId: string) => `${ROOT}j/${destinationKey(destinationId)}/`,
  pauses: "~outbox/pauses",
  fence: (gid: string) => `~outbox/fence/${gid}`,
} as const;

/** A time as text that sorts newest first. */
export const newestFirst = (ms: number): string => String(1e14 - ms).padStart(15, "0");

/** Tells apart what happens within one millisecond of one process: rises, and begins anew with the next. */
export function createTicks(): (ms: number) => number {
  let last = -1;
  let tick = 0;
  return (ms) => {
    tick = ms === last ? Math.min(tick + 1, 4_095) : 0;
    last = ms;
    return tick;
  };
}
