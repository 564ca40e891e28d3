import type { Secret } from "../errors.ts";
import type { HttpResponse } from "../http/index.ts";

/** Given last to every call. */
export interface AudiencesCall {
  /** An OAuth access token; a Conversions API token does not work here. */
  token: Secret;
  /** Ends the call; what was on its way may have been taken. */
  signal?: AbortSignal | undefined;
  /** Deadline of one request. Milliseconds. Default 15,000. */
  timeoutMs?: number | undefined;
  /** Tries after the first, where nothing is known to be wrong. Default: the client's. */
  maxRetries?: number | undefined;
  /**
   * Whether a refused creation is explained by the account's own list, which takes a request more. Default: unless
   * `maxRetries` is 0.
   */
  explainRefusal?: boolean | undefined;
  /** Sent besides ours. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** Awaited before every request, retries and pages included: a slot of the rate limits. If it throws, the request does not leave. */
  beforeRequest?: (() => Promise<void>) | undefined;
}

/** The head of one answer: what a host may want beside the data. */
export interface ResponseHead {
  status: number;
  headers: Headers;
  /** Snapchat's `X-Request-Id`. */
  requestId: string | undefined;
  durationMs: number;
}

/** A promise of data that can also give the answers it came from. */
export interface Pending<T> extends Promise<T> {
  /** The data, the last answer where one came, and all of them in order. */
  withResponse(): Promise<{ data: T; response: ResponseHead | undefined; responses: readonly ResponseHead[] }>;
}

/** Reports an answer that was seen. */
export type Seen = (response: HttpResponse) => void;

/** Starts `task` and gives its promise `withResponse()`. */
export function start<T>(task: (seen: Seen) => Promise<T>): Pending<T> {
  const responses: ResponseHead[] = [];
  const promise = task(({ status, headers, requestId, durationMs }) => {
    responses.push({ status, headers, requestId, durationMs });
  });
  return Object.assign(promise, {
    withResponse: async () => ({ data: await promise, response: responses.at(-1), responses }),
  });
}
