import { describe, expect, it } from "vitest";
import { start } from "./support.ts";

const REDIRECT = "https://cdp.example/snapchat/callback";

const codeOf = (redirect: string) => new URL(redirect).searchParams.get("code") ?? "";

async function connected(options: Parameters<typeof start>[0] = {}) {
  const started = await start(options);
  const code = codeOf(started.simulator.consent(started.authorizeUrl()));
  const answer = await started.token({ grant_type: "authorization_code", code, redirect_uri: REDIRECT });
  const tokens = answer.json as unknown as { access_token: string; refresh_token: string };
  return { ...started, answer, tokens };
}

describe("sign-in and consent", () => {
  it("can be clicked through by a browser", async () => {
    const { simulator, call, authorizeUrl } = await start();
    const form = (path: string, fields: Record<string, string>) =>
      call(simulator.endpoints.accounts + path, { method: "POST", body: new URLSearchParams(fields) });
    const hidden = (html: string) => /name="transaction" value="([^"]+)"/.exec(html)?.[1] ?? "";

    const signIn = await call(authorizeUrl());
    expect(signIn.headers.get("content-type")).toContain("text/html");
    expect(signIn.text).toContain('<option value="ada">');
    const transaction = hidden(signIn.text);
    expect((await form("/login/oauth2/signin", { transaction, person: "nobody" })).status).toBe(401);
    const consent = await form("/login/oauth2/signin", { transaction, person: "ben" });
    expect(consent.text).toContain("snapchat-offline-conversions-api");
    const done = await form("/login/oauth2/consent", { transaction, decision: "allow" });
    expect(done.status).toBe(302);
    const location = new URL(done.headers.get("location") ?? "");
    expect(location.origin + location.pathname).toBe(REDIRECT);
    expect(location.searchParams.get("state")).toBe("state-1");
    expect(location.searchParams.get("code")).toBeTruthy();
    expect((await form("/login/oauth2/consent", { transaction, decision: "allow" })).status).toBe(400);
    await simulator.close();
  });

  it("sends a refusal back with the state", async () => {
    const { simulator, authorizeUrl } = await start();
    const { searchParams } = new URL(simulator.consent(authorizeUrl(), { person: "ben", allow: false }));
    expect(searchParams.get("error")).toBe("access_denied");
    expect(searchParams.get("state")).toBe("state-1");
    expect(searchParams.has("code")).toBe(false);
    await simulator.close();
  });

  it.each([
    ["an unknown client", { client_id: "someone-else" }],
    ["an unregistered redirect URI", { redirect_uri: `${REDIRECT}/` }],
    ["no redirect URI", { redirect_uri: undefined }],
  ])("never redirects for %s", async (_, changes) => {
    const { simulator, call, authorizeUrl } = await start();
    const answer = await call(authorizeUrl(changes));
    expect([answer.status, answer.headers.get("location")]).toEqual([400, null]);
    expect(() => simulator.consent(authorizeUrl(changes))).toThrow();
    await simulator.close();
  });

  it.each([
    ["unsupported_response_type", { response_type: "token" }],
    ["invalid_scope", { scope: undefined }],
    ["invalid_scope", { scope: "snapchat-marketing-api,snapchat-offline-conversions-api" }],
  ])("redirects with %s", async (error, changes) => {
    const { simulator, call, authorizeUrl } = await start();
    const answer = await call(authorizeUrl(changes));
    expect(new URL(answer.headers.get("location") ?? "").searchParams.get("error")).toBe(error);
    await simulator.close();
  });

  it("takes any loopback redirect only where the knob says so", async () => {
    const { simulator, authorizeUrl } = await start();
    const local = authorizeUrl({ redirect_uri: "http://127.0.0.1:54321/back" });
    expect(() => simulator.consent(local)).toThrow();
    simulator.knobs.redirectUris = "loopback";
    expect(codeOf(simulator.consent(local))).toBeTruthy();
    expect(() => simulator.consent(authorizeUrl({ redirect_uri: "http://127.0.0.1.evil.example/back" }))).toThrow();
    await simulator.close();
  });
});

describe("the token endpoint", () => {
  it("answers a code with the fields of the live API", async () => {
    const { simulator, answer } = await connected();
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({
      access_token: expect.stringMatching(/^[\w-]+\.[\w-]*\.[\w-]+\.[\w-]+\.[\w-]+$/),
      token_type: "Bearer",
      expires_in: 3600,
      refresh_token: expect.any(String),
      scope: "snapchat-marketing-api snapchat-offline-conversions-api",
      id_token: "",
    });
    await simulator.close();
  });

  it("takes a code once, for its client and redirect URI, while it lives", async () => {
    const { simulator, token, authorizeUrl, clock } = await start();
    const exchange = (code: string, redirect_uri = REDIRECT) =>
      token({ grant_type: "authorization_code", code, redirect_uri });
    const code = codeOf(simulator.consent(authorizeUrl()));
    expect((await exchange(code, "https://other.example/")).json.error).toBe("invalid_grant");
    expect((await exchange(code)).status).toBe(200);
    const again = await exchange(code);
    expect([again.status, again.json.error]).toEqual([400, "invalid_grant"]);
    const late = codeOf(simulator.consent(authorizeUrl()));
    clock.advance(600_000);
    expect((await exchange(late)).status).toBe(400);
    await simulator.close();
  });

  it("keeps clients apart", async () => {
    const { simulator, token, authorizeUrl } = await start({ apps: [{}, { name: "Other CDP" }] });
    const other = simulator.world.apps[1];
    const code = codeOf(simulator.consent(authorizeUrl()));
    const credentials = { client_id: other?.clientId ?? "", client_secret: other?.clientSecret ?? "" };
    const stolen = await token({ grant_type: "authorization_code", code, redirect_uri: REDIRECT, ...credentials });
    expect([stolen.status, stolen.json.error]).toEqual([400, "invalid_grant"]);
    const { refresh_token } = simulator.control.issueToken();
    expect((await token({ grant_type: "refresh_token", refresh_token, ...credentials })).json.error).toBe(
      "invalid_grant",
    );
    expect((await token({ grant_type: "refresh_token", refresh_token })).status).toBe(200);
    await simulator.close();
  });

  it.each<[string, number, string, Record<string, string>]>([
    ["a wrong secret", 401, "invalid_client", { client_secret: "wrong", grant_type: "refresh_token" }],
    ["an unknown client", 401, "invalid_client", { client_id: "wrong", grant_type: "refresh_token" }],
    ["no grant type", 400, "invalid_request", {}],
    ["another grant type", 400, "unsupported_grant_type", { grant_type: "password" }],
    ["an unknown refresh token", 400, "invalid_grant", { grant_type: "refresh_token", refresh_token: "x" }],
    ["the refresh token under an old name", 400, "invalid_grant", { grant_type: "refresh_token", code: "x" }],
  ])("refuses %s", async (_, status, error, fields) => {
    const { simulator, token } = await start();
    const answer = await token(fields);
    expect([answer.status, answer.json.error]).toEqual([status, error]);
    expect(answer.json.error_description).toBeTruthy();
    await simulator.close();
  });

  it("takes forms only, not JSON", async () => {
    const { simulator, call } = await start();
    const answer = await call(`${simulator.endpoints.accounts}/login/oauth2/access_token`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
    });
    expect([answer.status, answer.json.error]).toEqual([400, "invalid_request"]);
    await simulator.close();
  });

  it.each([
    ["same", true, true],
    ["rotated", false, false],
    ["rotated_old_stays", false, true],
  ] as const)("refreshes: %s", async (refreshToken, equal, oldLives) => {
    const { simulator, token, tokens } = await connected({ knobs: { refreshToken } });
    const refresh = () => token({ grant_type: "refresh_token", refresh_token: tokens.refresh_token });
    const first = await refresh();
    expect(first.status).toBe(200);
    expect(first.json.access_token).not.toBe(tokens.access_token);
    expect(first.json.refresh_token === tokens.refresh_token).toBe(equal);
    expect((await refresh()).status === 200).toBe(oldLives);
    await simulator.close();
  });

  it("says invalid_grant once the refresh token is revoked", async () => {
    const { simulator, token, tokens } = await connected();
    expect(simulator.control.revokeRefreshTokens("ada")).toBe(1);
    const answer = await token({ grant_type: "refresh_token", refresh_token: tokens.refresh_token });
    expect(answer.json).toEqual({
      error: "invalid_grant",
      error_description: "The refresh token is invalid or has been revoked",
    });
    await simulator.close();
  });
});

describe("an access token", () => {
  it("expires, with the documented header and a body that is no JSON", async () => {
    const { simulator, tokens, clock, ads } = await connected();
    expect((await ads("GET", "/me", undefined, tokens.access_token)).status).toBe(200);
    clock.advance(3_600_000);
    const answer = await ads("GET", "/me", undefined, tokens.access_token);
    expect([answer.status, answer.text]).toEqual([401, "unauthorized"]);
    expect(answer.headers.get("www-authenticate")).toBe(
      'Bearer error="invalid_token", error_description="The access token expired"',
    );
    simulator.knobs.unauthorizedBody = "json";
    expect((await ads("GET", "/me", undefined, tokens.access_token)).json).toEqual({ msg: "unauthorized" });
    await simulator.close();
  });

  it("dies when it is revoked, and can be made to die when its person is removed", async () => {
    const { simulator, tokenOf, ads } = await start();
    const { organization } = simulator.world.main;
    const [first, second, third] = [tokenOf("ada"), tokenOf("ben"), tokenOf("ben")];
    expect(simulator.control.revokeAccessTokens("ada")).toBe(1);
    expect((await ads("GET", "/me", undefined, first)).status).toBe(401);
    simulator.control.removePerson("ben", organization.id);
    expect((await ads("GET", `/organizations/${organization.id}`, undefined, second)).status).toBe(403);
    simulator.knobs.removedMemberTokens = "die";
    simulator.control.removePerson("ben", organization.id);
    expect((await ads("GET", "/me", undefined, third)).status).toBe(401);
    await simulator.close();
  });

  it("without the marketing scope is forbidden, in plain text", async () => {
    const { simulator, tokenOf, ads } = await start();
    const answer = await ads("GET", "/me", undefined, tokenOf("ada", ["snapchat-offline-conversions-api"]));
    expect([answer.status, answer.text]).toEqual([403, "unauthorized"]);
    await simulator.close();
  });

  it("is never shown by the simulator's own pages", async () => {
    const { simulator, tokens, call, ads } = await connected();
    await ads("GET", "/me", undefined, tokens.access_token);
    const shown = JSON.stringify([simulator.snapshot(), simulator.inspect.requests, simulator.inspect.tokens]);
    expect(shown).toContain("access-1");
    const state = await call(`${simulator.url}/__simulator/state`);
    for (const text of [shown, state.text]) {
      expect(text).not.toContain(tokens.access_token);
      expect(text).not.toContain(tokens.refresh_token);
      expect(text).not.toContain(simulator.world.main.conversionsToken);
    }
    await simulator.close();
  });
});
