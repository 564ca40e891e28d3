// `createContextKey` of @opentelemetry/api is `Symbol.for`, so the SDK's own key can be named here without the SDK.
const SUPPRESS_TRACING = Symbol.for("OpenTelemetry SDK Context Key SUPPRESS_TRACING");

type ContextApi = typeof import("@opentelemetry/api").context;
let contextApi: Promise<ContextApi | undefined> | undefined;

/**
 * Runs `task` with the host's automatic tracing off: instrumentation of `fetch` would record the URL, and the URL of a
 * Conversions API call holds the token. Without the optional peer `@opentelemetry/api` there is nothing to suppress.
 */
export async function withoutTracing<T>(task: () => Promise<T>): Promise<T> {
  contextApi ??= import("@opentelemetry/api").then(
    (api) => api.context,
    () => undefined,
  );
  const context = await contextApi;
  return context ? context.with(context.active().setValue(SUPPRESS_TRACING, true), task) : task();
}
