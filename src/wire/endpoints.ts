/** Snapchat's hosts. A vault's token goes to these and nowhere else, unless the host names others in `allowEndpoints`. */
export interface Endpoints {
  /** Sign-in pages and the token endpoint. */
  accounts: string;
  /** Marketing (Ads) API. */
  adsApi: string;
  /** Conversions API. */
  conversions: string;
  /** The pixel script. */
  pixelScript: string;
}

/** The documented hosts: Ads-API/authentication, Ads-API/quick-start and Conversions-API/UsingTheAPI. */
export const SNAPCHAT_ENDPOINTS: Readonly<Endpoints> = {
  accounts: "https://accounts.snapchat.com",
  adsApi: "https://adsapi.snapchat.com",
  conversions: "https://tr.snapchat.com",
  pixelScript: "https://sc-static.net",
};

/** Paths below `accounts`. */
export const OAUTH_PATHS = {
  authorize: "/login/oauth2/authorize",
  token: "/login/oauth2/access_token",
} as const;

/** OAuth scopes. Both are asked for by default: one connection then does audiences and events. */
export const OAUTH_SCOPES = {
  marketing: "snapchat-marketing-api",
  conversions: "snapchat-offline-conversions-api",
} as const;
