import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type AccountTree, createTenants, runChecks } from "../../src/destinations/index.ts";
import { SnapchatError } from "../../src/errors.ts";
import { ACCOUNT, ACCOUNT_2, createWorld, ORG, OTHER_PIXEL, PIXEL, tree } from "./fakes/world.ts";

type Shop = Awaited<ReturnType<typeof perfect>>;

/** A destination that nothing is wrong with. */
async function perfect() {
  const world = createWorld({ toggles: { server: 3, client: 1, audience: 2 } });
  const { id } = await world.enabledShop();
  await world.destinations.update("acme", id, { settings: { integration: "acme-cdp" } });
  return { ...world, id };
}

/** A tree in which one ad account differs. */
function treeWith(
  accountId: string,
  change: Partial<AccountTree["organizations"][number]["adAccounts"][number]>,
): AccountTree {
  return {
    organizations: tree.organizations.map((organization) => ({
      ...organization,
      adAccounts: organization.adAccounts.map((account) =>
        account.id === accountId ? { ...account, ...change } : account,
      ),
    })),
  };
}

const reauthorize = new SnapchatError({
  code: "oauth_invalid_grant",
  kind: "reauthorize",
  message: "Refused.",
  fix: "Sign in.",
});
const offline = new SnapchatError({ code: "network_error", kind: "retry", message: "No answer.", fix: "Try again." });

/** One fault at a time: what is done to a perfect destination, and the one line that names it. */
const FAULTS: [code: string, status: "warning" | "problem", plant: (shop: Shop) => unknown][] = [
  [
    "accounts_incomplete",
    "warning",
    ({ script }) =>
      Object.assign(script, {
        tree: { ...treeWith(ACCOUNT, { pixels: [] }), notes: ["The pixels of Northwind UK could not be read."] },
      }),
  ],
  ["login_missing", "warning", ({ destinations, id }) => destinations.disconnect("acme", id)],
  ["login_lost", "problem", ({ signIn }) => signIn("acme", "c1", { status: "reauth_required" })],
  ["login_lost", "problem", ({ script }) => Object.assign(script, { tree: reauthorize })],
  ["accounts_unreachable", "warning", ({ script }) => Object.assign(script, { tree: offline })],
  ["scope_missing", "problem", ({ signIn }) => signIn("acme", "c1", { scopes: ["snapchat-offline-conversions-api"] })],
  ["scope_missing", "warning", ({ signIn }) => signIn("acme", "c1", { scopes: ["snapchat-marketing-api"] })],
  ["no_ad_account", "problem", ({ script }) => Object.assign(script, { tree: { organizations: [] } })],
  ["ad_account_missing", "problem", ({ destinations, id }) => destinations.update("acme", id, { adAccountId: null })],
  [
    "ad_account_lost",
    "problem",
    ({ script }) => Object.assign(script, { tree: { organizations: tree.organizations.slice(1) } }),
  ],
  [
    "ad_account_not_active",
    "problem",
    ({ script }) => Object.assign(script, { tree: treeWith(ACCOUNT, { status: "PAUSED" }) }),
  ],
  ["ad_account_test", "warning", ({ script }) => Object.assign(script, { tree: treeWith(ACCOUNT, { test: true }) })],
  [
    "role_missing",
    "warning",
    ({ script }) => Object.assign(script, { tree: treeWith(ACCOUNT, { roles: ["creative", "reports"] }) }),
  ],
  ["pixel_missing", "problem", ({ destinations, id }) => destinations.update("acme", id, { pixelId: null })],
  [
    "ad_account_without_pixel",
    "problem",
    async ({ destinations, id, script }) => {
      await destinations.update("acme", id, { pixelId: null });
      script.tree = treeWith(ACCOUNT, { pixels: [] });
    },
  ],
  ["pixel_not_visible", "problem", ({ script }) => Object.assign(script, { tree: treeWith(ACCOUNT, { pixels: [] }) })],
  [
    "pixel_of_other_ad_account",
    "problem",
    ({ script }) => Object.assign(script, { tree: moved(treeWith(ACCOUNT, { pixels: [] }), ACCOUNT_2) }),
  ],
  [
    "pixel_of_other_organization",
    "problem",
    ({ script }) => Object.assign(script, { tree: moved(treeWith(ACCOUNT, { pixels: [] }), "contoso-account") }),
  ],
  ["token_missing", "warning", ({ destinations, id }) => destinations.update("acme", id, { conversionsToken: null })],
  [
    "token_unconfirmed",
    "warning",
    ({ destinations, id, script }) => {
      script.token = "refused";
      return destinations.update("acme", id, { conversionsToken: "a-new-token-canary" });
    },
  ],
  [
    "token_refused",
    "problem",
    ({ destinations, id, script }) => {
      script.token = "refused";
      return destinations.tokenRefused("acme", id, 1);
    },
  ],
  [
    "test_mode_on",
    "warning",
    ({ destinations, id }) => destinations.update("acme", id, { settings: { testEventCode: "TEST1" } }),
  ],
  [
    "validate_only_on",
    "warning",
    ({ destinations, id }) => destinations.update("acme", id, { settings: { validateOnly: true } }),
  ],
  [
    "integration_missing",
    "warning",
    ({ destinations, id }) => destinations.update("acme", id, { settings: { integration: null } }),
  ],
  ["pixel_shared", "warning", ({ enabledShop }) => enabledShop()],
  ["server_side_off", "warning", ({ destinations, id }) => destinations.update("acme", id, { serverSide: false })],
  ["tenant_suspended", "problem", ({ context }) => createTenants(context).suspend("acme")],
  ["workflow_missing", "problem", ({ destinations, id }) => destinations.update("acme", id, { workflow: null })],
  [
    "pixel_not_available",
    "problem",
    ({ script }) =>
      Object.assign(script, {
        tree: treeWith(ACCOUNT, { pixels: [{ id: PIXEL, name: "UK", available: false, why: "it is paused" }] }),
      }),
  ],
  ["destination_disabled", "warning", ({ destinations, id }) => destinations.disable("acme", id)],
  [
    "nothing_switched_on",
    "warning",
    ({ script }) => Object.assign(script, { toggles: { server: 0, client: 0, audience: 0 } }),
  ],
  [
    "event_name_unknown",
    "problem",
    ({ script }) => Object.assign(script, { ownNames: [{ rule: "order_completed", name: "PURCHAZE" }] }),
  ],
];

function moved(from: AccountTree, accountId: string): AccountTree {
  return {
    organizations: from.organizations.map((organization) => ({
      ...organization,
      adAccounts: organization.adAccounts.map((account) =>
        account.id === accountId
          ? { ...account, pixels: [...account.pixels, { id: PIXEL, name: "UK", available: true }] }
          : account,
      ),
    })),
  };
}

describe("preflight", () => {
  it("has every fault that it knows planted below", () => {
    const folder = new URL("../../src/destinations/preflight/", import.meta.url);
    const sources = readdirSync(folder).map((file) => readFileSync(new URL(file, folder), "utf8"));
    const codes = sources
      .flatMap((text) => [...text.matchAll(/\b(?:warning|problem)\(\s*"(\w+)"/g)])
      .map(([, code]) => code);
    expect(codes.length).toBeGreaterThan(25);
    expect([...new Set(codes)].sort()).toEqual([...new Set(FAULTS.map(([code]) => code))].sort());
  });

  it("finds nothing wrong with a perfect destination and says what it looked at", async () => {
    const { destinations, id } = await perfect();
    const report = await destinations.preflight("acme", id);
    expect(report.ok).toBe(true);
    expect(report.lines.map((line) => [line.code, line.status])).toEqual(
      [
        "login",
        "scopes",
        "ad_account",
        "roles",
        "pixel",
        "conversions_token",
        "switches",
        "modes",
        "integration",
        "shared_pixel",
      ].map((code) => [code, "ok"]),
    );
  });

  it.each(FAULTS)("names %s (%s), and only it", async (code, status, plant) => {
    const shop = await perfect();
    await plant(shop);
    const report = await shop.destinations.preflight("acme", shop.id);
    const faults = report.lines.filter((line) => line.status !== "ok");
    expect(faults.map((line) => [line.code, line.status])).toEqual([[code, status]]);
    expect(faults[0]?.message).toMatch(/\w+ \w+/);
    expect(faults[0]?.fix).toMatch(/\w+ \w+/);
    expect(report.ok).toBe(status !== "problem");
  });

  it("says why a token of one's own is worth it", async () => {
    const { destinations, id } = await perfect();
    await destinations.update("acme", id, { conversionsToken: null });
    const { lines } = await destinations.preflight("acme", id);
    expect(lines.find((line) => line.code === "token_missing")?.message).toMatch(
      /20 requests a second.*every other customer.*1,000/,
    );
  });

  it("leads a new destination through its set-up without saying one thing twice", async () => {
    const { destinations, signIn } = createWorld();
    const { id } = await destinations.create("acme", { name: "Shop" });
    const faults = async () =>
      (await destinations.preflight("acme", id)).lines.filter(({ status }) => status !== "ok").map(({ code }) => code);
    expect(await faults()).toEqual([
      "login_missing",
      "pixel_missing",
      "destination_disabled",
      "workflow_missing",
      "integration_missing",
    ]);
    await destinations.connect("acme", id, signIn("acme"));
    expect(await faults()).toEqual([
      "ad_account_missing",
      "pixel_missing",
      "token_missing",
      "destination_disabled",
      "workflow_missing",
      "integration_missing",
    ]);
  });

  it("never speaks of a tenant's destinations to another", async () => {
    const { enabledShop, destinations } = await perfect();
    const other = await enabledShop("other");
    const { lines } = await destinations.preflight("other", other.id);
    expect(lines.find((line) => line.code === "pixel_shared")).toBeUndefined();
  });

  it("answers the others where one check fails, without what it failed on", async () => {
    const lines = await runChecks(
      [
        { name: "broken", look: () => Promise.reject(new Error("canary")) },
        { name: "fine", look: () => [{ code: "fine", status: "ok", message: "Fine.", fix: "" }] },
      ],
      {},
    );
    expect(lines.map(({ code, status }) => [code, status])).toEqual([
      ["broken_unanswered", "warning"],
      ["fine", "ok"],
    ]);
    expect(JSON.stringify(lines)).not.toContain("canary");
  });

  it("has words of its own for a pixel of another business where it is chosen by hand", async () => {
    const { destinations, signIn } = createWorld();
    const { id } = await destinations.create("acme", { name: "Shop" });
    await destinations.update("acme", id, { organizationId: ORG, pixelId: OTHER_PIXEL });
    await destinations.connect("acme", id, signIn("acme"));
    const { lines } = await destinations.preflight("acme", id);
    expect(lines.find((line) => line.code === "pixel_of_other_organization")?.message).toContain("Contoso");
  });
});
