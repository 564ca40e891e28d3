import type { Clock } from "../clock.ts";
import type { Fetch, HttpClient } from "../http/index.ts";
import type { Endpoints } from "../wire/endpoints.ts";
import type { CallOptions } from "./call.ts";
import type { PrepareOptions } from "./options.ts";
import type { EventOutcome, RequestRecord } from "./outcome.ts";
import type { RequestPlan, Token } from "./transport.ts";

/** An event made ready earlier: its JSON text, as `prepareEvent` wrote it. */
export interface PreparedText {
  json: string;
  eventId?: string | undefined;
}

/** What a `ConversionsClient` is made with; everything has a default. */
export interface ConversionsClientOptions {
  /** The HTTP client to use; by default one is made for the Conversions host alone. */
  http?: HttpClient;
  /** Other hosts than Snapchat's: a simulator, a relay. */
  endpoints?: Partial<Endpoints>;
  /** The host's own `fetch`. */
  fetch?: Fetch;
  /** Deadline of one request. Milliseconds. Default 15,000. */
  timeoutMs?: number;
  /** Settings for the events given to `send` and `validate`. */
  prepare?: Omit<PrepareOptions, "nowMs">;
  /** Events in one request. Default and most 2,000. */
  eventsPerRequest?: number;
  /** Bytes of one request. Default 4 MiB. */
  bytesPerRequest?: number;
  /** Requests that may be spent on finding the bad events of one batch. Default 100. */
  isolationRequests?: number;
  /** Sent as `User-Agent`. */
  userAgent?: string;
  clock?: Clock;
  /** Between 0 and 1; for the jitter of retries. */
  random?: () => number;
}

export interface SendOptions extends CallOptions {
  /**
   * The token; or several, in order: a long-lived Conversions token first, an OAuth token after it. The next is used
   * where the one before is refused.
   */
  token: Token | readonly Token[];
  /** Marks the whole request as a test: logged, not counted. */
  testEventCode?: string | undefined;
  /** Awaited before every request, extra ones and retries included. Where it throws, the request does not leave. */
  beforeRequest?: ((plan: RequestPlan) => Promise<void>) | undefined;
}

export interface SendPreparedOptions extends SendOptions {
  /** Asks Snapchat to judge and not to count. */
  validateOnly?: boolean | undefined;
}

/** What became of the events of one `send`. */
export interface SendResult {
  /** One per event, in order. */
  outcomes: EventOutcome[];
  /** Requests that left. */
  requests: number;
}

/** What became of prepared events, with the requests that left. */
export interface SendPreparedResult {
  outcomes: EventOutcome[];
  requests: RequestRecord[];
}
