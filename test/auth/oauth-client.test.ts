import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { OAuthClient } from "../../src/auth/index.ts";
import { failure, REDIRECT_URI, type TestWorld, until, world } from "./support.ts";

let w: TestWorld;
let oauth: OAuthClient;
beforeEach(async () => {
  w = await world();
  oauth = w.client();
});
afterEach(() => w.simulator.close());

const signIn = () =>
  new URL(w.simulator.consent(oauth.authorizationUrl({ state: "s" }))).searchParams.get("code") ?? "";

describe("the authorization URL", () => {
  it("asks for both scopes, a code and a state, and for no challenge", () => {
    const url = new URL(oauth.authorizationUrl({ state: "a state" }));
    expect(url.pathname).toBe("/login/oauth2/authorize");
    expect(Object.fromEntries(url.searchParams)).toEqual({
      client_id: w.simulator.world.clientId,
      redirect_uri: REDIRECT_URI,
      response_type: "code",
      scope: "snapchat-marketing-api snapchat-offline-conversions-api",
      state: "a state",
    });
  });

  it("goes to Snapchat where nothing else is said", () => {
    const plain = new OAuthClient({ clientId: "i", clientSecret: "s", redirectUri: REDIRECT_URI });
    expect(new URL(plain.authorizationUrl({ state: "s" })).origin).toBe("https://accounts.snapchat.com");
  });

  it("is refused without a state", async () => {
    expect(await failure(() => oauth.authorizationUrl({ state: "" }))).toMatchObject({ code: "oauth_state_missing" });
  });
});

describe("the token endpoint", () => {
  it("exchanges a code and refreshes, with credentials in the form body only", async () => {
    const tokens = await oauth.exchange(signIn());
    expect(tokens).toMatchObject({
      expiresInMs: 3_600_000,
      scopes: ["snapchat-marketing-api", "snapchat-offline-conversions-api"],
    });
    const again = await oauth.refresh(tokens.refreshToken as never);
    expect(again.accessToken.reveal()).not.toBe(tokens.accessToken.reveal());
    expect(JSON.stringify([tokens, again])).not.toContain(tokens.accessToken.reveal());
  });

  it.each([429, 500, 503])("repeats after status %i", async (status) => {
    const code = signIn();
    w.simulator.faults.add({ area: "accounts", status, count: 2 });
    await oauth.exchange(code);
    expect(w.refreshes()).toHaveLength(3);
  });

  it("repeats after a cut connection", async () => {
    const tokens = await oauth.exchange(signIn());
    w.simulator.faults.add({ area: "accounts", reset: true, count: 1 });
    await oauth.refresh(tokens.refreshToken as never);
  });

  it("gives up after three attempts and says so", async () => {
    w.simulator.faults.add({ area: "accounts", status: 503 });
    expect(await failure(oauth.refresh("r"))).toMatchObject({ code: "oauth_unavailable", kind: "retry" });
    expect(w.refreshes()).toHaveLength(3);
  });

  it("never repeats after invalid_grant", async () => {
    expect(await failure(oauth.refresh("unknown"))).toMatchObject({ code: "oauth_invalid_grant", kind: "reauthorize" });
    expect(w.refreshes()).toHaveLength(1);
  });

  it("waits as long as Retry-After asks, and leaves long waits to the caller", async () => {
    const { refreshToken } = await oauth.exchange(signIn());
    w.simulator.faults.add({ area: "accounts", status: 429, count: 1, headers: { "retry-after": "3" } });
    const asked = oauth.refresh(refreshToken as never);
    await until(() => w.clock.sleeping === 1);
    const refreshed = w.refreshes().length;
    await w.clock.advance(2_900);
    expect(w.refreshes()).toHaveLength(refreshed);
    await w.clock.advance(100);
    await asked;
    w.simulator.faults.add({ area: "accounts", status: 429, count: 1, headers: { "retry-after": "120" } });
    expect(await failure(oauth.refresh(refreshToken as never))).toMatchObject({ retryAfterMs: 120_000 });
  });

  it.each([
    ["invalid_client", { status: 401, body: { error: "invalid_client" } }, "fix_configuration"],
    ["invalid_client", { status: 401, body: "unauthorized" }, "fix_configuration"],
    ["unauthorized_client", { status: 400, body: { error: "unauthorized_client" } }, "fix_configuration"],
    ["invalid_request", { status: 400, body: { error: "invalid_request" } }, "fix_configuration"],
    ["invalid_scope", { status: 400, body: { error: "invalid_scope" } }, "fix_configuration"],
    ["unsupported_grant_type", { status: 400, body: { error: "unsupported_grant_type" } }, "bug"],
    ["token_request_refused", { status: 400, body: "<html>" }, "fix_configuration"],
    ["answer_unreadable", { status: 200, body: "<html>gateway</html>" }, "retry"],
    ["answer_unreadable", { status: 200, body: { token_type: "Bearer" } }, "retry"],
    ["answer_unreadable", { status: 302, body: "", headers: { location: "https://evil.example/" } }, "retry"],
  ])("answers %s to %j", async (code, fault, kind) => {
    w.simulator.faults.add({ area: "accounts", ...fault });
    expect(await failure(oauth.refresh("refresh-token-of-somebody"))).toMatchObject({ code: `oauth_${code}`, kind });
  });

  it("keeps secrets out of every error", async () => {
    const { clientSecret } = w.simulator.world;
    w.simulator.faults.add({
      area: "accounts",
      status: 400,
      body: { error: "invalid_request", error_description: `client_secret=${clientSecret} refresh-token-of-somebody` },
    });
    const error = await failure(oauth.refresh("refresh-token-of-somebody"));
    const shown = inspect(error, { depth: 9, showHidden: true }) + JSON.stringify(error);
    expect(shown).not.toContain(clientSecret);
    expect(shown).not.toContain("refresh-token-of-somebody");
    expect(inspect(oauth, { depth: 9, showHidden: true })).not.toContain(clientSecret);
  });

  it("keeps the old refresh token where the answer has none, and reads numbers sent as text", async () => {
    w.simulator.faults.add({ area: "accounts", status: 200, body: { access_token: "at", expires_in: "1800" } });
    expect(await oauth.refresh("r")).toMatchObject({
      refreshToken: undefined,
      expiresInMs: 1_800_000,
      scopes: undefined,
    });
  });

  it("ends when the caller says so", async () => {
    w.simulator.faults.add({ area: "accounts", delayMs: 50 });
    const signal = AbortSignal.abort();
    expect(await failure(oauth.refresh("r", { signal }))).toBeDefined();
    expect(w.refreshes()).toHaveLength(0);
  });

  it("sends nothing where the check before an attempt fails", async () => {
    const check = async () => {
      throw new Error("the lock is lost");
    };
    expect(await failure(oauth.refresh("r", { beforeAttempt: check }))).toMatchObject({ message: "the lock is lost" });
    expect(w.refreshes()).toHaveLength(0);
  });
});

describe("the settings of an app", () => {
  it.each([
    ["http://cdp.example/callback", "redirect_uri_insecure"],
    ["http://localhost.evil.example/callback", "redirect_uri_insecure"],
    ["http://127.0.0.1.evil.example/callback", "redirect_uri_insecure"],
    ["ftp://cdp.example/callback", "redirect_uri_insecure"],
    ["/callback", "redirect_uri_invalid"],
    ["", "redirect_uri_invalid"],
    ["https://cdp.example/callback#part", "redirect_uri_invalid"],
    ["https://user:pass@cdp.example/callback", "redirect_uri_invalid"],
  ])("refuses the redirect URI %j", async (redirectUri, code) => {
    const error = await failure(() => new OAuthClient({ clientId: "i", clientSecret: "s", redirectUri }));
    expect(error).toMatchObject({ code, kind: "fix_configuration" });
  });

  it.each(["https://cdp.example/cb", "http://localhost:3000/cb", "http://127.0.0.1:3000/cb", "http://[::1]:3000/cb"])(
    "accepts the redirect URI %s",
    (redirectUri) => {
      expect(new OAuthClient({ clientId: "i", clientSecret: "s", redirectUri }).redirectUri).toBe(redirectUri);
    },
  );

  it("refuses an app without a secret, and endpoints in the clear", async () => {
    const app = { clientId: "i", clientSecret: "s", redirectUri: REDIRECT_URI };
    expect(await failure(() => new OAuthClient({ ...app, clientSecret: "" }))).toMatchObject({
      code: "oauth_app_incomplete",
    });
    const endpoints = { accounts: "http://accounts.snapchat.example" };
    expect(await failure(() => new OAuthClient({ ...app, endpoints }))).toMatchObject({ code: "endpoint_insecure" });
  });
});
