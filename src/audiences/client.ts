import { type Clock, systemClock } from "../clock.ts";
import { createHttpClient, type Fetch, type HttpClient } from "../http/index.ts";
import { identityReady } from "../identity/index.ts";
import { type Endpoints, SNAPCHAT_ENDPOINTS } from "../wire/endpoints.ts";
import { entitiesOf, isSegmentGone } from "./answer.ts";
import { type AudiencesCall, type Pending, start } from "./call.ts";
import { createSegment } from "./create-segment.ts";
import { listSegments, type SegmentList } from "./list-segments.ts";
import { acceptedOf, checkedHashes, type MemberKind, type MembersAccepted, membersBody } from "./members.ts";
import {
  customerListBody,
  lookalikeBody,
  markerOf,
  type NewLookalike,
  type NewSegment,
  type SegmentChange,
} from "./new-segment.ts";
import { type MemberPagesOptions, memberPagesAsync } from "./pages.ts";
import { readSegment, type Segment } from "./segment.ts";
import { type Channel, request, withRetries } from "./transport.ts";
import { type SegmentUpdated, updateSegment } from "./update-segment.ts";

/** What an {@link AudiencesClient} is made with; everything has a default. */
export interface AudiencesClientOptions {
  /** The HTTP client to use; by default one is made for the Marketing API host alone. */
  http?: HttpClient | undefined;
  /** Other hosts than Snapchat's: a simulator, a relay. */
  endpoints?: Partial<Endpoints> | undefined;
  /** The host's own `fetch`. */
  fetch?: Fetch | undefined;
  /**
   * Tries after the first, where nothing is known to be wrong. Default 2. With 0 every call but `update` and lists is one
   * request: for whoever gives slots and repeats by himself.
   */
  maxRetries?: number | undefined;
  clock?: Clock | undefined;
  /** Between 0 and 1; for the jitter of retries. */
  random?: (() => number) | undefined;
}

/** Totals of {@link AudiencesClient.members}`.addAll` and `removeAll`. */
export interface MembersSummary {
  /** Values read. */
  read: number;
  /** Digests sent; repetitions on one page are left out. */
  sent: number;
  /** Digests Snapchat says it took. */
  accepted: number;
  /** Values left out, by reason. */
  omitted: Readonly<Record<string, number>>;
  requests: number;
}

export interface MembersAllCall extends AudiencesCall, MemberPagesOptions {
  /** Told after every request. */
  onPage?: ((soFar: MembersSummary) => void) | undefined;
}

/**
 * Client of Snapchat's audiences: segments, lookalikes and the members of customer lists (Ads-API/customer-lists). Stands
 * alone; limits are checked before a request is made, and the body of every answer is read, since failures also come
 * inside a 200.
 *
 * Calls throw `SnapchatError`: `access_token_refused` (reauthorize), `access_forbidden`, `entity_not_found`,
 * `request_refused` (fix_configuration), `rate_limited` (capacity), `snapchat_unavailable`, `answer_incomplete`,
 * `network_error`, `request_timeout` (retry), and what each names besides.
 *
 * @example
 * ```ts
 * import { Secret } from "snapchat-destination";
 * import { AudiencesClient, segmentMarker } from "snapchat-destination/audiences";
 *
 * export async function addVip(adAccountId: string, accessToken: string, addresses: AsyncIterable<string>) {
 *   const audiences = new AudiencesClient();
 *   const token = new Secret(accessToken);
 *   const marker = segmentMarker("vip", "7f3a");
 *   const segment = await audiences.segments.create(adAccountId, { name: "VIP", marker }, { token });
 *   return audiences.members.addAll(segment.id, "email", addresses, { token });
 * }
 * ```
 */
export class AudiencesClient {
  readonly #channel: Channel;

  constructor(options: AudiencesClientOptions = {}) {
    const origin = new URL(options.endpoints?.adsApi ?? SNAPCHAT_ENDPOINTS.adsApi).origin;
    this.#channel = {
      origin,
      http: options.http ?? createHttpClient({ origins: [origin], fetch: options.fetch }),
      clock: options.clock ?? systemClock,
      random: options.random ?? Math.random,
      maxRetries: options.maxRetries ?? 2,
    };
  }

  readonly segments = {
    /** All segments of an ad account, read page by page as they are walked; `.pages()` gives the pages. */
    list: (adAccountId: string, call: AudiencesCall): SegmentList => listSegments(this.#channel, adAccountId, call),

    /** @throws {SnapchatError} `entity_not_found` where it was deleted. */
    get: (segmentId: string, call: AudiencesCall): Pending<Segment> =>
      start(async (seen) => {
        const label = "GET /segments/{id}";
        const path = `/segments/${encodeURIComponent(segmentId)}`;
        const [segment] = await withRetries(this.#channel, call, async () =>
          entitiesOf(await request(this.#channel, call, seen, { method: "GET", path, label }), label),
        );
        return readSegment(segment);
      }),

    /**
     * Makes a customer list. Snapchat would make a second one of the same name without a word, so a creation whose answer
     * was lost is not repeated, unless its `marker` can tell that it was not made.
     *
     * @throws {SnapchatError} `segment_name_invalid`, `segment_retention_invalid`, `segment_marker_invalid` (fix_data)
     * before anything is sent; `segment_limit_reached`, `segment_name_taken` (fix_configuration) where Snapchat refuses
     * and the account's list says why.
     */
    create: (adAccountId: string, segment: NewSegment, call: AudiencesCall): Pending<Segment> =>
      start(async (seen) =>
        createSegment(
          this.#channel,
          adAccountId,
          customerListBody(adAccountId, segment),
          markerOf(segment),
          call,
          seen,
        ),
      ),

    /**
     * Makes a lookalike of a segment. It grows as its seed does.
     *
     * @throws {SnapchatError} as `create`, and `lookalike_seed_invalid`, `lookalike_countries_invalid`,
     * `lookalike_type_invalid` (fix_data).
     */
    createLookalike: (adAccountId: string, lookalike: NewLookalike, call: AudiencesCall): Pending<Segment> =>
      start(async (seen) =>
        createSegment(
          this.#channel,
          adAccountId,
          lookalikeBody(adAccountId, lookalike),
          markerOf(lookalike),
          call,
          seen,
        ),
      ),

    /**
     * Reads the segment, changes it and writes the whole of it back, as Snapchat asks. Its answer is compared with what was
     * asked: some fields are fixed once a segment exists.
     */
    update: (segmentId: string, change: SegmentChange, call: AudiencesCall): Pending<SegmentUpdated> =>
      start((seen) => updateSegment(this.#channel, segmentId, change, call, seen)),

    /** Removes every member and keeps the segment. */
    empty: (segmentId: string, call: AudiencesCall): Pending<void> =>
      start(async (seen) => {
        const label = "DELETE /segments/{id}/all_users";
        const path = `/segments/${encodeURIComponent(segmentId)}/all_users`;
        await withRetries(this.#channel, call, async () =>
          entitiesOf(await request(this.#channel, call, seen, { method: "DELETE", path, label }), label),
        );
      }),

    /** Deletes the segment, for campaigns too. */
    delete: (segmentId: string, call: AudiencesCall): Pending<void> =>
      start(async (seen) => {
        const label = "DELETE /segments/{id}";
        const path = `/segments/${encodeURIComponent(segmentId)}`;
        await withRetries(this.#channel, call, async (before) => {
          try {
            entitiesOf(await request(this.#channel, call, seen, { method: "DELETE", path, label }), label);
          } catch (error) {
            // The answer to the try before may have been lost.
            if (before === 0 || !isSegmentGone(error)) throw error;
          }
        });
      }),
  };

  readonly members = {
    /**
     * Adds identifiers of one kind, as digests; adding one again renews its retention. At most 100,000.
     *
     * @throws {SnapchatError} `identifiers_not_hashed`, `too_many_identifiers`, `member_kind_invalid` (fix_data) before
     * anything is sent.
     */
    add: (
      segmentId: string,
      kind: MemberKind,
      hashes: readonly string[],
      call: AudiencesCall,
    ): Pending<MembersAccepted> => this.#members("POST", segmentId, kind, hashes, call),

    /** Removes identifiers of one kind, as digests; absent ones are no error. At most 100,000. Throws as `add`. */
    remove: (
      segmentId: string,
      kind: MemberKind,
      hashes: readonly string[],
      call: AudiencesCall,
    ): Pending<MembersAccepted> => this.#members("DELETE", segmentId, kind, hashes, call),

    /**
     * Normalises, hashes and adds identifiers of one kind, however many, a page at a time and one page after the other.
     * What cannot be used is left out and counted.
     */
    addAll: (
      segmentId: string,
      kind: MemberKind,
      values: Iterable<unknown> | AsyncIterable<unknown>,
      call: MembersAllCall,
    ): Promise<MembersSummary> => this.#all("POST", segmentId, kind, values, call),

    /** As `addAll`, for removing. */
    removeAll: (
      segmentId: string,
      kind: MemberKind,
      values: Iterable<unknown> | AsyncIterable<unknown>,
      call: MembersAllCall,
    ): Promise<MembersSummary> => this.#all("DELETE", segmentId, kind, values, call),
  };

  #members(
    method: "POST" | "DELETE",
    segmentId: string,
    kind: MemberKind,
    hashes: readonly string[],
    call: AudiencesCall,
  ): Pending<MembersAccepted> {
    return start(async (seen) => {
      const different = checkedHashes(kind, hashes);
      const sent = different.length;
      if (sent === 0) return { asked: 0, sent: 0, accepted: 0, matched: undefined };
      const label = `${method} /segments/{id}/users`;
      const path = `/segments/${encodeURIComponent(segmentId)}/users`;
      const body = membersBody(kind, different);
      return withRetries(this.#channel, call, async () => {
        const response = await request(this.#channel, call, seen, { method, path, label, body });
        const [user] = entitiesOf(response, label, "users", "user");
        const { requestId } = response;
        return { asked: hashes.length, sent, accepted: acceptedOf(user, sent), matched: undefined, requestId };
      });
    });
  }

  async #all(
    method: "POST" | "DELETE",
    segmentId: string,
    kind: MemberKind,
    values: Iterable<unknown> | AsyncIterable<unknown>,
    call: MembersAllCall,
  ): Promise<MembersSummary> {
    await identityReady();
    const omitted: Record<string, number> = {};
    const summary = { read: 0, sent: 0, accepted: 0, omitted, requests: 0 };
    for await (const page of memberPagesAsync(kind, values, call)) {
      summary.read += page.read;
      for (const [reason, count] of Object.entries(page.omitted)) omitted[reason] = (omitted[reason] ?? 0) + count;
      if (page.hashes.length > 0) {
        const { sent, accepted } = await this.#members(method, segmentId, kind, page.hashes, call);
        summary.sent += sent;
        summary.accepted += accepted;
        summary.requests++;
      }
      call.onPage?.({ ...summary, omitted: { ...omitted } });
    }
    return summary;
  }
}
