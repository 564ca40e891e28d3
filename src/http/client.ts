import { SnapchatError } from "../errors.ts";
import { isFailure, toHttpFailure } from "./failure.ts";
import { traced } from "./tracing.ts";
import { withoutSent } from "./without-sent.ts";

/** The shape of `fetch`; a host may bring its own (proxy, mutual TLS, recording). */
export type Fetch = (input: Request) => Promise<Response>;

export interface HttpClientOptions {
  /** Origins that may be called. A request to any other is refused before it is made. */
  origins: readonly string[];
  /** The host's own `fetch`. Default: the runtime's. */
  fetch?: Fetch | undefined;
  /** Deadline of one request, from before it is written to after its body is read. Milliseconds. Default 15,000. */
  timeoutMs?: number;
  /** Sent as `User-Agent`. */
  userAgent?: string;
  /** Hears of every request that ended, for metrics. Must not throw. */
  onAnswer?: ((answer: HttpAnswer) => void) | undefined;
}

/** One request that ended. */
export interface HttpAnswer {
  /** The request without ids: `"POST /v3/{asset}/events"`. */
  label: string;
  /** `undefined`: no answer came. */
  status: number | undefined;
  durationMs: number;
}

export interface HttpRequest {
  method: "GET" | "POST" | "PUT" | "DELETE";
  /** Absolute. Its origin must be among the client's. */
  url: string | URL;
  headers?: Readonly<Record<string, string>>;
  body?: string | Uint8Array<ArrayBuffer>;
  timeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
  /** Runs with the host's automatic tracing suppressed: the URL holds a token. */
  untraced?: boolean;
  /** Named in errors instead of the URL: `"POST /v3/{asset}/events"`. */
  label: string;
}

export interface HttpResponse {
  status: number;
  headers: Headers;
  /** The whole body, read. */
  text: string;
  /** The parsed body, or `undefined` where it is not JSON. */
  json: unknown;
  /** Snapchat's `X-Request-Id`, where it sent one. */
  requestId: string | undefined;
  /** From the call to the end of the body. Milliseconds. */
  durationMs: number;
  /**
   * A text of the answer without what the request held: the token, a form's fields, the values of events, each by its
   * field's name. Nothing of an answer goes into an error, a receipt or a log but through this.
   */
  withoutSent(text: string): string;
}

export interface HttpClient {
  /**
   * One request, no retries, every status an answer.
   *
   * @throws {SnapchatError} `origin_not_allowed` (fix_configuration) before anything is sent; `network_error` or
   * `request_timeout` (retry) with `details.sent`: `"no"` where the request cannot have reached Snapchat, else `"maybe"`;
   * `aborted` (retry) where the caller's signal ended it.
   */
  request(request: HttpRequest): Promise<HttpResponse>;
}

const DEFAULT_TIMEOUT_MS = 15_000;

/** One HTTP client over ky for everything that leaves for Snapchat. ky is loaded at the first request. */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const origins = new Set(options.origins.map((origin) => new URL(origin).origin));

  async function request(request: HttpRequest): Promise<HttpResponse> {
    const url = new URL(request.url);
    if (!origins.has(url.origin)) throw originNotAllowed(url.origin, request.label);
    const { label, method, untraced = false } = request;
    const started = performance.now();
    try {
      const response = await traced({ label, method, host: url.hostname, untraced }, () => send(url, request));
      options.onAnswer?.({ label, status: response.status, durationMs: response.durationMs });
      return response;
    } catch (error) {
      options.onAnswer?.({ label, status: undefined, durationMs: performance.now() - started });
      throw error;
    }
  }

  async function send(url: URL, request: HttpRequest): Promise<HttpResponse> {
    const { default: ky } = await import("ky");
    const { label } = request;
    if (request.signal?.aborted) throw toHttpFailure(undefined, { label, timedOut: false, aborted: true });
    const started = performance.now();
    const end = endOf(request, request.timeoutMs ?? options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    async function exchange(): Promise<HttpResponse> {
      const response = await ky(url, {
        method: request.method,
        headers: { ...(options.userAgent ? { "user-agent": options.userAgent } : {}), ...request.headers },
        ...(request.body === undefined ? {} : { body: request.body }),
        retry: 0,
        timeout: false,
        throwHttpErrors: false,
        redirect: "manual",
        signal: end.signal,
        ...(options.fetch ? { fetch: (input: unknown) => options.fetch?.(input as Request) as Promise<Response> } : {}),
      });
      const text = await response.text();
      return {
        status: response.status,
        headers: response.headers,
        text,
        json: parseJson(text),
        requestId: response.headers.get("x-request-id") ?? undefined,
        durationMs: performance.now() - started,
        withoutSent: withoutSent(request),
      };
    }
    try {
      return await Promise.race([exchange(), end.reached]);
    } catch (error) {
      throw toHttpFailure(error, { label, timedOut: end.signal.aborted, aborted: request.signal?.aborted });
    } finally {
      end.release();
    }
  }

  return { request };
}

interface End {
  /** Tells `fetch` to give up. */
  signal: AbortSignal;
  /** Rejects when the time is over or the caller's signal says so. */
  reached: Promise<never>;
  release(): void;
}

/**
 * The end of a request, held by a timer and the caller's signal alone. `AbortSignal.timeout` does not reach a `fetch` that
 * ignores its signal, nor one whose request the engine has collected meanwhile: a request never ended then.
 */
function endOf({ signal: caller }: HttpRequest, timeoutMs: number): End {
  const ending = new AbortController();
  const { promise: reached, reject } = Promise.withResolvers<never>();
  const end = () => {
    ending.abort();
    reject(ending.signal.reason);
  };
  const timer = setTimeout(end, timeoutMs);
  caller?.addEventListener("abort", end, { once: true });
  return {
    signal: ending.signal,
    reached,
    release() {
      clearTimeout(timer);
      caller?.removeEventListener("abort", end);
    },
  };
}

/** Whether a failed request may have reached Snapchat. Anything that is not a network failure of ours counts as maybe. */
export function maybeSent(error: unknown): boolean {
  return !(isFailure(error) && error.details.sent === "no");
}

function parseJson(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function originNotAllowed(origin: string, label: string): SnapchatError {
  return new SnapchatError({
    code: "origin_not_allowed",
    kind: "fix_configuration",
    message: `${label} would go to ${origin}, which is not an endpoint of this client.`,
    fix: "Name the origin in `allowEndpoints` if it is yours; otherwise correct the address.",
    details: { origin, sent: "no" },
  });
}
