import { randomBytes } from "node:crypto";
import {
  createSnapchat,
  presets,
  type Snapchat,
  type SnapchatOptions,
  setToggle,
  type Tenant,
} from "snapchat-destination";
import { memory } from "snapchat-destination/memory";
import { createSimulator, type Simulator, type SimulatorOptions } from "snapchat-destination/testing";

/** A shop that is connected to the simulator: what most tests of the composition begin with. */
export interface Shop {
  simulator: Simulator;
  snapchat: Snapchat;
  acme: Tenant;
  id: string;
  close(): Promise<void>;
}

/** One organization: its accounts are read in four requests. */
const NORTHWIND = {
  name: "Northwind",
  adAccounts: [
    { name: "Northwind UK", pixels: ["Northwind shop"] },
    { name: "Northwind DE", pixels: ["Northwind DE shop"] },
  ],
  mobileApps: ["Northwind app"],
  roles: { ada: ["admin"], ben: ["member"] },
  adAccountRoles: { "Northwind UK": { ben: ["audience"] } },
};

const REDIRECT_URI = "http://127.0.0.1:8080/snapchat/callback";

/** Limits that no test comes near; with the simulator's `rateLimits` off, what is not about limits waits for none. */
export const NO_LIMITS: NonNullable<SnapchatOptions["limits"]> = {
  oauthTokenPerSecond: 1_000,
  oauthAppPerSecond: 1_000,
};

export async function openSnapchat(
  options: Partial<SnapchatOptions> = {},
  redirectUri = REDIRECT_URI,
  simulated: SimulatorOptions = {},
) {
  const simulator = await createSimulator(simulated);
  const { clientId, clientSecret } = simulator.world;
  simulator.world.redirectUris.add(redirectUri);
  const snapchat = createSnapchat({
    app: { clientId, clientSecret, redirectUri },
    storage: memory(),
    acceptLoss: true,
    encryptionKeys: [randomBytes(32).toString("base64")],
    endpoints: simulator.endpoints,
    allowEndpoints: [simulator.url],
    delivery: { lingerMs: 0, memberLingerMs: 0 },
    ...options,
  });
  return { simulator, snapchat };
}

/** Signs in as the simulator's main person, or as another one. */
export async function signIn(
  shop: Pick<Shop, "simulator" | "snapchat">,
  tenantId: string,
  id: string,
  person?: string,
  scope?: string,
) {
  const { simulator, snapchat } = shop;
  const away = await snapchat.oauth.connect(new Request("http://127.0.0.1:8080/snapchat/connect"), {
    tenantId,
    destinationId: id,
  });
  const cookie = away.headers
    .getSetCookie()
    .map((line) => line.split(";")[0])
    .join("; ");
  const location = new URL(away.headers.get("location") ?? "");
  if (scope !== undefined) location.searchParams.set("scope", scope);
  const redirect = simulator.consent(location.href, person === undefined ? {} : { person });
  return snapchat.oauth.callback(new Request(redirect, { headers: { cookie } }), { authorize: () => true });
}

/** Everything a marketer does up to "enable": Purchased on both sides, segments in step. */
export async function openShop(options: Partial<SnapchatOptions> = {}): Promise<Shop> {
  const { simulator, snapchat } = await openSnapchat({ limits: NO_LIMITS, ...options }, REDIRECT_URI, {
    people: ["ada", "ben"],
    organizations: [NORTHWIND],
    knobs: { rateLimits: false },
  });
  const acme = snapchat.tenant("acme");
  const { id } = await acme.destinations.create({ name: "Snapchat" });
  await signIn({ simulator, snapchat }, "acme", id);
  const { adAccount, pixel, conversionsToken, organization } = simulator.world.main;
  await acme.destinations.update(id, {
    organizationId: organization.id,
    adAccountId: adAccount.id,
    pixelId: pixel.id,
    conversionsToken,
    workflow: shopWorkflow(),
  });
  await acme.destinations.enable(id);
  const close = async () => {
    await snapchat.close();
    await simulator.close();
  };
  return { simulator, snapchat, acme, id, close };
}

export function shopWorkflow() {
  let workflow = presets.customerlabs({ defaultCountry: "GB" });
  workflow = setToggle(workflow, "Purchased", { server: true, client: true });
  workflow = setToggle(workflow, "Product viewed", { client: true });
  return setToggle(workflow, "added_to_segment", { server: true });
}

export function purchase(eventId: string, email = "jane@example.com"): Record<string, unknown> {
  return {
    event: "Purchased",
    event_id: eventId,
    timestamp: new Date().toISOString(),
    customProperties: {
      value: 20,
      currency: "GBP",
      order_id: `SO-${eventId}`,
      page_url: "https://shop.example/thanks",
      user_traits: { email },
    },
  };
}

export function entered(
  segment: string,
  email = "jane@example.com",
  event = "added_to_segment",
): Record<string, unknown> {
  return {
    event,
    customProperties: { segment_name: segment, user_traits: { email }, external_ids: { customerlabs_user_id: email } },
  };
}
