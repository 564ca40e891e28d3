import type { Span } from "@opentelemetry/api";

type Api = typeof import("@opentelemetry/api");

// `createContextKey` of @opentelemetry/api is `Symbol.for`, so the SDK's own key can be named here without the SDK.
const SUPPRESS_TRACING = Symbol.for("OpenTelemetry SDK Context Key SUPPRESS_TRACING");
/** `SpanKind.CLIENT` and `SpanStatusCode.ERROR`, which need no load of the API to be known. */
const CLIENT = 2;
const ERROR = 2;

let loading: Promise<Api | undefined> | undefined;

/** The optional peer `@opentelemetry/api`, loaded once; `undefined` where the host has none. */
export function openTelemetry(): Promise<Api | undefined> {
  loading ??= import("@opentelemetry/api").catch(() => undefined);
  return loading;
}

export interface TracedRequest {
  /** The span's name, without ids: `"POST /v3/{asset}/events"`. */
  label: string;
  method: string;
  host: string;
  /**
   * The host's automatic tracing is off meanwhile: instrumentation of `fetch` records the URL, and the URL of a
   * Conversions API call holds the token.
   */
  untraced: boolean;
}

/** Runs one request under a span of ours, where the host has OpenTelemetry; the span holds no URL and no id. */
export async function traced<T extends { status: number }>(request: TracedRequest, task: () => Promise<T>): Promise<T> {
  const api = await openTelemetry();
  if (!api) return task();
  const { label, method, host, untraced } = request;
  const span = api.trace.getTracer("snapchat-destination").startSpan(label, {
    kind: CLIENT,
    attributes: { "http.request.method": method, "server.address": host },
  });
  const own = api.trace.setSpan(api.context.active(), span);
  try {
    const response = await api.context.with(untraced ? own.setValue(SUPPRESS_TRACING, true) : own, task);
    span.setAttribute("http.response.status_code", response.status);
    if (response.status >= 400) failed(span, String(response.status));
    return response;
  } catch (error) {
    failed(span, String((error as { code?: unknown }).code ?? "unknown"));
    throw error;
  } finally {
    span.end();
  }
}

function failed(span: Span, type: string): void {
  span.setAttribute("error.type", type);
  span.setStatus({ code: ERROR });
}
