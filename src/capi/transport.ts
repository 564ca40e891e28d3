import type { Clock } from "../clock.ts";
import { isSnapchatError, Secret } from "../errors.ts";
import { type HttpClient, type HttpRequest, type HttpResponse, maybeSent } from "../http/index.ts";
import { readAnswer, type Verdict } from "./answer.ts";
import type { CallOptions } from "./call.ts";
import type { RequestRecord } from "./outcome.ts";
import { readRateLimit } from "./rate-limit.ts";
import { safeWords } from "./words.ts";

/** A token of either kind; a `Secret` does not show itself when printed. */
export type Token = Secret | string;

/** What a plug for slots is told about the request it lets pass. */
export interface RequestPlan {
  purpose: RequestRecord["purpose"];
  items: number;
  /** True where only a bad event, a retry or a refused token made the request necessary. */
  extra: boolean;
}

export interface Channel {
  http: HttpClient;
  origin: string;
  assetId: string;
  /** In order: the next is used where the one before is refused. */
  tokens: readonly Token[];
  clock: Clock;
  random: () => number;
  options: CallOptions;
  beforeRequest: ((plan: RequestPlan) => Promise<void>) | undefined;
  seen: (response: HttpResponse) => void;
  records: RequestRecord[];
  /** Index of the token in use. */
  credential: number;
}

export interface Exchange {
  method: "GET" | "POST";
  path: "events" | "events/validate" | "events/validate/logs" | "events/validate/stats";
  purpose: RequestRecord["purpose"];
  body?: string;
  items: number;
  extra: boolean;
}

export type Exchanged = { verdict: Verdict; response: HttpResponse | undefined };

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8_000;

/** One request with its retries and, where a token is refused, the next one. Never throws for what the network does. */
export async function exchange(channel: Channel, request: Exchange): Promise<Exchanged> {
  const maxRetries = channel.options.maxRetries ?? 0;
  let unknown = false;
  let retries = 0;
  let { extra } = request;
  for (;;) {
    const exchanged = await once(channel, { ...request, extra });
    const { verdict } = exchanged;
    const refused = verdict.kind === "unauthorized" || verdict.kind === "forbidden";
    extra = true;
    if (refused && channel.credential < channel.tokens.length - 1) {
      channel.credential++;
      continue;
    }
    if (verdict.kind !== "retry") return exchanged;
    unknown ||= !verdict.known;
    const wait = waitMs(retries, verdict.retryAfterMs, channel.random);
    if (
      retries >= maxRetries ||
      wait > LONGEST_WAIT_MS ||
      channel.options.signal?.aborted ||
      NEVER_AGAIN.has(verdict.code)
    ) {
      return { ...exchanged, verdict: { ...verdict, known: !unknown } };
    }
    retries++;
    await channel.clock.sleep(wait, channel.options.signal);
  }
}

/** Failures of this call itself: another try would meet them again. */
const NEVER_AGAIN = new Set(["aborted", "slot_refused", "origin_not_allowed"]);

/** Full jitter: anywhere between nothing and the doubled wait; never less than Snapchat asks for. */
function waitMs(retries: number, retryAfterMs: number | undefined, random: () => number): number {
  return (retryAfterMs ?? 0) + random() * Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** retries);
}

async function once(channel: Channel, request: Exchange): Promise<Exchanged> {
  const { options, records } = channel;
  if (options.signal?.aborted)
    return { verdict: failure("aborted", "The caller ended the call.", true), response: undefined };
  try {
    const { purpose, items, extra } = request;
    await channel.beforeRequest?.({ purpose, items, extra });
  } catch (error) {
    return { verdict: slotRefused(error), response: undefined };
  }
  const record: RequestRecord = {
    status: undefined,
    durationMs: 0,
    items: request.items,
    purpose: request.purpose,
    extra: request.extra,
    credential: channel.credential,
  };
  records.push(record);
  const started = channel.clock.monotonic();
  try {
    const response = await channel.http.request(httpRequest(channel, request));
    channel.seen(response);
    const nowMs = channel.clock.now();
    record.status = response.status;
    record.durationMs = response.durationMs;
    if (response.requestId !== undefined) record.requestId = response.requestId;
    const rateLimit = readRateLimit(response.headers, nowMs);
    if (rateLimit !== undefined) record.rateLimit = rateLimit;
    return { verdict: readAnswer(response, channel.assetId, nowMs), response };
  } catch (error) {
    record.durationMs = channel.clock.monotonic() - started;
    const code = isSnapchatError(error) ? error.code : "network_error";
    const message = isSnapchatError(error) ? error.message : "The request failed.";
    return { verdict: failure(code, message, !maybeSent(error)), response: undefined };
  }
}

function httpRequest(channel: Channel, request: Exchange): HttpRequest {
  const token = channel.tokens[channel.credential] ?? "";
  const text = token instanceof Secret ? token.reveal() : token;
  const url = new URL(`/v3/${encodeURIComponent(channel.assetId)}/${request.path}`, channel.origin);
  url.searchParams.set("access_token", text);
  return {
    method: request.method,
    url,
    headers: {
      ...channel.options.headers,
      ...(request.body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(request.body === undefined ? {} : { body: request.body }),
    timeoutMs: channel.options.timeoutMs,
    signal: channel.options.signal,
    // The URL holds the token: automatic tracing would write it down.
    untraced: true,
    label: `${request.method} /v3/{asset}/${request.path}`,
  };
}

function slotRefused(error: unknown): Verdict {
  const wait = isSnapchatError(error) && error.retryAfterMs !== undefined ? { retryAfterMs: error.retryAfterMs } : {};
  const message = isSnapchatError(error) ? error.message : "The plug before the request refused it.";
  return { ...failure("slot_refused", message, true), ...wait };
}

function failure(code: string, message: string, known: boolean): Verdict & { kind: "retry" } {
  return { kind: "retry", known, code, message: safeWords(message) };
}
