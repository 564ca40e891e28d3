import { isSnapchatError } from "../../errors.ts";
import { createHttpClient, type Fetch, type HttpResponse } from "../../http/index.ts";
import type { Endpoints } from "../../wire/endpoints.ts";

/** What a person gives the doctor. */
export interface Patient {
  endpoints: Endpoints;
  /** Of a signed-in person; lives an hour. */
  accessToken?: string | undefined;
  conversionsToken?: string | undefined;
  pixelId?: string | undefined;
  mobileAppId?: string | undefined;
  adAccountId?: string | undefined;
  organizationId?: string | undefined;
}

/** Asks Snapchat: read-only and validate-only. `undefined`: what the question needs was not given, or no answer came. */
export interface Ask {
  ads(path: string, token?: string): Promise<HttpResponse | undefined>;
  conversions(
    path: string,
    o?: { token?: string; bearer?: boolean; assetId?: string; body?: string | Uint8Array<ArrayBuffer>; gzip?: boolean },
  ): Promise<HttpResponse | undefined>;
  /** Origins from which no answer came, and why not the first time. */
  readonly unreached: ReadonlyMap<string, string>;
}

export function createAsk(patient: Patient, fetch: Fetch | undefined): Ask {
  const { endpoints } = patient;
  const http = createHttpClient({ origins: Object.values(endpoints), fetch, timeoutMs: 30_000 });

  const unreached = new Map<string, string>();

  async function request(...[it]: Parameters<typeof http.request>): Promise<HttpResponse | undefined> {
    try {
      return await http.request(it);
    } catch (error) {
      // A question without an answer is left out of what is observed.
      const { origin } = new URL(it.url);
      if (!unreached.has(origin)) unreached.set(origin, reasonOf(error));
      return undefined;
    }
  }

  return {
    unreached,
    async ads(path, token = patient.accessToken) {
      if (token === undefined) return undefined;
      const url = `${endpoints.adsApi}/v1${path}`;
      return request({ method: "GET", url, headers: { authorization: `Bearer ${token}` }, label: `GET ${path}` });
    },
    async conversions(path, { token, bearer, assetId = patient.pixelId, body, gzip } = {}) {
      const used = token ?? patient.conversionsToken;
      if (used === undefined || assetId === undefined) return undefined;
      const url = new URL(`${endpoints.conversions}/v3/${encodeURIComponent(assetId)}/events${path}`);
      if (!bearer) url.searchParams.set("access_token", used);
      const method = body === undefined ? "GET" : "POST";
      return request({
        method,
        url,
        headers: {
          ...(bearer ? { authorization: `Bearer ${used}` } : {}),
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...(gzip ? { "content-encoding": "gzip" } : {}),
        },
        ...(body === undefined ? {} : { body }),
        untraced: true,
        label: `${method} /v3/{asset}/events${path}`,
      });
    },
  };
}

function reasonOf(error: unknown): string {
  if (!isSnapchatError(error)) return "unknown";
  return error.code === "network_error" ? String(error.details.reason) : error.code;
}
