import type { Clock } from "../clock.ts";
import { isSnapchatError } from "../errors.ts";
import type { HttpClient, HttpResponse } from "../http/index.ts";
import type { AudiencesCall, Seen } from "./call.ts";

/** How requests leave. */
export interface Channel {
  http: HttpClient;
  origin: string;
  clock: Clock;
  random: () => number;
  maxRetries: number;
}

export interface AdsRequest {
  method: "GET" | "POST" | "PUT" | "DELETE";
  /** Below `/v1`. */
  path: string;
  /** For errors: `"POST /segments/{id}/users"`. */
  label: string;
  /** JSON text. */
  body?: string | undefined;
}

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;

/** One request, no retries. Every status is an answer. */
export async function request(
  channel: Channel,
  call: AudiencesCall,
  seen: Seen,
  it: AdsRequest,
): Promise<HttpResponse> {
  await call.beforeRequest?.();
  const response = await channel.http.request({
    method: it.method,
    url: `${channel.origin}/v1${it.path}`,
    headers: {
      ...call.headers,
      authorization: `Bearer ${call.token.reveal()}`,
      accept: "application/json",
      ...(it.body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(it.body === undefined ? {} : { body: it.body }),
    label: it.label,
    timeoutMs: call.timeoutMs,
    signal: call.signal,
  });
  seen(response);
  return response;
}

/**
 * Runs `task` again after failures that may pass, with full jitter, or as long as Snapchat asked for.
 *
 * @param task Told how many tries went before.
 */
export async function withRetries<T>(
  channel: Channel,
  call: AudiencesCall,
  task: (before: number) => Promise<T>,
  mayRepeat: (error: unknown) => boolean = mayPass,
): Promise<T> {
  const most = call.maxRetries ?? channel.maxRetries;
  for (let before = 0; ; before++) {
    try {
      return await task(before);
    } catch (error) {
      if (before >= most || call.signal?.aborted || !mayRepeat(error)) throw error;
      const asked = isSnapchatError(error) ? error.retryAfterMs : undefined;
      const pause = Math.min(FIRST_PAUSE_MS * 2 ** before, LONGEST_PAUSE_MS) * channel.random();
      await channel.clock.sleep(asked ?? pause, call.signal);
      if (call.signal?.aborted) throw error;
    }
  }
}

/** Whether the same request may succeed later without anybody doing anything. */
export function mayPass(error: unknown): boolean {
  return (
    isSnapchatError(error) && (error.kind === "retry" || error.code === "rate_limited") && error.code !== "aborted"
  );
}
