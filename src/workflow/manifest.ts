import { OAUTH_SCOPES } from "../wire/endpoints.ts";

/** One step of a help text, in a marketer's words. */
export interface HelpStep {
  title: string;
  steps: readonly string[];
  /** Who may do it. */
  role?: string;
  link?: string;
}

/** What a platform needs to list the destination in its catalogue. */
export interface Manifest {
  name: string;
  slug: string;
  category: string;
  description: string;
  /** What it can do: a platform's filter words. */
  capabilities: readonly ("conversions" | "audiences" | "pixel")[];
  /** OAuth scopes that are asked for. */
  scopes: readonly string[];
  /** A destination's settings as JSON Schema. */
  settings: Readonly<Record<string, unknown>>;
  /** The workflow as JSON Schema, where it was asked for. */
  workflow?: Readonly<Record<string, unknown>>;
  help: readonly HelpStep[];
  links: Readonly<Record<string, string>>;
}

/** What a host sets itself. */
export interface ManifestOptions {
  /** The host's own name for it. Default `Snapchat Ads`. */
  name?: string;
  /** Default `Advertising`. */
  category?: string;
  /** The settings schema of this package or the host's wider one. */
  settings?: Readonly<Record<string, unknown>>;
  workflow?: Readonly<Record<string, unknown>>;
  /** The host's pages: documentation, privacy, support. */
  links?: Readonly<Record<string, string>>;
  /** Deep links to the person's own things in Ads Manager. */
  organizationId?: string;
  adAccountId?: string;
}

/**
 * The destination as an entry of a platform's catalogue: name, category, settings, scopes, help in steps, links.
 *
 * @example
 * ```ts
 * import { manifest } from "snapchat-destination/workflow";
 *
 * const entry = manifest({ links: { documentation: "https://cdp.example/docs/snapchat" } });
 * ```
 */
export function manifest(options: ManifestOptions = {}): Manifest {
  const { organizationId, adAccountId } = options;
  const business = "https://business.snapchat.com";
  const ads = "https://ads.snapchat.com";
  return {
    name: options.name ?? "Snapchat Ads",
    slug: "snapchat-ads",
    category: options.category ?? "Advertising",
    description:
      "Sends conversions from server and browser, counted once, and keeps customer lists in step with segments.",
    capabilities: ["conversions", "audiences", "pixel"],
    scopes: Object.values(OAUTH_SCOPES),
    settings: options.settings ?? { type: "object", properties: {} },
    ...(options.workflow ? { workflow: options.workflow } : {}),
    help: helpSteps(business, ads),
    links: {
      businessManager: organizationId ? `${business}/${encodeURIComponent(organizationId)}` : business,
      adsManager: adAccountId ? `${ads}/${encodeURIComponent(adAccountId)}` : ads,
      conversionsApi: "https://developers.snap.com/api/marketing-api/Conversions-API/Introduction",
      ...options.links,
    },
  };
}

function helpSteps(business: string, ads: string): readonly HelpStep[] {
  return [
    {
      title: "What you need",
      steps: [
        "A Snapchat Business Manager with an active ad account.",
        "A Snap Pixel of that ad account.",
        "A Conversions API token (below), or the login with Snapchat alone.",
      ],
      link: business,
    },
    {
      title: "Connect",
      role: "Organisation admin; or member who is account admin or data manager of the ad account",
      steps: [
        "Press “Authenticate Snapchat” and sign in on Snapchat's own page.",
        "Allow access; you come back by yourself.",
        "Choose the business, then the ad account, then the pixel, and save.",
      ],
    },
    {
      title: "Generate the Conversions API token",
      role: "Organisation admin",
      steps: [
        "Open Ads Manager and choose your business.",
        "Open “Business Details” and go to “Conversions API Tokens”.",
        "Generate a token and copy it. It works for pixels and apps of this business only.",
        "Paste it into the destination's settings and save. A new token may be refused for up to an hour.",
        "Switch “Send data via server-side” on.",
      ],
      link: business,
    },
    {
      title: "Choose the events",
      steps: [
        "Open the event list: each event has a server-side and a client-side toggle.",
        "Switch on what you want; with both on, Snapchat counts the event once.",
        "Switch added_to_segment on to keep your segments in step; removals come with it.",
      ],
    },
    {
      title: "Check that it works",
      steps: [
        "Open Ads Manager, Assets, Events Manager, and choose your pixel.",
        "New events show after some minutes, at times after an hour.",
        "Customer lists stand under Assets, Audiences; matching takes up to two days.",
      ],
      link: ads,
    },
  ];
}
