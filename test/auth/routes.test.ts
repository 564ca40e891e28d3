import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  AccountsClient,
  type CallbackOptions,
  type ConnectOptions,
  createOAuthRoutes,
  type OAuthRoutesOptions,
  type Vault,
} from "../../src/auth/index.ts";
import { SnapchatError } from "../../src/errors.ts";
import { failure, type TestWorld, world } from "./support.ts";

const TARGET: ConnectOptions = { tenantId: "acme", destinationId: "d1" };
const ALLOW: CallbackOptions = { authorize: () => true };

let w: TestWorld;
let vault: Vault;
beforeEach(async () => {
  w = await world();
  vault = w.process();
});
afterEach(() => w.simulator.close());

function routes(o: Partial<OAuthRoutesOptions> = {}) {
  const { endpoints, fetch } = w.simulator;
  const accounts = new AccountsClient({ endpoints, fetch, retry: { minTimeoutMs: 0 } });
  return createOAuthRoutes({ vault, records: w.records, accounts, clock: w.clock, ...o });
}

type Routes = ReturnType<typeof routes>;

/** One browser: keeps cookies as browsers do, by name. */
function browser() {
  const jar = new Map<string, string>();
  return {
    jar,
    keep(response: Response) {
      for (const cookie of response.headers.getSetCookie()) {
        const [pair = ""] = cookie.split(";");
        const [name = "", value = ""] = pair.split("=");
        if (/Max-Age=0/.test(cookie)) jar.delete(name);
        else jar.set(name, value);
      }
      return response;
    },
    request: (url: string, init: RequestInit = {}) =>
      new Request(url, { ...init, headers: { cookie: [...jar].map((pair) => pair.join("=")).join("; ") } }),
  };
}

type Browser = ReturnType<typeof browser>;

async function begin(oauth: Routes, user: Browser, o: Partial<ConnectOptions> = {}, choice = {}) {
  const request = new Request("https://cdp.example/snapchat/connect");
  const response = user.keep(await oauth.connect(request, { ...TARGET, ...o }));
  expect(response.status).toBe(302);
  return w.simulator.consent(response.headers.get("location") ?? "", choice);
}

async function back(oauth: Routes, user: Browser, url: string, o: CallbackOptions = ALLOW) {
  return user.keep(await oauth.callback(user.request(url), o));
}

const connections = () => vault.connections.list("acme");

describe("signing in", () => {
  it("stores a login, names the person, and answers a page", async () => {
    const oauth = routes();
    const user = browser();
    const response = await back(oauth, user, await begin(oauth, user));
    expect(response.status).toBe(200);
    const page = await response.text();
    expect(page).toContain(`Connected as ${w.simulator.world.main.person.displayName}.`);
    expect(await connections()).toMatchObject([{ status: "connected", missingScopes: [], appId: "default" }]);
    expect(user.jar.size).toBe(0);
  });

  it("returns to a path of the host's own", async () => {
    const oauth = routes();
    const user = browser();
    const response = await back(oauth, user, await begin(oauth, user, { returnTo: "/d/1?tab=login#top" }));
    expect(response.status).toBe(303);
    expect(response.headers.get("location")).toBe("/d/1?tab=login&snapchat=connected#top");
  });

  it("gives the login to the destination before it answers, and forgets it where that fails", async () => {
    const seen: unknown[] = [];
    const user = browser();
    const good = routes({ onConnected: (connected) => void seen.push(connected) });
    await back(good, user, await begin(good, user));
    expect(seen).toMatchObject([{ tenantId: "acme", destinationId: "d1", connection: { replaced: "new" } }]);
    const bad = routes({
      onConnected: () => {
        throw new SnapchatError({ code: "destination_unknown", kind: "fix_data", message: "Gone.", fix: "Make one." });
      },
    });
    const response = await back(bad, user, await begin(bad, user));
    expect(await response.text()).toContain("destination_unknown");
    expect(await connections()).toHaveLength(1);
  });

  it("puts a new login in the place of an old one", async () => {
    const oauth = routes();
    const user = browser();
    await back(oauth, user, await begin(oauth, user, { connectionId: "c1" }));
    const url = await begin(oauth, user, { connectionId: "c1" }, { person: "ben" });
    const connected = await oauth.finish(user.request(url), ALLOW);
    expect(connected.connection).toMatchObject({ id: "c1", replaced: "other_person", tokenVersion: 2 });
    expect(await connections()).toHaveLength(1);
  });

  it("tells of scopes that were not granted", async () => {
    const oauth = routes();
    const user = browser();
    const url = await begin(oauth, user, { returnTo: "/d" });
    w.simulator.faults.add({
      area: "accounts",
      status: 200,
      body: { access_token: "a", refresh_token: "r", expires_in: 3600, scope: "snapchat-offline-conversions-api" },
    });
    w.simulator.faults.add({ area: "ads", status: 403, body: "unauthorized" });
    const response = await back(oauth, user, url);
    expect(response.headers.get("location")).toBe(
      "/d?snapchat=connected&snapchat_missing_scopes=snapchat-marketing-api",
    );
    expect(await connections()).toMatchObject([{ missingScopes: ["snapchat-marketing-api"] }]);
  });

  it("works in two tabs at once", async () => {
    const oauth = routes();
    const user = browser();
    const [first, second] = [await begin(oauth, user), await begin(oauth, user, { destinationId: "d2" })];
    expect((await back(oauth, user, second)).status).toBe(200);
    expect((await back(oauth, user, first)).status).toBe(200);
  });

  it("does not need to know who signed in", async () => {
    const oauth = routes();
    const user = browser();
    w.simulator.faults.add({ area: "ads", status: 500 });
    expect((await back(oauth, user, await begin(oauth, user))).status).toBe(200);
    expect((await connections())[0]?.person).toBeUndefined();
  });

  it("gives hosts that answer by themselves an address and a cookie", async () => {
    const { url, cookie } = await routes().authorizationUrl(TARGET);
    expect(url).toMatch(/[?&]state=[\w-]{43}(&|$)/);
    expect(cookie).toMatch(
      /^__Host-snapchat_sign_in_[\w-]{12}=[\w-]{43}; Path=\/; Max-Age=600; HttpOnly; SameSite=Lax; Secure$/,
    );
  });
});

describe("a sign-in that must not end well", () => {
  const code = async (response: Response) => /<code>(\w+)<\/code>/.exec(await response.text())?.[1];

  it("is told when it is denied at Snapchat", async () => {
    const oauth = routes();
    const user = browser();
    const response = await back(oauth, user, await begin(oauth, user, {}, { allow: false }));
    expect(response.status).toBe(400);
    expect(await code(response)).toBe("oauth_access_denied");
    const again = await back(oauth, user, await begin(oauth, user, { returnTo: "/d" }, { allow: false }));
    expect(again.headers.get("location")).toBe("/d?snapchat_error=oauth_access_denied");
    expect(await connections()).toEqual([]);
  });

  it("is refused the second time", async () => {
    const oauth = routes();
    const user = browser();
    const url = await begin(oauth, user, { returnTo: "/d" });
    const jar = new Map(user.jar);
    await back(oauth, user, url);
    for (const [name, value] of jar) user.jar.set(name, value);
    const response = await back(oauth, user, url);
    expect(await code(response)).toBe("oauth_state_replayed");
    expect(await connections()).toHaveLength(1);
  });

  it("is finished by one of two that race", async () => {
    const oauth = routes();
    const user = browser();
    const url = await begin(oauth, user);
    const both = await Promise.all([
      oauth.callback(user.request(url), ALLOW),
      oauth.callback(user.request(url), ALLOW),
    ]);
    const codes = await Promise.all(both.map(code));
    expect(codes.sort()).toEqual(["oauth_state_replayed", undefined]);
    expect(w.refreshes()).toHaveLength(1);
    expect(await connections()).toHaveLength(1);
  });

  it("is refused in another browser, and can still be finished in the right one", async () => {
    const oauth = routes();
    const [attacker, victim] = [browser(), browser()];
    const url = await begin(oauth, attacker, { returnTo: "/d" });
    expect(await code(await back(oauth, victim, url))).toBe("oauth_state_foreign");
    const [name = ""] = [...attacker.jar.keys()];
    victim.jar.set(name, "guessed");
    expect(await code(await back(oauth, victim, url))).toBe("oauth_state_foreign");
    expect(await connections()).toEqual([]);
    expect((await back(oauth, attacker, url)).status).toBe(303);
  });

  it.each(["", "short", "x".repeat(43), "../../connection/acme/c1"])("is refused with the state %j", async (state) => {
    const url = `https://cdp.example/snapchat/callback?code=c&state=${encodeURIComponent(state)}`;
    const response = await back(routes(), browser(), url);
    expect(await code(response)).toBe(state === "" ? "oauth_state_missing" : "oauth_state_unknown");
  });

  it("is over after ten minutes", async () => {
    const oauth = routes();
    const user = browser();
    const [late, punctual] = [await begin(oauth, user), await begin(oauth, user)];
    await w.clock.advance(599_000);
    expect((await oauth.finish(user.request(punctual), ALLOW)).tenantId).toBe("acme");
    await w.clock.advance(1_001);
    expect(await code(await back(oauth, user, late))).toBe("oauth_state_unknown");
  });

  it("needs the host's word that whoever calls may edit", async () => {
    const oauth = routes();
    const user = browser();
    const url = await begin(oauth, user);
    const asked: unknown[] = [];
    const authorize = ({ tenantId, destinationId }: { tenantId: string; destinationId: string }) => {
      asked.push([tenantId, destinationId]);
      return false;
    };
    const response = await back(oauth, user, url, { authorize });
    expect(response.status).toBe(403);
    expect(await code(response)).toBe("oauth_not_authorized");
    expect(asked).toEqual([["acme", "d1"]]);
    for (const wrong of [undefined, "yes", 1]) {
      const answer = (await back(oauth, user, url, { authorize: () => wrong as never })).status;
      expect(answer).toBe(403);
    }
    expect(w.refreshes()).toHaveLength(0);
  });

  it("leaves the host's own exceptions to the host", async () => {
    const oauth = routes();
    const user = browser();
    const url = await begin(oauth, user);
    const redirect = new Error("NEXT_REDIRECT");
    const authorize = () => {
      throw redirect;
    };
    await expect(oauth.callback(user.request(url), { authorize })).rejects.toBe(redirect);
    expect((await back(oauth, user, url)).status).toBe(200);
  });

  it("ends in its own code where the sign-in code is refused", async () => {
    const oauth = routes();
    const user = browser();
    const url = new URL(await begin(oauth, user));
    url.searchParams.set("code", "stolen");
    expect(await code(await back(oauth, user, url.href))).toBe("oauth_code_refused");
  });

  it("ends in its own code where keys of Login Kit were given", async () => {
    const oauth = routes();
    const user = browser();
    const url = await begin(oauth, user);
    w.simulator.faults.add({ area: "ads", status: 401, body: "unauthorized" });
    expect(await code(await back(oauth, user, url))).toBe("oauth_app_unfit");
    expect(await connections()).toEqual([]);
  });

  it("says when to come back where Snapchat is down", async () => {
    const oauth = routes();
    const user = browser();
    const url = await begin(oauth, user);
    w.simulator.faults.add({ area: "accounts", status: 503 });
    const response = await back(oauth, user, url);
    expect([response.status, await code(response)]).toEqual([503, "oauth_unavailable"]);
  });

  it("is not used up by a scanner's HEAD", async () => {
    const oauth = routes();
    const user = browser();
    const url = await begin(oauth, user);
    const head = await oauth.callback(user.request(url, { method: "HEAD" }), ALLOW);
    expect(head.status).toBe(405);
    expect((await back(oauth, user, url)).status).toBe(200);
  });

  it.each(["invalid_scope", "unauthorized_client", "server_error", "<script>alert(1)</script>", "constructor"])(
    "shows nothing of what the address says: %s",
    async (error) => {
      const oauth = routes();
      const user = browser();
      const state = new URL(await begin(oauth, user)).searchParams.get("state");
      const text = encodeURIComponent("<img src=x onerror=alert(1)> call 555-0100");
      const url = `https://cdp.example/snapchat/callback?error=${encodeURIComponent(error)}&error_description=${text}&state=${state}`;
      const page = await (await back(oauth, user, url)).text();
      expect(page).not.toMatch(/555-0100|<script>|onerror|function Object/);
      expect(page).toMatch(/<code>oauth_\w+<\/code>/);
    },
  );
});

describe("the address to return to", () => {
  it.each([
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example/",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    " /d",
    "/.//evil.example",
    "/a/..//evil.example",
    "javascript:alert(1)",
    "d",
    "",
    `/${"a".repeat(2_000)}`,
  ])("is refused: %j", async (returnTo) => {
    const response = await routes().connect(new Request("https://cdp.example/c"), { ...TARGET, returnTo });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain("return_to_refused");
    expect(response.headers.get("set-cookie")).toBeNull();
  });

  it.each(["/", "/d/1", "/d?u=https://other.example/x", "/d?x=//y", "/grüße"])("is a path: %j", async (returnTo) => {
    const response = await routes().connect(new Request("https://cdp.example/c"), { ...TARGET, returnTo });
    expect(response.status).toBe(302);
  });
});

describe("what is sent to the browser", () => {
  it("is not kept, not framed, runs nothing, and is readable by everybody", async () => {
    const response = await routes().callback(new Request("https://cdp.example/cb?state="), ALLOW);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(response.headers.get("referrer-policy")).toBe("no-referrer");
    expect(response.headers.get("content-security-policy")).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    const page = await response.text();
    expect(page).toMatch(/<html lang="en">/);
    expect(page).toMatch(/<title>[^<]+<\/title>/);
    expect(page).toMatch(/<main role="alert"><h1>/);
  });

  it("takes the host's own words, escaped", async () => {
    const page = () => ({
      lang: "de",
      title: "Fertig & gut",
      message: "<b>x</b>",
      link: { href: '/d"', text: "weiter" },
    });
    const response = await routes({ page }).callback(new Request("https://cdp.example/cb?state="), ALLOW);
    const text = await response.text();
    expect(text).toContain('<html lang="de">');
    expect(text).toContain("&#60;b&#62;x&#60;/b&#62;");
    expect(text).toContain('href="/d&#34;"');
  });

  it("has a cookie without __Host- on this machine's http, where the prefix does not exist", async () => {
    const app = { ...w.app, redirectUri: "http://127.0.0.1:3000/snapchat/callback" };
    vault = w.process({ oauthClient: undefined, apps: { default: app } });
    const { cookie } = await routes().authorizationUrl(TARGET);
    expect(cookie).toMatch(/^snapchat_sign_in_[\w-]{12}=[\w-]{43}; Path=\/; Max-Age=600; HttpOnly; SameSite=Lax$/);
  });

  it("binds no browser where that was switched off by its loud name, and only there", async () => {
    const unbound = routes({ allowUnboundState: true });
    const { url, cookie } = await unbound.authorizationUrl(TARGET);
    expect(cookie).toBeUndefined();
    const target = w.simulator.consent(url);
    expect(await failure(routes().finish(new Request(target), ALLOW))).toMatchObject({ code: "oauth_state_foreign" });
    expect((await unbound.finish(new Request(target), ALLOW)).destinationId).toBe("d1");
  });
});

describe("the storage", () => {
  it("holds no state that could be used, and nothing after ten minutes", async () => {
    const puts: string[] = [];
    const records = {
      ...w.records,
      put: (key: string, value: Uint8Array, o?: { ifVersion?: number; ttlMs?: number }) => {
        puts.push(key + Buffer.from(value).toString("latin1"));
        expect(o?.ttlMs).toBeLessThanOrEqual(600_000);
        return w.records.put(key, value, o);
      },
    };
    const oauth = routes({ records });
    const { url, cookie } = await oauth.authorizationUrl(TARGET);
    const state = new URL(url).searchParams.get("state") ?? "";
    const secret = /=([\w-]{43});/.exec(cookie ?? "")?.[1] ?? "";
    expect(puts).toHaveLength(1);
    expect(puts[0]).not.toContain(state);
    expect(puts[0]).not.toContain(secret);
  });

  it("needs a tenant and a destination, and an app that exists", async () => {
    expect(await failure(routes().authorizationUrl({ ...TARGET, tenantId: "" }))).toMatchObject({
      code: "connect_target_missing",
    });
    vault = w.process({ oauthClient: undefined });
    expect(await failure(routes().authorizationUrl({ ...TARGET, appId: "eu" }))).toMatchObject({
      code: "oauth_app_unknown",
    });
  });
});
