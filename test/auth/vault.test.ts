import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSealer, type ReauthTransition, type SealedKind } from "../../src/auth/index.ts";
import { Secret } from "../../src/errors.ts";
import { failure, KEY, OTHER_KEY, type TestWorld, until, world } from "./support.ts";

const HOUR = 3_600_000;
let w: TestWorld;
beforeEach(async () => {
  w = await world();
});
afterEach(() => w.simulator.close());

describe("the access token of a login", () => {
  it("is the one in hand while it is good", async () => {
    const vault = w.process();
    await w.login(vault);
    const token = await vault.accessToken("acme", "c1");
    expect((await vault.accessToken("acme", "c1")).reveal()).toBe(token.reveal());
    expect(`${token} ${JSON.stringify(token)} ${inspect(token)}`).not.toContain(token.reveal());
    expect(w.refreshes()).toHaveLength(0);
  });

  it("is refreshed ahead of its end, and known to other processes", async () => {
    const [one, other] = [w.process(), w.process()];
    await w.login(one);
    const first = await one.accessToken("acme", "c1");
    await w.clock.advance(HOUR - 7 * 60_000 + 60_001);
    const second = await one.credential("acme", "c1");
    expect(second.token.reveal()).not.toBe(first.reveal());
    expect(second).toMatchObject({ version: 2, appId: "default" });
    expect((await other.accessToken("acme", "c1")).reveal()).toBe(second.token.reveal());
    expect(w.refreshes()).toHaveLength(1);
  });

  it("is refreshed late in a short life, not all the time", async () => {
    const vault = w.process();
    w.simulator.knobs.accessTokenSeconds = 60;
    await w.login(vault);
    await w.clock.advance(40_000);
    await vault.accessToken("acme", "c1");
    expect(w.refreshes()).toHaveLength(0);
    await w.clock.advance(10_000);
    await vault.accessToken("acme", "c1");
    expect(w.refreshes()).toHaveLength(1);
  });

  it("spreads refreshes of many logins", async () => {
    let n = 0;
    const vault = w.process({ jitter: () => (n++ % 10) / 10 });
    for (let i = 0; i < 10; i += 1) await w.login(vault, "acme", `c${i}`);
    const due: number[] = [];
    for (let minute = 50; minute < 60; minute += 1) {
      await w.clock.advance((minute === 50 ? 50 : 1) * 60_000);
      for (let i = 0; i < 10; i += 1) await vault.accessToken("acme", `c${i}`);
      due.push(w.refreshes().length);
    }
    expect(new Set(due).size).toBeGreaterThan(2);
    expect(due.at(-1)).toBe(10);
  });

  it("is asked for once by any number of callers", async () => {
    const vault = w.process();
    await w.login(vault);
    await w.clock.advance(2 * HOUR);
    const tokens = await Promise.all(Array.from({ length: 50 }, () => vault.accessToken("acme", "c1")));
    expect(new Set(tokens.map((token) => token.reveal())).size).toBe(1);
    expect(w.refreshes()).toHaveLength(1);
  });

  it("stays in use where a refresh ahead fails, and the next try waits", async () => {
    const vault = w.process();
    await w.login(vault);
    const first = await vault.accessToken("acme", "c1");
    await w.clock.advance(HOUR - 5 * 60_000);
    const fault = w.simulator.faults.add({ area: "accounts", status: 503 });
    for (let i = 0; i < 5; i += 1) expect((await vault.accessToken("acme", "c1")).reveal()).toBe(first.reveal());
    expect(w.refreshes()).toHaveLength(3);
    fault.remove();
    await w.clock.advance(2_001);
    expect((await vault.accessToken("acme", "c1")).reveal()).not.toBe(first.reveal());
  });

  it("cools down in all processes where Snapchat does not answer, and recovers", async () => {
    const [one, other] = [w.process(), w.process()];
    await w.login(one);
    await w.clock.advance(2 * HOUR);
    const fault = w.simulator.faults.add({ area: "accounts", status: 503 });
    expect(await failure(one.accessToken("acme", "c1"))).toMatchObject({ code: "oauth_unavailable", kind: "retry" });
    const waiting = await failure(other.accessToken("acme", "c1"));
    expect(waiting).toMatchObject({ code: "refresh_cooling_down", kind: "retry" });
    expect(w.refreshes()).toHaveLength(3);
    fault.remove();
    await w.clock.advance(waiting.retryAfterMs as number);
    await other.accessToken("acme", "c1");
    expect(w.refreshes()).toHaveLength(4);
  });

  it("keeps the kind of a fault of the settings while cooling down", async () => {
    const vault = w.process();
    await w.login(vault);
    await w.clock.advance(2 * HOUR);
    w.simulator.faults.add({ area: "accounts", status: 401, body: { error: "invalid_client" } });
    const wrong = { kind: "fix_configuration" };
    expect(await failure(vault.accessToken("acme", "c1"))).toMatchObject({ code: "oauth_invalid_client", ...wrong });
    expect(await failure(vault.accessToken("acme", "c1"))).toMatchObject({ code: "refresh_cooling_down", ...wrong });
    expect((await vault.connections.get("acme", "c1"))?.status).toBe("connected");
  });

  it("is not confused by a host whose clock is wrong by a day", async () => {
    const vault = w.process();
    await w.login(vault);
    w.clock.jump(-24 * HOUR);
    await w.clock.advance(2 * HOUR);
    const { version } = await vault.credential("acme", "c1");
    expect(await vault.refused("acme", "c1", version)).toBe("retry");
    expect((await vault.credential("acme", "c1")).version).toBeGreaterThan(version);
  });

  it("is unknown for another tenant", async () => {
    const vault = w.process();
    await w.login(vault);
    const error = { code: "connection_unknown", kind: "fix_configuration" };
    expect(await failure(vault.accessToken("other", "c1"))).toMatchObject(error);
    expect(await failure(vault.accessToken("acme/c1", ""))).toMatchObject(error);
    expect(await vault.connections.get("other", "c1")).toBeUndefined();
    expect(await vault.connections.list("other")).toEqual([]);
    expect(await vault.connections.list("acm")).toEqual([]);
  });

  it("does not open where a record was copied to another tenant", async () => {
    const vault = w.process();
    await w.login(vault);
    const stolen = await w.records.get("connection/acme/c1");
    await w.records.put("connection/other/c1", stolen?.value as Uint8Array);
    expect(await failure(vault.accessToken("other", "c1"))).toMatchObject({ code: "sealed_invalid" });
  });

  it("stands nowhere in the storage in plain", async () => {
    const vault = w.process();
    await w.login(vault);
    const token = await vault.accessToken("acme", "c1");
    const dump = (await w.records.list("", { limit: 100 })).map(({ value }) => Buffer.from(value).toString("latin1"));
    expect(dump).toHaveLength(1);
    expect(dump.join()).not.toContain(token.reveal().slice(0, 20));
    expect(dump.join()).not.toContain("snapchat-marketing-api");
  });
});

describe("a login that Snapchat no longer accepts", () => {
  async function over(o: { onReauthRequired?: (t: ReauthTransition) => void | Promise<void> } = {}) {
    const told: ReauthTransition[] = [];
    const vault = w.process({ onReauthRequired: (t) => void told.push(t), ...o });
    await w.login(vault);
    w.simulator.control.revokeRefreshTokens();
    await w.clock.advance(2 * HOUR);
    return { vault, told };
  }

  it("is over at the first invalid_grant, told once, and asked for no more", async () => {
    const { vault, told } = await over();
    const error = await failure(vault.accessToken("acme", "c1"));
    expect(error).toMatchObject({ code: "reauth_required", kind: "reauthorize" });
    for (let i = 0; i < 5; i += 1) await failure(vault.accessToken("acme", "c1"));
    await vault.close();
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({ tenantId: "acme", connectionId: "c1", reason: "invalid_grant" });
    expect(w.refreshes()).toHaveLength(1);
    const info = await vault.connections.get("acme", "c1");
    expect(info).toMatchObject({ status: "reauth_required", reauth: { transitionId: told[0]?.transitionId } });
  });

  it("is told again by another process where the first died before the host had heard", async () => {
    const never = new Promise<void>(() => {});
    const { vault } = await over({ onReauthRequired: () => never });
    await failure(vault.accessToken("acme", "c1"));
    const told: ReauthTransition[] = [];
    const other = w.process({ onReauthRequired: (t) => void told.push(t) });
    await failure(other.accessToken("acme", "c1"));
    await other.close();
    expect(told).toHaveLength(0);
    await w.clock.advance(61_000);
    await other.keepAlive();
    expect(told).toHaveLength(1);
    await other.keepAlive();
    await w.clock.advance(61_000);
    await other.keepAlive();
    expect(told).toHaveLength(1);
  });

  it("is told again where the host's own code failed, though nobody asks for the token any more", async () => {
    let calls = 0;
    const { vault } = await over({
      onReauthRequired: () => {
        calls += 1;
        if (calls < 3) throw new Error("no mail today");
      },
    });
    await failure(vault.accessToken("acme", "c1"));
    const seen: number[] = [];
    for (let minutes = 0; minutes < 6; minutes += 1) {
      await w.clock.advance(61_000);
      seen.push(calls);
    }
    expect(seen).toEqual([2, 2, 3, 3, 3, 3]);
    expect(w.clock.sleeping).toBe(0);
  });

  it("is told no more after close", async () => {
    let calls = 0;
    const { vault } = await over({
      onReauthRequired: () => {
        calls += 1;
        throw new Error("no mail today");
      },
    });
    await failure(vault.accessToken("acme", "c1"));
    await vault.close();
    await w.clock.advance(HOUR);
    expect([calls, w.clock.sleeping]).toEqual([1, 0]);
  });

  it("lives again after a new sign-in, as a new transition when it ends again", async () => {
    const { vault, told } = await over();
    await failure(vault.accessToken("acme", "c1"));
    const saved = await w.login(vault);
    expect(saved).toMatchObject({ status: "connected", tokenVersion: 2 });
    expect(saved.reauth).toBeUndefined();
    await vault.accessToken("acme", "c1");
    w.simulator.control.revokeRefreshTokens();
    await w.clock.advance(2 * HOUR);
    await failure(vault.accessToken("acme", "c1"));
    await vault.close();
    expect(told).toHaveLength(2);
    expect(told[0]?.transitionId).not.toBe(told[1]?.transitionId);
  });

  it("is not declared over by the refusal of a refresh token that was replaced meanwhile", async () => {
    const vault = w.process();
    await w.login(vault);
    await w.clock.advance(2 * HOUR);
    // While the old token is being refused, somebody signs in again.
    w.simulator.faults.add({
      area: "accounts",
      status: 400,
      body: { error: "invalid_grant" },
      delayMs: 5_000,
      count: 1,
    });
    const asked = vault.accessToken("acme", "c1");
    await until(() => w.clock.sleeping > 0);
    await w.login(w.process());
    await w.clock.advance(5_000);
    await asked;
    expect((await vault.connections.get("acme", "c1"))?.status).toBe("connected");
  });
});

describe("a refused token", () => {
  it("is replaced at once, for all who were refused", async () => {
    const vault = w.process();
    await w.login(vault);
    const { version } = await vault.credential("acme", "c1");
    const answers = await Promise.all(Array.from({ length: 10 }, () => vault.refused("acme", "c1", version)));
    expect(new Set(answers)).toEqual(new Set(["retry"]));
    expect(w.refreshes()).toHaveLength(1);
    expect(await vault.refused("acme", "c1", version)).toBe("retry");
    expect(w.refreshes()).toHaveLength(1);
  });

  it("pauses where the login is over or forgotten", async () => {
    const vault = w.process();
    await w.login(vault);
    w.simulator.control.revokeRefreshTokens();
    expect(await vault.refused("acme", "c1", 1)).toBe("pause");
    await vault.connections.disconnect("acme", "c1");
    expect(await vault.refused("acme", "c1", 1)).toBe("pause");
  });

  it("is waited with where fresh ones are refused too, and ends the login in the third in five minutes", async () => {
    const told: ReauthTransition[] = [];
    const vault = w.process({ onReauthRequired: (t) => void told.push(t) });
    await w.login(vault);
    const seen: string[] = [];
    const started = w.clock.now();
    for (let i = 0; i < 60 && told.length === 0; i += 1) {
      try {
        const { version } = await vault.credential("acme", "c1");
        seen.push(await vault.refused("acme", "c1", version));
      } catch (error) {
        const { code, retryAfterMs } = error as { code: string; retryAfterMs: number };
        seen.push(code);
        await w.clock.advance(retryAfterMs);
      }
      await vault.close();
    }
    expect(seen[0]).toBe("retry");
    expect(seen[2]).toBe("token_refused");
    expect(seen.at(-1)).toBe("pause");
    expect(told[0]).toMatchObject({ reason: "token_refused" });
    expect(w.clock.now() - started).toBeGreaterThanOrEqual(5 * 60_000);
    expect(w.refreshes().length).toBeLessThan(8);
  });

  it("is not given out again while it cannot be replaced", async () => {
    const vault = w.process();
    await w.login(vault);
    const first = await vault.credential("acme", "c1");
    const fault = w.simulator.faults.add({ area: "accounts", status: 503 });
    expect(await vault.refused("acme", "c1", first.version)).toBe("retry");
    const error = await failure(vault.credential("acme", "c1"));
    expect(error).toMatchObject({ code: "oauth_unavailable", kind: "retry" });
    expect(await vault.refused("acme", "c1", first.version)).toBe("retry");
    const asked = w.refreshes().length;
    expect(asked).toBe(3);
    fault.remove();
    await w.clock.advance(error.retryAfterMs as number);
    expect((await vault.credential("acme", "c1")).version).toBe(2);
    expect(w.refreshes()).toHaveLength(asked + 1);
  });

  it("begins a new count where a token had worked for a while", async () => {
    const vault = w.process();
    await w.login(vault);
    for (let i = 0; i < 5; i += 1) {
      const { version } = await vault.credential("acme", "c1");
      expect(await vault.refused("acme", "c1", version)).toBe("retry");
      await w.clock.advance(20 * 60_000);
    }
  });
});

describe("keeping logins", () => {
  it("refreshes those that were idle for a week, and no others", async () => {
    const vault = w.process();
    await w.login(vault, "acme", "idle");
    await w.clock.advance(4 * 24 * HOUR);
    await w.login(vault, "other", "young");
    await w.clock.advance(4 * 24 * HOUR);
    expect(await w.process().keepAlive()).toEqual({ connections: 2, refreshed: 1, failed: 0 });
    expect(await w.process().keepAlive()).toEqual({ connections: 2, refreshed: 0, failed: 0 });
  });

  it("keeps one login's trouble to itself", async () => {
    const vault = w.process();
    await w.login(vault, "acme", "c1");
    await w.records.put("connection/acme/broken", new Uint8Array([1, 2, 3]));
    await w.login(vault, "zeta", "c2");
    await w.clock.advance(8 * 24 * HOUR);
    expect(await vault.keepAlive()).toEqual({ connections: 3, refreshed: 2, failed: 1 });
  });

  it("takes over logins from another system", async () => {
    const vault = w.process();
    const tokens = w.simulator.control.issueToken();
    const saved = await vault.connections.import("acme", {
      refreshToken: ` ${tokens.refresh_token}\n`,
      scopes: ["snapchat-marketing-api"],
    });
    expect(saved).toMatchObject({ status: "connected", missingScopes: ["snapchat-offline-conversions-api"] });
    expect((await vault.accessToken("acme", saved.id)).reveal()).toMatch(/^ey/);
    expect(w.refreshes()).toHaveLength(1);
    const error = await failure(vault.connections.import("acme", { refreshToken: " " }));
    expect(error).toMatchObject({ code: "refresh_token_missing", kind: "fix_data" });
  });

  it("tells whether the same person signed in again", async () => {
    const vault = w.process();
    const tokens = {
      accessToken: new Secret("a"),
      refreshToken: new Secret("r"),
      expiresInMs: HOUR,
      scopes: undefined,
    };
    const save = (personId?: string) => vault.connections.save("acme", { id: "c1", tokens, person: { id: personId } });
    expect((await save("ada")).replaced).toBe("new");
    expect((await save("ada")).replaced).toBe("same_person");
    expect((await save("ben")).replaced).toBe("other_person");
    expect((await save()).replaced).toBe("unknown");
  });

  it("forgets a login for good, a refresh under way included", async () => {
    const [one, other] = [w.process(), w.process()];
    await w.login(one);
    await w.clock.advance(2 * HOUR);
    w.simulator.faults.add({ area: "accounts", delayMs: 5_000, count: 1 });
    const asked = failure(one.accessToken("acme", "c1"));
    await until(() => w.clock.sleeping > 0);
    expect(await other.connections.disconnect("acme", "c1")).toBe(true);
    await w.clock.advance(5_000);
    expect(await asked).toMatchObject({ code: "connection_unknown" });
    expect(await w.records.list("connection/", { limit: 10 })).toEqual([]);
    expect(await other.connections.disconnect("acme", "c1")).toBe(false);
  });

  it("forgets in other processes within two seconds", async () => {
    const [one, other] = [w.process(), w.process()];
    await w.login(one);
    await other.accessToken("acme", "c1");
    await one.connections.disconnect("acme", "c1");
    await w.clock.advance(2_000);
    expect(await failure(other.accessToken("acme", "c1"))).toMatchObject({ code: "connection_unknown" });
  });

  it("names the app that is missing", async () => {
    const vault = w.process({ oauthClient: undefined, apps: {} });
    await w.login(w.process());
    await w.clock.advance(2 * HOUR);
    expect(await failure(vault.accessToken("acme", "c1"))).toMatchObject({
      code: "oauth_app_unknown",
      kind: "fix_configuration",
    });
  });

  it("refuses a wrong redirect URI when it is made", async () => {
    const apps = { default: { ...w.app, redirectUri: "http://cdp.example/cb" } };
    expect(await failure(() => w.process({ oauthClient: undefined, apps }))).toMatchObject({
      code: "redirect_uri_insecure",
    });
  });
});

describe("keys", () => {
  it("are rotated under use, with progress, and say when the old one may go", async () => {
    const old = w.process();
    for (let i = 0; i < 5; i += 1) await w.login(old, "acme", `c${i}`);
    const digest = await old.tenantDigestKey("acme");
    const both = createSealer({ keys: [OTHER_KEY, KEY] });
    const vault = w.process({ sealer: both });
    const [newId, oldId] = both.keyIds as [string, string];
    expect(await vault.keys.inUse()).toEqual([
      { keyId: newId, sealing: true, records: 0, payloads: true, mayGo: false },
      { keyId: oldId, sealing: false, records: 6, payloads: true, mayGo: false },
    ]);
    const progress: number[] = [];
    const report = await vault.keys.rotate({ onProgress: ({ records }) => progress.push(records) });
    expect(report).toEqual({ records: 6, resealed: 6, failed: 0, errors: {} });
    expect(progress).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await vault.keys.rotate()).toMatchObject({ records: 6, resealed: 0 });
    const use = async () => (await vault.keys.inUse()).find(({ keyId }) => keyId === oldId);
    expect(await use()).toMatchObject({ records: 0, payloads: true, mayGo: false });
    await w.clock.advance(68 * 24 * HOUR);
    expect(await use()).toMatchObject({ payloads: false, mayGo: true });
    const alone = w.process({ sealer: createSealer({ keys: [OTHER_KEY] }) });
    expect((await alone.connections.list("acme")).map(({ id }) => id)).toEqual(["c0", "c1", "c2", "c3", "c4"]);
    expect(await alone.tenantDigestKey("acme")).toEqual(digest);
  });

  it("may go as soon as nothing older than the rotation waits", async () => {
    let oldest: number | undefined = w.clock.now();
    const sealer = createSealer({ keys: [OTHER_KEY, KEY] });
    const vault = w.process({ sealer, oldestPayloadMs: async () => oldest });
    await w.clock.advance(1_000);
    await vault.keys.rotate();
    const mayGo = async () => (await vault.keys.inUse())[1]?.mayGo;
    expect(await mayGo()).toBe(false);
    oldest = undefined;
    expect(await mayGo()).toBe(true);
    oldest = w.clock.now() + 1;
    expect(await mayGo()).toBe(true);
  });

  it("rotate while tokens are refreshed, and lose nothing", async () => {
    // The new key is known everywhere before it seals anywhere.
    const old = w.process({ sealer: createSealer({ keys: [KEY, OTHER_KEY] }) });
    await w.login(old);
    await w.clock.advance(2 * HOUR);
    w.simulator.knobs.refreshToken = "rotated";
    w.simulator.faults.add({ area: "accounts", delayMs: 5_000, count: 1 });
    const asked = old.accessToken("acme", "c1");
    await until(() => w.clock.sleeping > 0);
    const vault = w.process({ sealer: createSealer({ keys: [OTHER_KEY, KEY] }) });
    expect(await vault.keys.rotate()).toMatchObject({ resealed: 1 });
    await w.clock.advance(5_000);
    const token = await asked;
    expect((await vault.accessToken("acme", "c1")).reveal()).toBe(token.reveal());
    await w.clock.advance(2 * HOUR);
    await vault.accessToken("acme", "c1");
  });

  it("leave what does not open, and count it", async () => {
    await w.login(w.process());
    await w.records.put("connection/acme/zz", new Uint8Array([1, 118]));
    const vault = w.process({ sealer: createSealer({ keys: [OTHER_KEY, KEY] }) });
    expect(await vault.keys.rotate()).toEqual({ records: 2, resealed: 1, failed: 1, errors: { sealed_invalid: 1 } });
  });

  it("take Conversions tokens along, and records of another form", async () => {
    const encoder = new TextEncoder();
    const decoder = new TextDecoder();
    const seal = (aad: string) => w.sealer.sealText("token", aad);
    await w.records.put(
      "secret/acme/d1/conversions_token",
      encoder.encode(`\u0001${seal("acme/d1/conversions_token")}`),
    );
    await w.records.put("own/acme", encoder.encode(seal("acme")));
    const own: SealedKind = {
      prefix: "own/",
      aad: (key) => key.slice("own/".length),
      read: (value) => decoder.decode(value),
      write: (_value, sealed) => encoder.encode(sealed),
    };
    const vault = w.process({ sealer: createSealer({ keys: [OTHER_KEY, KEY] }), sealedKinds: [own] });
    expect(await vault.keys.rotate()).toMatchObject({ records: 2, resealed: 2 });
    const alone = createSealer({ keys: [OTHER_KEY] });
    const value = async (key: string) => decoder.decode((await w.records.get(key))?.value);
    const secret = (await value("secret/acme/d1/conversions_token")).slice(1);
    expect(alone.openText(secret, "acme/d1/conversions_token")).toBe("token");
    expect(alone.openText(await value("own/acme"), "acme")).toBe("token");
  });

  it("that are gone lose nothing: with the key back, the login is there", async () => {
    await w.login(w.process());
    const without = w.process({ sealer: createSealer({ keys: [OTHER_KEY] }) });
    expect(await failure(without.accessToken("acme", "c1"))).toMatchObject({ code: "encryption_key_gone" });
    expect(await failure(without.connections.list("acme"))).toMatchObject({ code: "encryption_key_gone" });
    await w.process({ sealer: createSealer({ keys: [OTHER_KEY, KEY] }) }).accessToken("acme", "c1");
  });

  it("that are lost for good do not stand in the way of a new sign-in", async () => {
    const lost = w.process();
    await w.login(lost);
    await w.clock.advance(2 * HOUR);
    await lost.credential("acme", "c1");
    const vault = w.process({ sealer: createSealer({ keys: [OTHER_KEY] }) });
    const saved = await w.login(vault);
    expect(saved.replaced).toBe("unknown");
    expect(saved.tokenVersion).toBeGreaterThan(2);
    await vault.accessToken("acme", "c1");
  });

  it("for digests are one per tenant, the same in every process, and destroyed with the tenant", async () => {
    const [one, other] = [w.process(), w.process()];
    const keys = await Promise.all([
      one.tenantDigestKey("acme"),
      other.tenantDigestKey("acme"),
      one.tenantDigestKey("b"),
    ]);
    expect(keys[0]).toHaveLength(32);
    expect(keys[0]).toEqual(keys[1]);
    expect(keys[0]).not.toEqual(keys[2]);
    await w.login(one, "acme");
    await w.login(one, "b");
    expect(await one.forgetTenant("acme")).toEqual({ connections: 1 });
    expect(await one.forgetTenant("acme")).toEqual({ connections: 0 });
    expect((await w.records.list("", { limit: 10 })).map(({ key }) => key)).toEqual([
      "connection/b/c1",
      "digest-key/b",
    ]);
    expect(await one.tenantDigestKey("acme")).not.toEqual(keys[0]);
  });
});
