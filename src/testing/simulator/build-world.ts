import type { Random } from "./random.ts";
import type {
  AdAccount,
  App,
  Asset,
  Builder,
  ConversionsToken,
  Organization,
  OrganizationInput,
  Person,
  World,
  WorldIndex,
  WorldOptions,
} from "./world.ts";

const DEFAULT_REDIRECT_URIS = [
  "https://cdp.example/snapchat/callback",
  "http://127.0.0.1:3000/snapchat/callback",
  "http://localhost:3000/snapchat/callback",
];

const DEFAULT_ORGANIZATIONS: readonly OrganizationInput[] = [
  {
    name: "Northwind Retail",
    country: "GB",
    adAccounts: [
      { name: "Northwind UK", currency: "GBP", timezone: "Europe/London", pixels: ["Northwind shop"] },
      { name: "Northwind DE", currency: "EUR", timezone: "Europe/Berlin", pixels: ["Northwind DE shop"] },
      { name: "Northwind Spring", status: "PAUSED", currency: "GBP", timezone: "Europe/London" },
      { name: "Northwind Closed", status: "DISABLED", currency: "GBP", timezone: "Europe/London" },
      { name: "Northwind Trial", test: true, currency: "GBP", timezone: "Europe/London" },
    ],
    mobileApps: ["Northwind app"],
    roles: { ada: ["admin", "member"], ben: ["member"] },
    adAccountRoles: {
      "Northwind UK": { ben: ["audience"] },
      "Northwind DE": { ben: ["reports"] },
    },
  },
  {
    name: "Contoso Travel",
    country: "US",
    adAccounts: [{ name: "Contoso US", currency: "USD", timezone: "America/New_York", pixels: ["Contoso site"] }],
    roles: { ben: ["admin", "member"] },
  },
  {
    name: "Fabrikam Agency",
    country: "FR",
    adAccounts: [{ name: "Fabrikam FR", currency: "EUR", timezone: "Europe/Paris", pixels: ["Fabrikam landing"] }],
    roles: { ada: ["member"], ben: ["admin"] },
    adAccountRoles: { "Fabrikam FR": { ada: ["reports"] } },
  },
  { name: "Tailspin Empty", country: "US", conversionsTokens: 0, roles: { ada: ["admin"] } },
];

/** Builds the world, and the builder that can go on adding to it. */
export function createWorld(
  options: WorldOptions,
  random: Random,
  now: () => number,
): { world: World; build: Builder; index: WorldIndex } {
  const index: WorldIndex = {
    organizations: new Map(),
    adAccounts: new Map(),
    assets: new Map(),
    conversionsTokens: new Map(),
  };
  const world = {
    apps: [] as App[],
    people: [] as Person[],
    organizations: [] as Organization[],
    adAccounts: [] as AdAccount[],
    pixels: [] as Asset[],
    mobileApps: [] as Asset[],
    conversionsTokens: [] as ConversionsToken[],
  } as World;
  // The default world is older than the hour in which Snapchat may refuse a new token.
  const longAgo = now() - 400 * 86_400_000;
  let createdAt = () => longAgo;

  const build: Builder = {
    addApp(input = {}) {
      const app: App = {
        name: input.name ?? "Example CDP",
        clientId: input.clientId ?? random.uuid(),
        clientSecret: input.clientSecret ?? random.text(24),
        redirectUris: new Set(input.redirectUris ?? DEFAULT_REDIRECT_URIS),
      };
      world.apps.push(app);
      return app;
    },
    addPerson(name) {
      const displayName = name.charAt(0).toUpperCase() + name.slice(1);
      const person: Person = {
        id: random.uuid(),
        name,
        email: `${name}@people.example`,
        displayName,
        organizationRoles: new Map(),
        adAccountRoles: new Map(),
      };
      world.people.push(person);
      return person;
    },
    addOrganization(input) {
      const { name, country = "GB", termsAccepted = true } = input;
      const organization: Organization = { id: random.uuid(), name, country, termsAccepted, createdAt: createdAt() };
      world.organizations.push(organization);
      index.organizations.set(organization.id, organization);
      for (const [personName, roles] of Object.entries(input.roles ?? {})) {
        personNamed(personName).organizationRoles.set(organization.id, [...roles]);
      }
      for (const { pixels = [], ...accountInput } of input.adAccounts ?? []) {
        const account = build.addAdAccount(organization.id, accountInput);
        for (const pixel of pixels) build.addPixel(account.id, pixel);
        for (const [personName, roles] of Object.entries(input.adAccountRoles?.[account.name] ?? {})) {
          personNamed(personName).adAccountRoles.set(account.id, [...roles]);
        }
      }
      for (const mobileApp of input.mobileApps ?? []) build.addMobileApp(organization.id, mobileApp);
      for (let i = 0; i < (input.conversionsTokens ?? 1); i++) build.addConversionsToken(organization.id);
      return organization;
    },
    addAdAccount(organizationId, input) {
      const account: AdAccount = {
        status: "ACTIVE",
        currency: "GBP",
        timezone: "Europe/London",
        test: false,
        createdAt: createdAt(),
        ...input,
        id: input.id ?? random.uuid(),
        organizationId,
      };
      world.adAccounts.push(account);
      index.adAccounts.set(account.id, account);
      return account;
    },
    addPixel(adAccountId, name) {
      const organizationId = found(index.adAccounts, adAccountId, "ad account").organizationId;
      const pixel: Asset = {
        id: random.uuid(),
        kind: "web",
        organizationId,
        adAccountId,
        name,
        status: "ACTIVE",
        createdAt: createdAt(),
      };
      world.pixels.push(pixel);
      index.assets.set(pixel.id, pixel);
      return pixel;
    },
    addMobileApp(organizationId, name) {
      found(index.organizations, organizationId, "organization");
      const app: Asset = {
        id: random.uuid(),
        kind: "app",
        organizationId,
        name,
        status: "ACTIVE",
        createdAt: createdAt(),
      };
      world.mobileApps.push(app);
      index.assets.set(app.id, app);
      return app;
    },
    addConversionsToken(organizationId) {
      found(index.organizations, organizationId, "organization");
      const token: ConversionsToken = {
        id: `conversions-${world.conversionsTokens.length + 1}`,
        token: longLivedToken(random),
        organizationId,
        createdAt: createdAt(),
        revoked: false,
      };
      world.conversionsTokens.push(token);
      index.conversionsTokens.set(token.token, token);
      return token;
    },
  };

  function personNamed(name: string): Person {
    return world.people.find((person) => person.name === name) ?? build.addPerson(name);
  }

  for (const app of options.apps ?? [{}]) build.addApp(app);
  for (const name of options.people ?? ["ada", "ben"]) build.addPerson(name);
  for (const organization of options.organizations ?? DEFAULT_ORGANIZATIONS) build.addOrganization(organization);

  const [app] = world.apps;
  if (app) {
    world.clientId = app.clientId;
    world.clientSecret = app.clientSecret;
    world.redirectUris = app.redirectUris;
  }
  world.main = mainOf(world);
  // What is added from here on is as young as it looks.
  createdAt = now;
  return { world, build, index };
}

function mainOf(world: World): World["main"] {
  const pixel = world.pixels[0];
  const adAccount = world.adAccounts.find((account) => account.id === pixel?.adAccountId);
  const organization = world.organizations.find((candidate) => candidate.id === pixel?.organizationId);
  const token = world.conversionsTokens.find((candidate) => candidate.organizationId === organization?.id);
  return {
    person: world.people.find((p) => p.organizationRoles.has(organization?.id ?? "")) ?? world.people[0],
    organization,
    adAccount,
    pixel,
    mobileApp: world.mobileApps.find((candidate) => candidate.organizationId === organization?.id),
    conversionsToken: token?.token ?? "",
  } as World["main"];
}

function found<T>(map: ReadonlyMap<string, T>, id: string, what: string): T {
  const item = map.get(id);
  if (!item) throw new Error(`The simulator has no ${what} with the id ${id}.`);
  return item;
}

/** The look of a real long-lived token: a signed JWT. Nothing may be read from it. */
function longLivedToken(random: Random): string {
  const header = Buffer.from('{"alg":"HS256","kid":"Canvas"}').toString("base64url");
  return `${header}.${random.text(120)}.${random.text(43)}`;
}
