import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AccountsClient, createAccounts } from "../../src/auth/index.ts";
import { judgeAdAccount, judgeOrganization, judgePixel } from "../../src/auth/verdict.ts";
import { Secret } from "../../src/errors.ts";
import { failure, type TestWorld, world } from "./support.ts";

let w: TestWorld;
beforeEach(async () => {
  w = await world();
});
afterEach(() => w.simulator.close());

function client(o: ConstructorParameters<typeof AccountsClient>[0] = {}) {
  const { endpoints, fetch } = w.simulator;
  return new AccountsClient({ endpoints, fetch, clock: w.clock, retry: { minTimeoutMs: 0 }, ...o });
}
const token = (person?: string) => new Secret(w.simulator.control.issueToken(person ? { person } : {}).access_token);
const tree = (o: Parameters<AccountsClient["tree"]>[0], of = client()) => w.passing(of.tree(o));
const asked = () => w.simulator.inspect.requests.filter(({ area }) => area === "ads").map(({ path }) => path);

describe("account discovery", () => {
  it("says who signed in", async () => {
    expect(await client().me({ token: token() })).toMatchObject({
      display_name: w.simulator.world.main.person.displayName,
    });
  });

  it("lists organizations with ad accounts and roles, ad accounts, pixels and apps", async () => {
    const { organization, adAccount } = w.simulator.world.main;
    const accounts = client();
    const call = { token: token() };
    const organizations = await Array.fromAsync(accounts.organizations(call));
    expect(organizations.find(({ id }) => id === organization.id)?.ad_accounts?.[0]).toMatchObject({
      id: adAccount.id,
      roles: ["admin"],
    });
    const of = { organizationId: organization.id };
    expect((await Array.fromAsync(accounts.adAccounts(of, call))).map(({ test }) => test)).toContain(true);
    expect(await Array.fromAsync(accounts.pixels(of, call))).toHaveLength(2);
    expect(await Array.fromAsync(accounts.pixels({ adAccountId: adAccount.id }, call))).toHaveLength(1);
    expect(await Array.fromAsync(accounts.mobileApps(of, call))).toHaveLength(1);
  });

  it("walks pages by the link that Snapchat gives, unchanged", async () => {
    const names = Array.from({ length: 120 }, (_, i) => ({ name: `Shop ${i}`, pixels: [`Pixel ${i}`] }));
    const organization = w.simulator.control.addOrganization({
      name: "Large",
      adAccounts: names,
      roles: { ada: ["admin"] },
    });
    const list = client().pixels({ organizationId: organization.id }, { token: token("ada"), pageSize: 50 });
    const sizes: number[] = [];
    for await (const page of list.pages()) sizes.push(page.items.length);
    expect(sizes).toEqual([50, 50, 20]);
    expect(await Array.fromAsync(list)).toHaveLength(120);
    const first: string[] = [];
    for await (const pixel of list) {
      first.push(pixel.name);
      if (first.length === 3) break;
    }
    expect(first).toEqual(["Pixel 0", "Pixel 1", "Pixel 2"]);
    expect(asked()).toHaveLength(3 + 3 + 1);
  });

  it.each(["https://evil.example/v1/x?cursor=1", "http://simulator.invalid.evil.example/", "//evil.example", "cursor"])(
    "takes the token to no other host: %s",
    async (next) => {
      const body = {
        request_status: "SUCCESS",
        paging: { next_link: next },
        pixels: [{ pixel: { id: "p1", name: "P" } }],
      };
      w.simulator.faults.add({ area: "ads", status: 200, body });
      const called: string[] = [];
      const accounts = client({
        fetch: (request) => {
          called.push(new URL(request.url).origin);
          return w.simulator.fetch(request);
        },
      });
      const error = await failure(Array.fromAsync(accounts.pixels({ organizationId: "o" }, { token: token() })));
      expect(error).toMatchObject({ code: "next_link_foreign", kind: "fix_configuration" });
      expect(called).toEqual(["http://simulator.invalid"]);
    },
  );

  it("does not go round in circles", async () => {
    const url = "http://simulator.invalid/v1/organizations/o/pixels?limit=1000";
    const body = { request_status: "SUCCESS", paging: { next_link: url }, pixels: [] };
    w.simulator.faults.add({ area: "ads", status: 200, body });
    const error = await failure(Array.fromAsync(client().pixels({ organizationId: "o" }, { token: token() })));
    expect(error).toMatchObject({ code: "answer_incomplete" });
  });

  it("gives what succeeded and tells what did not", async () => {
    const body = {
      request_status: "error",
      pixels: [
        { sub_request_status: "success", pixel: { id: "p1", name: "One" } },
        {
          sub_request_status: "ERROR",
          sub_request_error_reason: "Error code: E3004, message: Entity does not exist : [ada@example.org]",
        },
      ],
    };
    w.simulator.faults.add({ area: "ads", status: 200, body });
    const list = client().pixels({ organizationId: "o" }, { token: token() });
    for await (const page of list.pages()) {
      expect(page.items).toHaveLength(1);
      expect(page.failures).toEqual([{ code: "E3004", message: "Entity does not exist : [redacted]" }]);
    }
    const got: string[] = [];
    const walk = async () => {
      for await (const pixel of list) got.push(pixel.id);
    };
    expect(await failure(walk())).toMatchObject({ code: "answer_incomplete", details: { errorCode: "E3004" } });
    expect(got).toEqual(["p1"]);
  });

  it.each([
    [{ status: 401, body: "unauthorized", contentType: "text/plain" }, "access_token_refused", "reauthorize", 1],
    [{ status: 401, body: { msg: "unauthorized" } }, "access_token_refused", "reauthorize", 1],
    [{ status: 403, body: "unauthorized", contentType: "text/plain" }, "access_forbidden", "fix_configuration", 1],
    [
      { status: 403, body: { request_status: "ERROR", error_code: "E3002" } },
      "access_forbidden",
      "fix_configuration",
      1,
    ],
    [{ status: 404, body: { error_code: "E3003" } }, "entity_not_found", "fix_configuration", 1],
    [{ status: 400, body: { error_code: "E1001" } }, "request_refused", "fix_configuration", 1],
    [{ status: 429 }, "rate_limited", "capacity", 3],
    [{ status: 503, body: "<html>", contentType: "text/html" }, "snapchat_unavailable", "retry", 3],
    [{ status: 200, body: "<html>", contentType: "text/html" }, "answer_incomplete", "retry", 1],
    [{ status: 200, body: {} }, "answer_incomplete", "retry", 1],
  ])("answers %j with %s", async (fault, code, kind, attempts) => {
    w.simulator.faults.add({ area: "ads", ...fault });
    expect(await failure(client().me({ token: token() }))).toMatchObject({ code, kind });
    expect(asked()).toHaveLength(attempts);
  });

  it("keeps the token out of errors", async () => {
    const secret = token();
    w.simulator.faults.add({ area: "ads", status: 400, body: { debug_message: `Bearer ${secret.reveal()} is bad` } });
    const error = await failure(client().me({ token: secret }));
    expect(inspect(error, { depth: 9 })).not.toContain(secret.reveal().slice(-30));
  });

  it("takes a slot before every request, repeats included", async () => {
    let slots = 0;
    w.simulator.faults.add({ area: "ads", status: 503, count: 2 });
    const beforeRequest = async () => {
      slots += 1;
    };
    await client().me({ token: token(), beforeRequest });
    expect(slots).toBe(3);
    const full = async () => {
      throw new Error("no slot");
    };
    expect(await failure(client().me({ token: token(), beforeRequest: full }))).toMatchObject({ message: "no slot" });
    expect(asked()).toHaveLength(3);
  });
});

describe("the tree for the dropdowns", () => {
  it("says what may be chosen and why not, for an admin", async () => {
    const answer = await tree({ token: token("ada") });
    const [northwind] = answer.organizations;
    expect(northwind).toMatchObject({ name: "Northwind Retail", available: true, roles: ["admin", "member"] });
    const rows = northwind?.adAccounts.map(({ name, available, why }) => [name, available, why ?? ""]);
    expect(rows).toEqual([
      ["Northwind UK", true, ""],
      ["Northwind DE", true, ""],
      ["Northwind Spring", false, expect.stringContaining("paused")],
      ["Northwind Closed", false, expect.stringContaining("disabled")],
      ["Northwind Trial", false, expect.stringContaining("test account")],
    ]);
    expect(northwind?.adAccounts[0]?.pixels).toMatchObject([{ name: "Northwind shop", available: true }]);
    expect(northwind?.mobileApps).toMatchObject([{ name: "Northwind app", available: true }]);
    expect(answer.notes).toEqual([]);
  });

  it("knows which roles are too small", async () => {
    const { organizations } = await tree({ token: token("ben") });
    const northwind = organizations.find(({ name }) => name === "Northwind Retail");
    expect(northwind?.adAccounts.map(({ name, available, why }) => [name, available, why ?? ""])).toEqual([
      ["Northwind UK", true, ""],
      ["Northwind DE", false, expect.stringMatching(/Data Analyst.*Data Manager/)],
    ]);
    expect(organizations.find(({ name }) => name === "Contoso Travel")?.available).toBe(true);
  });

  it("reads one organization where one is named, and offers test accounts where that is wanted", async () => {
    const { organization } = w.simulator.world.main;
    const o = { token: token("ben"), organizationId: organization.id };
    expect((await tree(o)).organizations).toHaveLength(1);
    const trial = async (allowTestAccounts: boolean) => {
      const answer = await tree({ token: token("ada"), allowTestAccounts });
      return answer.organizations[0]?.adAccounts.find(({ test }) => test)?.available;
    };
    expect([await trial(false), await trial(true)]).toEqual([false, true]);
  });

  it("asks account by account where the organization's pixels are not given", async () => {
    w.simulator.faults.add({ area: "ads", path: /organizations\/[^/]+\/pixels/, status: 404 });
    const answer = await tree({ token: token("ada") });
    expect(answer.organizations[0]?.adAccounts[0]?.pixels).toMatchObject([{ name: "Northwind shop" }]);
    expect(answer.notes).toEqual([]);
  });

  it("shows what it can where something may not be seen, and says so", async () => {
    w.simulator.faults.add({ area: "ads", path: /mobile_apps/, status: 403 });
    const answer = await tree({ token: token("ada") });
    expect(answer.organizations[0]).toMatchObject({ available: true, mobileApps: [] });
    expect(answer.notes).toContain("The apps of Northwind Retail could not be read completely.");
  });

  it("fails as a whole where Snapchat is down: half a tree would be a wrong one", async () => {
    w.simulator.faults.add({ area: "ads", path: /adaccounts/, status: 503 });
    expect(await failure(tree({ token: token("ada") }))).toMatchObject({ code: "snapchat_unavailable" });
  });

  it("asks no more often than Snapchat allows, however many organizations there are", async () => {
    for (let i = 0; i < 12; i += 1) {
      w.simulator.control.addOrganization({
        name: `Client ${i}`,
        adAccounts: [{ name: "A" }],
        roles: { ada: ["admin"] },
      });
    }
    const answer = await tree({ token: token("ada") });
    expect(answer.organizations.length).toBeGreaterThanOrEqual(13);
    expect(w.simulator.inspect.requests.filter(({ status }) => status === 429)).toEqual([]);
  });

  it("is empty for somebody without a business", async () => {
    for (const { id } of w.simulator.world.organizations) w.simulator.control.removePerson("ben", id);
    const answer = await tree({ token: token("ben") });
    expect(answer).toEqual({ organizations: [], notes: [] });
  });
});

describe("what may be chosen", () => {
  const account = { id: "a", name: "A", status: "ACTIVE" };
  const rows = [
    ["an admin of the business", { ...account, roles: [] }, ["admin"], true],
    ["no role", { ...account, roles: [] }, ["member"], false],
    ["a data manager", { ...account, roles: ["audience"] }, ["member"], true],
    ["a campaign manager", { ...account, roles: ["general", "reports"] }, ["member"], true],
    ["a creative manager", { ...account, roles: ["creative"] }, ["member"], false],
    ["two small roles", { ...account, roles: ["creative", "reports"] }, ["member"], false],
    ["a role that nobody knows", { ...account, roles: ["astronaut"] }, ["member"], true],
    ["roles that were not told", account, ["member"], true],
    ["a status that nobody knows", { ...account, status: "FROZEN" }, ["admin"], false],
    ["no status", { id: "a", name: "A" }, ["admin"], true],
  ] as const;
  it.each(rows)("with %s", (_, input, organizationRoles, available) => {
    expect(judgeAdAccount(input, organizationRoles, 1, false).available).toBe(available);
  });

  it("says that a pixel is missing, and still lets the account be chosen", () => {
    const verdict = judgeAdAccount({ ...account, roles: ["admin"] }, [], 0, false);
    expect(verdict).toMatchObject({ available: true, why: expect.stringContaining("no Snap Pixel") });
  });

  it("needs an organization with an account, and a pixel that works", () => {
    const organization = { id: "o", name: "O", state: "ACTIVE" };
    expect(judgeOrganization(organization, []).why).toContain("no ad account");
    expect(judgeOrganization(organization, [{ available: false }]).available).toBe(false);
    expect(judgeOrganization({ ...organization, state: "DISABLED" }, [{ available: true }]).available).toBe(false);
    expect(judgePixel({ id: "p", name: "P", status: "ACTIVE", effective_status: "PAUSED" }).available).toBe(false);
  });
});

describe("account discovery by a stored login", () => {
  it("refreshes a token that is refused, once", async () => {
    const vault = w.process();
    await w.login(vault);
    w.simulator.control.revokeAccessTokens();
    const accounts = createAccounts({ vault, client: client() });
    expect((await w.passing(accounts.tree("acme", "c1"))).organizations).not.toEqual([]);
    expect((await accounts.me("acme", "c1")).id).toBeTruthy();
    expect(w.refreshes()).toHaveLength(1);
  });

  it("ends in reauth_required where the login is over", async () => {
    const vault = w.process();
    await w.login(vault);
    w.simulator.control.revokeAccessTokens();
    w.simulator.control.revokeRefreshTokens();
    const accounts = createAccounts({ vault, client: client() });
    expect(await failure(accounts.tree("acme", "c1"))).toMatchObject({ code: "reauth_required", kind: "reauthorize" });
  });
});
