export type { Fetch, HttpAnswer, HttpClient, HttpClientOptions, HttpRequest, HttpResponse } from "./client.ts";
export { createHttpClient, maybeSent } from "./client.ts";
export { openTelemetry } from "./tracing.ts";
