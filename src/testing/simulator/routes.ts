import type { Area } from "./ledger.ts";

/** Snapchat's hosts, as our client is told of them. Each value is an origin. */
export interface SimulatorEndpoints {
  accounts: string;
  adsApi: string;
  conversions: string;
  pixelScript: string;
}

export type HostName = keyof SimulatorEndpoints;

const PIXEL_PATH = /^\/(?:tr-shadow\/)?(?:p|hm|r|config\/.*|cm\/.*|collector\/.*)$/;

/** Which area a path belongs to, and which of Snapchat's hosts answers it. */
export function placeOf(path: string): { area: Area; host: HostName | undefined } {
  if (path.startsWith("/v3/")) return { area: "conversions", host: "conversions" };
  if (path.startsWith("/v1/")) return { area: "ads", host: "adsApi" };
  if (path.startsWith("/__simulator")) return { area: "control", host: undefined };
  if (path === "/scevent.min.js") return { area: "pixel", host: "pixelScript" };
  if (path.startsWith("/login/") || path.startsWith("/accounts/")) return { area: "accounts", host: "accounts" };
  if (PIXEL_PATH.test(path)) return { area: "pixel", host: "conversions" };
  return { area: "conversions", host: undefined };
}
