export const SCOPE_MARKETING = "snapchat-marketing-api";
export const SCOPE_CONVERSIONS = "snapchat-offline-conversions-api";

/** An OAuth app registered in a Business Manager. */
export interface App {
  name: string;
  clientId: string;
  clientSecret: string;
  /** Must match to the letter. `add` more at any time. */
  redirectUris: Set<string>;
}

/** Somebody who can sign in. Roles decide what their tokens may do. */
export interface Person {
  id: string;
  /** The word to sign in with, and the `person` of `consent`. */
  name: string;
  email: string;
  displayName: string;
  /** Roles by organization id: `admin`, `business_admin`, `data_admin`, `member`. */
  organizationRoles: Map<string, string[]>;
  /** Roles by ad account id: `admin`, `general`, `creative`, `reports`, `audience`. */
  adAccountRoles: Map<string, string[]>;
}

/** An organization of Business Manager. */
export interface Organization {
  id: string;
  name: string;
  country: string;
  createdAt: number;
  /** Whether somebody accepted the Customer List terms. */
  termsAccepted: boolean;
}

/** An ad account. */
export interface AdAccount {
  id: string;
  organizationId: string;
  name: string;
  status: "ACTIVE" | "PAUSED" | "DISABLED";
  currency: string;
  timezone: string;
  /** A test account: lists work, ads never serve. */
  test: boolean;
  createdAt: number;
}

/** A pixel (`web`) or a Snap App ID (`app`): what a Conversions API request is about. */
export interface Asset {
  id: string;
  kind: "web" | "app";
  organizationId: string;
  /** Pixels belong to one ad account, apps to the organization. */
  adAccountId?: string;
  name: string;
  status: "ACTIVE" | "PAUSED";
  createdAt: number;
}

/** A long-lived Conversions API token: reaches the assets of its organization only. */
export interface ConversionsToken {
  id: string;
  token: string;
  organizationId: string;
  createdAt: number;
  revoked: boolean;
}

/** Everything that exists at Snapchat before anybody connects. Holds secrets: for tests, never for logs. */
export interface World {
  /** The first app's id. */
  clientId: string;
  clientSecret: string;
  /** The first app's redirect URIs; `redirectUris.add(…)` yours. */
  redirectUris: Set<string>;
  apps: App[];
  people: Person[];
  organizations: Organization[];
  adAccounts: AdAccount[];
  pixels: Asset[];
  mobileApps: Asset[];
  conversionsTokens: ConversionsToken[];
  /** One of each that fit together: the person may manage the account, the token owns the pixel and the app. */
  main: {
    person: Person;
    organization: Organization;
    adAccount: AdAccount;
    pixel: Asset;
    mobileApp: Asset;
    conversionsToken: string;
  };
}

/** One organization of a world of your own, with what it owns. */
export interface OrganizationInput {
  name: string;
  country?: string;
  termsAccepted?: boolean;
  adAccounts?: (Partial<Omit<AdAccount, "organizationId">> & { name: string; pixels?: string[] })[];
  mobileApps?: string[];
  /** How many long-lived tokens. Default 1. */
  conversionsTokens?: number;
  /** Roles by person name. */
  roles?: Record<string, string[]>;
  /** Roles by account name, then person name. */
  adAccountRoles?: Record<string, Record<string, string[]>>;
}

/** An OAuth app; what is absent is made up. */
export interface AppInput {
  name?: string;
  clientId?: string;
  clientSecret?: string;
  redirectUris?: string[];
}

/** What can be added to a world, each with sensible values for what is not said. */
export interface Builder {
  /** An OAuth app. */
  addApp(input?: AppInput): App;
  /** A person who can sign in. */
  addPerson(name: string): Person;
  /** An organization, with the roles people have in it. */
  addOrganization(input: OrganizationInput): Organization;
  /** An ad account of an organization. */
  addAdAccount(organizationId: string, input: Partial<AdAccount> & { name: string }): AdAccount;
  /** A pixel of an ad account. */
  addPixel(adAccountId: string, name: string): Asset;
  /** A Snap App ID of an organization. */
  addMobileApp(organizationId: string, name: string): Asset;
  /** A long-lived Conversions API token of an organization. */
  addConversionsToken(organizationId: string): ConversionsToken;
}

export interface WorldOptions {
  apps?: AppInput[];
  people?: string[];
  organizations?: OrganizationInput[];
}

/** The same world by id, for look-ups on the way of a request. */
export interface WorldIndex {
  organizations: Map<string, Organization>;
  adAccounts: Map<string, AdAccount>;
  /** Pixels and mobile apps. */
  assets: Map<string, Asset>;
  /** By the token's text. */
  conversionsTokens: Map<string, ConversionsToken>;
}
