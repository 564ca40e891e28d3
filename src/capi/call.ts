import type { HttpResponse } from "../http/index.ts";

/** The head of one answer: what a host may want beside the data. */
export interface ResponseHead {
  status: number;
  headers: Headers;
  /** Snapchat's `X-Request-Id`. */
  requestId: string | undefined;
  durationMs: number;
}

/** Data and the answers it came from. */
export interface WithResponse<T> {
  data: T;
  /** The last answer, where one came. */
  response: ResponseHead | undefined;
  /** All answers, in order. */
  responses: readonly ResponseHead[];
}

/** A promise of data that can also give the answers it came from. */
export interface Call<T> extends Promise<T> {
  /** The data with status, headers and request id of the answers. */
  withResponse(): Promise<WithResponse<T>>;
}

/** Options every call takes, last. */
export interface CallOptions {
  /** Ends the call; what was on its way may have been taken. */
  signal?: AbortSignal | undefined;
  /** Deadline of one request. Milliseconds. */
  timeoutMs?: number | undefined;
  /** Tries after the first, with full jitter. */
  maxRetries?: number | undefined;
  /** Sent besides ours. */
  headers?: Readonly<Record<string, string>> | undefined;
}

/** Starts `task` and gives its promise `withResponse()`; `task` reports every answer it saw. */
export function startCall<T>(task: (seen: (response: HttpResponse) => void) => Promise<T>): Call<T> {
  const responses: ResponseHead[] = [];
  const promise = task(({ status, headers, requestId, durationMs }) => {
    responses.push({ status, headers, requestId, durationMs });
  });
  return Object.assign(promise, {
    withResponse: async () => ({ data: await promise, response: responses.at(-1), responses }),
  });
}
