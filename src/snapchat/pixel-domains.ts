import type { Secret } from "../errors.ts";
import type { HttpClient } from "../http/index.ts";

/** Where a pixel's events came from in the last seven days, as Snapchat counts them. */
export interface PixelDomain {
  domain: string;
  events: number;
}

/**
 * `GET /pixels/{id}/domains/stats` of the Marketing API, most events first.
 *
 * @returns `undefined` where Snapchat does not answer with it: the login may not read it, or the page is gone.
 */
export async function pixelDomains(
  http: HttpClient,
  adsApi: string,
  pixelId: string,
  token: Secret,
): Promise<PixelDomain[] | undefined> {
  const response = await http.request({
    method: "GET",
    url: `${adsApi}/v1/pixels/${encodeURIComponent(pixelId)}/domains/stats`,
    headers: { authorization: `Bearer ${token.reveal()}` },
    label: "GET /pixels/{id}/domains/stats",
  });
  if (response.status !== 200) return undefined;
  const series = list(field(response.json, "timeseries_stats"));
  const domains = series.flatMap((item) => list(field(field(item, "timeseries_stat"), "domains")));
  return domains
    .flatMap((item) => {
      const domain = field(item, "domain_name");
      const events = Number(field(item, "total_events"));
      return typeof domain === "string" && Number.isFinite(events) ? [{ domain, events }] : [];
    })
    .sort((a, b) => b.events - a.events);
}

const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
