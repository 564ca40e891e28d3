import { isSnapchatError, type Secret, SnapchatError } from "../errors.ts";
import { adsFailure, answerFailure, itemFailure } from "../http/ads-failure.ts";
import { createHttpClient, type Fetch, type HttpClient, type HttpResponse } from "../http/index.ts";
import { type Endpoints, SNAPCHAT_ENDPOINTS } from "../wire/endpoints.ts";
import { LIMITS } from "../wire/limits.ts";
import {
  MEMBER_SCHEMAS,
  type MemberKind,
  type NewSegment,
  readSegment,
  type Segment,
  segmentProblem,
} from "./segment.ts";

export interface AudiencesClientOptions {
  /** The HTTP client to use; by default one is made for the Marketing API host alone. */
  http?: HttpClient;
  /** Other hosts than Snapchat's: a simulator, a relay. */
  endpoints?: Partial<Endpoints>;
  /** The host's own `fetch`. */
  fetch?: Fetch;
}

/** Given last to every call. */
export interface AudiencesCall {
  /** An OAuth access token; a Conversions API token does not work here. */
  token: Secret;
  signal?: AbortSignal | undefined;
  /** Deadline of one request. Milliseconds. Default 15,000. */
  timeoutMs?: number | undefined;
}

/** What Snapchat took: identifiers accepted in this request, not people matched. */
export interface MembersAccepted {
  /** Identifiers that were sent. */
  asked: number;
  /** Identifiers that Snapchat says it took (`number_uploaded_users`). */
  accepted: number;
  requestId?: string | undefined;
}

/**
 * Client of Snapchat's customer lists: segments and their members (Ads-API/customer-lists).
 *
 * Every call is one request without retries; the body of every answer is read, since failures also come inside a 200.
 *
 * @example
 * ```ts
 * import { AudiencesClient } from "snapchat-destination/audiences";
 * import { hash } from "snapchat-destination/identity";
 * import { Secret } from "snapchat-destination";
 *
 * export async function addVip(adAccountId: string, accessToken: string) {
 *   const client = new AudiencesClient();
 *   const call = { token: new Secret(accessToken) };
 *   const segment = await client.segments.create(adAccountId, { name: "VIP" }, call);
 *   return client.members.add(segment.id, "email", [hash("em", "jane@example.com") ?? ""], call);
 * }
 * ```
 */
export class AudiencesClient {
  readonly #origin: string;
  readonly #http: HttpClient;

  constructor(options: AudiencesClientOptions = {}) {
    this.#origin = new URL(options.endpoints?.adsApi ?? SNAPCHAT_ENDPOINTS.adsApi).origin;
    this.#http = options.http ?? createHttpClient({ origins: [this.#origin], fetch: options.fetch });
  }

  readonly segments = {
    /** All customer lists of an ad account, page by page. */
    list: (adAccountId: string, call: AudiencesCall): AsyncIterable<Segment> => this.#list(adAccountId, call),

    /** @throws {SnapchatError} `entity_not_found` where it was deleted */
    get: async (segmentId: string, call: AudiencesCall): Promise<Segment> => {
      const label = "GET /segments/{id}";
      return segmentOf(await this.#request("GET", `/segments/${part(segmentId)}`, label, undefined, call), label);
    },

    /** Not idempotent at Snapchat: after a timeout look for your marker in the descriptions before trying again. */
    create: async (adAccountId: string, segment: NewSegment, call: AudiencesCall): Promise<Segment> => {
      const problem = segmentProblem(segment);
      if (problem) throw problem;
      const label = "POST /adaccounts/{id}/segments";
      const body = {
        segments: [
          {
            name: segment.name,
            ...(segment.description === undefined ? {} : { description: segment.description }),
            source_type: "FIRST_PARTY",
            retention_in_days: segment.retentionInDays || LIFETIME_DAYS,
            ad_account_id: adAccountId,
          },
        ],
      };
      return segmentOf(
        await this.#request("POST", `/adaccounts/${part(adAccountId)}/segments`, label, body, call),
        label,
      );
    },

    /** Removes every member and keeps the segment. */
    empty: async (segmentId: string, call: AudiencesCall): Promise<void> => {
      const label = "DELETE /segments/{id}/all_users";
      checked(await this.#request("DELETE", `/segments/${part(segmentId)}/all_users`, label, undefined, call), label);
    },

    delete: async (segmentId: string, call: AudiencesCall): Promise<void> => {
      const label = "DELETE /segments/{id}";
      checked(await this.#request("DELETE", `/segments/${part(segmentId)}`, label, undefined, call), label);
    },
  };

  readonly members = {
    /** Adds identifiers of one kind. Adding one again renews its retention. At most 100,000. */
    add: (
      segmentId: string,
      kind: MemberKind,
      hashes: readonly string[],
      call: AudiencesCall,
    ): Promise<MembersAccepted> => this.#members("POST", segmentId, kind, hashes, call),

    /** Removes identifiers of one kind; absent ones are no error. At most 100,000. */
    remove: (
      segmentId: string,
      kind: MemberKind,
      hashes: readonly string[],
      call: AudiencesCall,
    ): Promise<MembersAccepted> => this.#members("DELETE", segmentId, kind, hashes, call),
  };

  async #members(
    method: "POST" | "DELETE",
    segmentId: string,
    kind: MemberKind,
    hashes: readonly string[],
    call: AudiencesCall,
  ): Promise<MembersAccepted> {
    if (hashes.length === 0) return { asked: 0, accepted: 0 };
    if (hashes.length > LIMITS.identifiersPerRequest) throw tooMany(hashes.length);
    const label = `${method} /segments/{id}/users`;
    const body = { users: [{ schema: [MEMBER_SCHEMAS[kind]], data: hashes.map((hash) => [hash]) }] };
    const response = await this.#request(method, `/segments/${part(segmentId)}/users`, label, body, call);
    const [user] = checked(response, label, "users", "user");
    const accepted = Number(
      (user as { number_uploaded_users?: unknown } | undefined)?.number_uploaded_users ?? hashes.length,
    );
    return { asked: hashes.length, accepted, requestId: response.requestId };
  }

  async *#list(adAccountId: string, call: AudiencesCall): AsyncGenerator<Segment> {
    const label = "GET /adaccounts/{id}/segments";
    let path: string | undefined = `/adaccounts/${part(adAccountId)}/segments?limit=1000`;
    while (path !== undefined) {
      const response: HttpResponse = await this.#request("GET", path, label, undefined, call);
      for (const segment of checked(response, label, "segments", "segment")) yield readSegment(segment);
      path = this.#nextPath(response, label);
    }
  }

  /** `next_link` is followed as it is, on the pinned host only: the token goes along. */
  #nextPath(response: HttpResponse, label: string): string | undefined {
    const link = (response.json as { paging?: { next_link?: unknown } } | undefined)?.paging?.next_link;
    if (typeof link !== "string" || link === "") return undefined;
    const url = URL.canParse(link) ? new URL(link) : undefined;
    if (url?.origin === this.#origin && url.pathname.startsWith("/v1/")) return `${url.pathname.slice(3)}${url.search}`;
    throw answerFailure(response, label, { message: "The next page is on a foreign host." });
  }

  async #request(
    method: "GET" | "POST" | "DELETE",
    path: string,
    label: string,
    body: unknown,
    call: AudiencesCall,
  ): Promise<HttpResponse> {
    const response = await this.#http.request({
      method,
      url: `${this.#origin}/v1${path}`,
      headers: {
        authorization: `Bearer ${call.token.reveal()}`,
        accept: "application/json",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      label,
      timeoutMs: call.timeoutMs,
      signal: call.signal,
    });
    if (response.status < 200 || response.status > 299) throw adsFailure(response, label);
    return response;
  }
}

const LIFETIME_DAYS = 9_999;
const part = encodeURIComponent;

function segmentOf(response: HttpResponse, label: string): Segment {
  const [segment] = checked(response, label, "segments", "segment");
  if (segment === undefined) throw answerFailure(response, label, { message: "The answer holds no segment." });
  return readSegment(segment);
}

/** The entities of an answer; a failure inside a success is thrown as the failure it is. */
function checked(response: HttpResponse, label: string, plural = "segments", singular = "segment"): unknown[] {
  const json = response.json as Record<string, unknown> | undefined;
  const wrappers = Array.isArray(json?.[plural]) ? (json[plural] as Record<string, unknown>[]) : [];
  for (const wrapper of wrappers) {
    if (String(wrapper.sub_request_status ?? "SUCCESS").toUpperCase() === "SUCCESS") continue;
    throw subFailure(response, label, itemFailure(wrapper.sub_request_error_reason));
  }
  if (String(json?.request_status).toUpperCase() !== "SUCCESS") {
    throw answerFailure(response, label, { message: "The answer does not say that it succeeded." });
  }
  return wrappers.map((wrapper) => wrapper[singular]);
}

/** Snapchat's codes inside a 200: E3003 and E3004 are a missing entity, E3002 a missing role, E2… a value it refuses. */
function subFailure(response: HttpResponse, label: string, failure: { code?: string; message: string }): SnapchatError {
  const { code = "" } = failure;
  const status =
    code === "E3002" ? 403 : code === "E3003" || code === "E3004" ? 404 : /^E[12]/.test(code) ? 400 : undefined;
  if (status === undefined) return answerFailure(response, label, failure);
  return adsFailure({ ...response, status, json: { error_code: code, debug_message: failure.message } }, label);
}

function tooMany(count: number): SnapchatError {
  return new SnapchatError({
    code: "too_many_identifiers",
    kind: "fix_data",
    message: `One request takes ${LIMITS.identifiersPerRequest} identifiers, not ${count}.`,
    fix: "Send them in pages.",
    details: { count },
  });
}

/** Whether a failure says that the segment is not there any more: deleted in Ads Manager, or out of reach. */
export function isSegmentGone(error: unknown): boolean {
  return isSnapchatError(error) && error.code === "entity_not_found";
}
