import { type Clock, systemClock } from "../clock.ts";
import { isSnapchatError, type Secret, SnapchatError } from "../errors.ts";
import { adsFailure, answerFailure, type ItemFailure, itemFailure } from "../http/ads-failure.ts";
import { createHttpClient, type Fetch, type HttpClient, type HttpResponse } from "../http/index.ts";
import type { Endpoints } from "../wire/endpoints.ts";
import type { AdAccount, Me, MobileApp, Organization, Pixel } from "./accounts-entities.ts";
import { type AccountTree, readTree, type TreeOptions } from "./accounts-tree.ts";
import { resolveEndpoints } from "./endpoints.ts";

/** What an {@link AccountsClient} is made with; everything has a default. */
export interface AccountsClientOptions {
  endpoints?: Partial<Endpoints> | undefined;
  http?: HttpClient | undefined;
  fetch?: Fetch | undefined;
  /** Repeats after 429, 5xx and network faults. Default: 2, from half a second on, with jitter. */
  retry?: { retries?: number; minTimeoutMs?: number } | undefined;
  clock?: Clock | undefined;
}

/** What every call takes: the token, and how long it may last. */
export interface AccountsCall {
  token: Secret;
  signal?: AbortSignal;
  timeoutMs?: number;
  /** Entities on a page, 50 to 1,000. Default 1,000. */
  pageSize?: number;
  /** Runs before every request: a slot of the rate limits. */
  beforeRequest?: () => Promise<void>;
}

/** One page of a list. */
export interface AccountsPage<T> {
  items: readonly T[];
  /** Entities that Snapchat did not give, in an answer that otherwise succeeded. */
  failures: readonly ItemFailure[];
  requestId: string | undefined;
}

/**
 * A list that is read as it is walked. `for await` gives the entities and throws `answer_incomplete` after a page that
 * held failures; `.pages()` gives both and throws for neither.
 */
export interface AccountsList<T> extends AsyncIterable<T> {
  /** A page at a time, with the entities that Snapchat did not give. */
  pages(): AsyncIterable<AccountsPage<T>>;
}

/**
 * Account discovery of the Marketing API: who signed in, and which organizations, ad accounts, pixels and apps they reach.
 *
 * All calls throw {@link SnapchatError}: `access_token_refused` (reauthorize), `access_forbidden`, `entity_not_found`
 * (fix_configuration), `rate_limited` (capacity), `snapchat_unavailable`, `network_error`, `request_timeout` (retry),
 * `next_link_foreign` (fix_configuration).
 *
 * @example
 * ```ts
 * import { AccountsClient } from "snapchat-destination/auth";
 * import type { Secret } from "snapchat-destination";
 *
 * export async function pixelNames(token: Secret, organizationId: string) {
 *   const names: string[] = [];
 *   for await (const pixel of new AccountsClient().pixels({ organizationId }, { token })) names.push(pixel.name);
 *   return names;
 * }
 * ```
 */
export class AccountsClient {
  readonly #origin: string;
  readonly #http: HttpClient;
  readonly #retries: number;
  readonly #minTimeoutMs: number;
  readonly #clock: Clock;

  constructor(options: AccountsClientOptions = {}) {
    this.#origin = new URL(resolveEndpoints(options.endpoints).adsApi).origin;
    this.#http = options.http ?? createHttpClient({ origins: [this.#origin], fetch: options.fetch });
    this.#retries = options.retry?.retries ?? 2;
    this.#minTimeoutMs = options.retry?.minTimeoutMs ?? 500;
    this.#clock = options.clock ?? systemClock;
  }

  /** The person who signed in. Also the cheapest question whether a token works. */
  async me(call: AccountsCall): Promise<Me> {
    const response = await this.#get(`${this.#origin}/v1/me`, "GET /me", call);
    const me = (response.json as { me?: Me } | undefined)?.me;
    if (typeof me?.id === "string") return me;
    throw answerFailure(response, "GET /me", { message: "The answer names nobody." });
  }

  /** Organizations of the person, each with the ad accounts that they reach and their roles in them. */
  organizations(call: AccountsCall): AccountsList<Organization> {
    const query = "?with_ad_accounts=true";
    return this.#list("organizations", "organization", `/me/organizations${query}`, "GET /me/organizations", call);
  }

  /** Ad accounts of an organization. */
  adAccounts(of: { organizationId: string }, call: AccountsCall): AccountsList<AdAccount> {
    const path = `/organizations/${encodeURIComponent(of.organizationId)}/adaccounts${limit(call)}`;
    return this.#list("adaccounts", "adaccount", path, "GET /organizations/{id}/adaccounts", call);
  }

  /** Pixels of an organization or of one ad account. */
  pixels(of: { organizationId: string } | { adAccountId: string }, call: AccountsCall): AccountsList<Pixel> {
    if ("adAccountId" in of) {
      const path = `/adaccounts/${encodeURIComponent(of.adAccountId)}/pixels`;
      return this.#list("pixels", "pixel", path, "GET /adaccounts/{id}/pixels", call);
    }
    const path = `/organizations/${encodeURIComponent(of.organizationId)}/pixels${limit(call)}`;
    return this.#list("pixels", "pixel", path, "GET /organizations/{id}/pixels", call);
  }

  /** Snap App IDs of an organization: what app events are sent to. */
  mobileApps(of: { organizationId: string }, call: AccountsCall): AccountsList<MobileApp> {
    const path = `/organizations/${encodeURIComponent(of.organizationId)}/mobile_apps${limit(call)}`;
    return this.#list("mobile_apps", "mobile_app", path, "GET /organizations/{id}/mobile_apps", call);
  }

  /** Everything for the three dropdowns, with what may not be chosen and why, in a marketer's words. */
  tree(call: AccountsCall & TreeOptions): Promise<AccountTree> {
    return readTree(this, call, this.#clock);
  }

  #list<T>(plural: string, singular: string, path: string, label: string, call: AccountsCall): AccountsList<T> {
    const pages = () => this.#pages<T>(plural, singular, `${this.#origin}/v1${path}`, label, call);
    return {
      pages: () => pageIterable(pages, ({ page }) => page),
      async *[Symbol.asyncIterator]() {
        for await (const { page, response } of pages()) {
          yield* page.items;
          const [failure] = page.failures;
          if (failure) throw answerFailure(response, label, failure);
        }
      },
    };
  }

  async *#pages<T>(plural: string, singular: string, first: string, label: string, call: AccountsCall) {
    const seen = new Set<string>();
    for (let url: string | undefined = first; url !== undefined; ) {
      seen.add(url);
      const response: HttpResponse = await this.#get(url, label, call);
      const page = readPage<T>(response, plural, singular, label);
      yield { page, response };
      url = nextLink(response.json);
      if (url === undefined) return;
      // The token goes along: an old example of Snapchat's own documentation pointed to another host.
      if (!URL.canParse(url) || new URL(url).origin !== this.#origin) throw foreignLink(url, label);
      if (seen.has(url))
        throw answerFailure(response, label, { message: "The next page is one that was read before." });
    }
  }

  async #get(url: string, label: string, call: AccountsCall): Promise<HttpResponse> {
    const attempt = async (): Promise<HttpResponse> => {
      if (call.beforeRequest) await call.beforeRequest().catch(giveUp);
      const response = await this.#http.request({
        method: "GET",
        url,
        headers: { authorization: `Bearer ${call.token.reveal()}`, accept: "application/json" },
        label,
        timeoutMs: call.timeoutMs,
        signal: call.signal,
      });
      if (response.status < 200 || response.status > 299) throw adsFailure(response, label);
      return response;
    };
    const { default: pRetry, AbortError } = await import("p-retry");
    const giveUp = (error: Error): never => {
      throw new AbortError(error);
    };
    return pRetry(attempt, {
      retries: this.#retries,
      minTimeout: this.#minTimeoutMs,
      maxTimeout: 5_000,
      randomize: true,
      shouldRetry: ({ error }) => isTransient(error) && call.signal?.aborted !== true,
      onFailedAttempt: ({ error, retryDelay, retriesLeft }) => {
        const asked = retriesLeft > 0 && isTransient(error) ? Math.min(error.retryAfterMs ?? 0, 10_000) : 0;
        return asked > retryDelay ? this.#clock.sleep(asked - retryDelay, call.signal) : undefined;
      },
      ...(call.signal ? { signal: call.signal } : {}),
    });
  }
}

function isTransient(error: unknown): error is SnapchatError {
  if (!isSnapchatError(error) || error.code === "aborted") return false;
  return error.kind === "retry" || error.kind === "capacity";
}

async function* pageIterable<A, B>(source: () => AsyncIterable<A>, map: (item: A) => B): AsyncGenerator<B> {
  for await (const item of source()) yield map(item);
}

function limit(call: AccountsCall): string {
  return `?limit=${Math.min(1_000, Math.max(50, Math.trunc(call.pageSize ?? 1_000)))}`;
}

function readPage<T>(response: HttpResponse, plural: string, singular: string, label: string): AccountsPage<T> {
  const json = response.json as Record<string, unknown> | undefined;
  const wrappers = json?.[plural];
  const items: T[] = [];
  const failures: ItemFailure[] = [];
  if (!Array.isArray(wrappers)) {
    // An empty list may lack its key; anything else without it is no list.
    if (String(json?.request_status).toUpperCase() === "SUCCESS") {
      return { items, failures, requestId: response.requestId };
    }
    throw answerFailure(response, label, itemFailure(json?.debug_message, response));
  }
  for (const wrapper of wrappers as Record<string, unknown>[]) {
    const entity = wrapper?.[singular] as { id?: unknown } | undefined;
    const failed = String(wrapper?.sub_request_status ?? "SUCCESS").toUpperCase() !== "SUCCESS";
    if (failed || typeof entity?.id !== "string")
      failures.push(itemFailure(wrapper?.sub_request_error_reason, response));
    else items.push(entity as T);
  }
  return { items, failures, requestId: response.requestId };
}

function nextLink(json: unknown): string | undefined {
  const link = (json as { paging?: { next_link?: unknown } } | undefined)?.paging?.next_link;
  return typeof link === "string" && link !== "" ? link : undefined;
}

function foreignLink(url: string, label: string): SnapchatError {
  return new SnapchatError({
    code: "next_link_foreign",
    kind: "fix_configuration",
    message: `The next page of ${label} is on another host; the access token does not go there.`,
    fix: "Check what stands between this host and Snapchat; if Snapchat moved, update the package.",
    details: { label, origin: URL.canParse(url) ? new URL(url).origin : "unreadable" },
  });
}
