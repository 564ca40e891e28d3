export type { Fetch, HttpClient, HttpClientOptions, HttpRequest, HttpResponse } from "./client.ts";
export { createHttpClient, maybeSent } from "./client.ts";
