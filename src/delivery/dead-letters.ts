import type { DeadLetter, Page, Storage } from "../storage/ports.ts";
import type { Context } from "./context.ts";
import { type DeadDetail, decodeDetail } from "./dead.ts";
import { parseGroup } from "./item.ts";
import { isKnownFormat, openPayload, payloadAad } from "./payload.ts";
import { readProgress } from "./progress.ts";

/** What could not be delivered, as a person reads it. */
export interface DeadLetterInfo {
  id: string;
  tenantId: string;
  destinationId: string;
  type: "event" | "member";
  /** The asset, or the segment link. */
  of: string;
  /** `rejected`, `outcome_unknown`, `event_too_old`, `attempts_exhausted`, `crashes_worker`, `expired`, `dropped`, … */
  reason: string;
  /** How long ago it died. Milliseconds. */
  ageMs: number;
  attempts: number;
  /** True for a whole entry that was given up at once; it may hold several items. */
  whole: boolean;
  /** Snapchat's words, redacted. */
  message?: string | undefined;
  code?: string | undefined;
  requestId?: string | undefined;
  eventId?: string | undefined;
  eventName?: string | undefined;
  /** Seconds since 1970. */
  eventTime?: number | undefined;
}

/** Which dead letters: all conditions together. */
export interface DeadLetterFilter {
  destinationId: string;
  ids?: readonly string[] | undefined;
  reason?: string | undefined;
  /** Died at most this long ago. Milliseconds. */
  maxAgeMs?: number | undefined;
  /** Died at least this long ago. Milliseconds. */
  minAgeMs?: number | undefined;
}

/** Which dead letters, a page at a time. */
export interface DeadLetterListOptions extends Omit<DeadLetterFilter, "ids"> {
  after?: string | undefined;
  /** Default 100. */
  limit?: number | undefined;
}

const PAGE = 500;

/** One page, newest first, details opened. */
export async function listDeadLetters(context: Context, options: DeadLetterListOptions): Promise<Page<DeadLetterInfo>> {
  const { destinationId, reason, maxAgeMs, minAgeMs = 0, after, limit = 100 } = options;
  const page = await context.storage.outbox.dead.list({
    destinationId,
    limit,
    ...(reason === undefined ? {} : { reason }),
    ...(maxAgeMs === undefined ? {} : { maxAgeMs }),
    ...(after === undefined ? {} : { after }),
  });
  const old = page.items.filter((letter) => letter.ageMs >= minAgeMs);
  return { ...page, items: await Promise.all(old.map((letter) => infoOf(context, letter))) };
}

/** Removes dead letters for good. Answers how many. */
export async function purgeDeadLetters(context: Context, filter: DeadLetterFilter): Promise<number> {
  let removed = 0;
  for await (const letters of matching(context.storage, filter)) {
    const ids = letters.map(({ id }) => id);
    removed += await context.storage.outbox.dead.delete({ destinationId: filter.destinationId, ids });
  }
  return removed;
}

/** Dead letters that match, a page at a time. A page may be removed while the next is asked for. */
export async function* matching(storage: Storage, filter: DeadLetterFilter): AsyncGenerator<DeadLetter[]> {
  const { destinationId, reason, maxAgeMs, minAgeMs = 0 } = filter;
  const ids = filter.ids && new Set(filter.ids);
  let after: string | undefined;
  do {
    const page: Page<DeadLetter> = await storage.outbox.dead.list({
      destinationId,
      limit: PAGE,
      ...(reason === undefined ? {} : { reason }),
      ...(maxAgeMs === undefined ? {} : { maxAgeMs }),
      ...(after === undefined ? {} : { after }),
    });
    after = page.after;
    const found = page.items.filter(({ id, ageMs }) => ageMs >= minAgeMs && (ids?.has(id) ?? true));
    if (found.length > 0) yield found;
  } while (after !== undefined);
}

/**
 * What was noted beside a dead letter. A whole entry that was buried by the engine has at most its progress. `undefined`:
 * a newer version wrote it.
 */
export async function detailOf(
  context: Pick<Context, "sealer">,
  { group, detail }: DeadLetter,
): Promise<DeadDetail | undefined> {
  if (isKnownFormat(detail)) {
    const aad = payloadAad(group.tenantId, group.destinationId, group.name);
    return decodeDetail(await openPayload(detail, aad, context.sealer));
  }
  const progress = readProgress(detail, 0);
  return progress && { attempts: progress.attempts };
}

async function infoOf(context: Context, letter: DeadLetter): Promise<DeadLetterInfo> {
  const { id, group, reason, ageMs, itemIndex } = letter;
  const kind = parseGroup(group.name);
  const detail = await detailOf(context, letter).catch(() => undefined);
  const { attempts, message, code, requestId, eventId, eventName, eventTime } = detail ?? { attempts: 0 };
  return {
    id,
    tenantId: group.tenantId,
    destinationId: group.destinationId,
    type: kind?.type ?? "event",
    of: kind?.of ?? group.name,
    reason,
    ageMs,
    attempts,
    whole: itemIndex === -1,
    message,
    code,
    requestId,
    eventId,
    eventName,
    eventTime,
  };
}
