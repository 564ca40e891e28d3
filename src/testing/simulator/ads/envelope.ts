import type { Knobs } from "../knobs.ts";
import { type Incoming, json, type Outgoing } from "../message.ts";

/** One result of a request: an entity under its singular key, or the sentence that says why not. */
export type Item = { entity: Record<string, unknown> } | { error: string };

/** The answers of the Marketing API, in the shapes the knobs say. */
export function createEnvelopes(knobs: Knobs) {
  const word = (status: string) => (knobs.statusCase === "lower" ? status.toLowerCase() : status);

  return {
    /** Plural key, wrappers, singular key. Failures of items sit inside, in an answer of status 200. */
    list(
      requestId: string,
      plural: string,
      singular: string,
      items: readonly Item[],
      extra: Record<string, unknown> = {},
    ) {
      const failed = items.some((item) => "error" in item);
      return json(failed ? knobs.subErrorStatus : 200, {
        request_status: word(failed ? "ERROR" : "SUCCESS"),
        request_id: requestId,
        ...extra,
        [plural]: items.map((item) =>
          "error" in item
            ? { sub_request_status: word("ERROR"), sub_request_error_reason: item.error }
            : { sub_request_status: word("SUCCESS"), [singular]: item.entity },
        ),
      });
    },
    /** An answer that is not a list. */
    plain(requestId: string, fields: Record<string, unknown>): Outgoing {
      return json(200, { request_status: word("SUCCESS"), request_id: requestId, ...fields });
    },
    /** The request failed as a whole. */
    error(requestId: string, status: number, code: string | undefined, debug: string, display?: string): Outgoing {
      return json(status, {
        request_status: word("ERROR"),
        request_id: requestId,
        debug_message: debug,
        display_message: display ?? "We're sorry, but we could not process this request",
        ...(code === undefined ? {} : { error_code: code }),
      });
    },
  };
}

/** A failure inside the array, in the grammar of the documentation. */
export function subError(code: string, message: string, context?: string): Item {
  return { error: `Error code: ${code}, message: ${message}${context === undefined ? "" : ` : [${context}]`}` };
}

export function isoTime(at: number): string {
  return new Date(at).toISOString();
}

const SMALLEST_PAGE = 50;
const LARGEST_PAGE = 1_000;

/**
 * One page of a list in order of creation. The cursor names the last entity given, so that a deletion between two
 * pages skips nothing.
 */
export function pageOf<T>(
  entities: readonly T[],
  orderOf: (entity: T, index: number) => number,
  incoming: Incoming,
  origin: string,
  knobs: Knobs,
): { page: readonly T[]; paging: { next_link?: string } } | { refused: string } {
  const asked = incoming.query.get("limit");
  let limit = asked === null ? knobs.defaultPageSize : Number(asked);
  if (!Number.isInteger(limit) || ((limit < SMALLEST_PAGE || limit > LARGEST_PAGE) && asked !== null)) {
    if (knobs.pageLimits === "enforce")
      return { refused: `limit must be between ${SMALLEST_PAGE} and ${LARGEST_PAGE}` };
    limit = Math.min(LARGEST_PAGE, Math.max(SMALLEST_PAGE, Math.trunc(limit) || SMALLEST_PAGE));
  }
  const cursor = incoming.query.get("cursor");
  let start = 0;
  if (cursor !== null) {
    const after = Number(
      Buffer.from(cursor, "base64url")
        .toString("latin1")
        .replace(/^after:/, ""),
    );
    if (!Number.isFinite(after)) return { refused: "cursor is invalid" };
    start = entities.findIndex((entity, index) => orderOf(entity, index) > after);
    if (start < 0) start = entities.length;
  }
  const page = entities.slice(start, start + limit);
  const last = page.at(-1);
  if (last === undefined || start + limit >= entities.length) return { page, paging: {} };
  const next = new URL(incoming.path, origin);
  const opaque = Buffer.from(`after:${orderOf(last, start + page.length - 1)}`, "latin1").toString("base64url");
  for (const [key, value] of incoming.query)
    if (key !== "cursor" && key !== "limit") next.searchParams.append(key, value);
  next.searchParams.set("cursor", opaque);
  next.searchParams.set("limit", String(limit));
  return { page, paging: { next_link: next.href } };
}
