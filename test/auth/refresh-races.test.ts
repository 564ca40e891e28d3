import { describe, expect, it } from "vitest";
import { OAuthClient, type Vault } from "../../src/auth/index.ts";
import { putIfVersion } from "../../src/auth/sealed-records.ts";
import type { Fetch } from "../../src/http/index.ts";
import { storageError } from "../../src/storage/errors.ts";
import type { Records } from "../../src/storage/ports.ts";
import { failure, type TestWorld, until, world } from "./support.ts";

const HOUR = 3_600_000;

function seeded(seed: number): () => number {
  let state = seed * 2_654_435_761;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Records over a slow network: every call takes a while before and after, and some answers get lost. */
function slow(w: TestWorld, random: () => number, lost = 0): Records {
  const wait = () => w.clock.sleep(Math.floor(random() * 12));
  const call = async <T>(task: () => Promise<T>): Promise<T> => {
    await wait();
    const before = random() < lost;
    if (before) throw storageError("unavailable", "Cut before.", "Repeat.");
    const answer = await task();
    await wait();
    if (random() < lost) throw storageError("unavailable", "Cut after.", "Repeat.");
    return answer;
  };
  const { records } = w;
  return {
    get: (key) => call(() => records.get(key)),
    put: (key, value, o) => call(() => records.put(key, value, o)),
    delete: (key, o) => call(() => records.delete(key, o)),
    list: (prefix, o) => call(() => records.list(prefix, o)),
    now: () => call(() => records.now()),
  };
}

/** Counts requests to the token endpoint that are under way at once, over all logical processes. */
function watched(w: TestWorld) {
  const seen = { inFlight: 0, most: 0, succeeded: 0 };
  const fetch: Fetch = async (request) => {
    seen.inFlight += 1;
    seen.most = Math.max(seen.most, seen.inFlight);
    try {
      await w.clock.sleep(20);
      const response = await w.simulator.fetch(request);
      if (response.status === 200) seen.succeeded += 1;
      return response;
    } finally {
      seen.inFlight -= 1;
    }
  };
  return { seen, fetch };
}

function clientWith(w: TestWorld, fetch: Fetch) {
  const options = { ...w.app, endpoints: w.simulator.endpoints, fetch, clock: w.clock, retry: { minTimeoutMs: 0 } };
  return () => new OAuthClient(options);
}

/** What a host does with kind `retry`: again after the wait it was told. */
async function insist(w: TestWorld, vault: Vault): Promise<{ version: number; token: string }> {
  for (;;) {
    try {
      const { token, version } = await vault.credential("acme", "c1");
      return { token: token.reveal(), version };
    } catch (error) {
      const { kind, retryAfterMs = 200 } = error as { kind?: string; retryAfterMs?: number };
      if (kind !== "retry") throw error;
      await w.clock.sleep(retryAfterMs);
    }
  }
}

describe("eight processes that need the token at the moment it expires", () => {
  for (const refreshToken of ["same", "rotated"] as const) {
    it.each(Array.from({ length: 10 }, (_, i) => i + 1))(
      `refresh it once a round (${refreshToken} refresh token, a fifth of the answers fail), seed %i`,
      async (seed) => {
        const w = await world({ simulator: { seed, knobs: { refreshToken } } });
        w.simulator.faults.add({ area: "accounts", status: 503, probability: 0.1, seed });
        w.simulator.faults.add({ area: "accounts", status: 429, probability: 0.06, seed: seed + 1 });
        w.simulator.faults.add({ area: "accounts", reset: true, probability: 0.06, seed: seed + 2 });
        const { seen, fetch } = watched(w);
        const random = seeded(seed);
        const records = slow(w, random, 0.02);
        const lost: unknown[] = [];
        const processes = Array.from({ length: 8 }, () =>
          w.process({
            records,
            jitter: random,
            oauthClient: clientWith(w, fetch),
            onReauthRequired: (transition) => void lost.push(transition),
          }),
        );
        await w.login(w.process());
        for (let round = 1; round <= 10; round += 1) {
          await w.clock.advance(2 * HOUR);
          const answers = await w.passing(Promise.all(processes.map((vault) => insist(w, vault))));
          expect(new Set(answers.map(({ token }) => token)).size).toBe(1);
          expect(new Set(answers.map(({ version }) => version))).toEqual(new Set([round + 1]));
          expect(seen.succeeded).toBe(round);
        }
        expect(seen.most).toBe(1);
        expect(lost).toEqual([]);
        await w.simulator.close();
      },
    );
  }
});

/** A process that stops for ever, or for a while, at one point of its way. */
type Point = "before_request" | "between_answer_and_write" | "after_write";

function stoppingAt(w: TestWorld, point: Point, forMs: number) {
  let stopped = 0;
  const stop = async () => {
    stopped += 1;
    await w.clock.sleep(forMs);
  };
  const fetch: Fetch = async (request) => {
    if (point === "before_request") await stop();
    const response = await w.simulator.fetch(request);
    if (point === "between_answer_and_write") await stop();
    return response;
  };
  const records: Records = {
    ...w.records,
    get: (key) => w.records.get(key),
    async put(key, value, o) {
      const version = await w.records.put(key, value, o);
      if (point === "after_write" && key.startsWith("connection/")) await stop();
      return version;
    },
  };
  return { vault: w.process({ records, oauthClient: clientWith(w, fetch) }), stopped: () => stopped > 0 };
}

const FOR_EVER = 10 ** 12;
const successes = (w: TestWorld) => w.refreshes().filter(({ status }) => status === 200).length;

describe("a process that is killed while it refreshes", () => {
  for (const refreshToken of ["same", "rotated"] as const) {
    for (const point of ["before_request", "between_answer_and_write", "after_write"] as const) {
      it(`${point.replaceAll("_", " ")} (${refreshToken} refresh token) costs at most one refresh more`, async () => {
        const w = await world({ simulator: { knobs: { refreshToken } } });
        await w.login(w.process());
        await w.clock.advance(2 * HOUR);
        const dying = stoppingAt(w, point, FOR_EVER);
        void dying.vault.credential("acme", "c1").catch(() => {});
        await until(dying.stopped);
        const others = [w.process(), w.process(), w.process()];
        const mayEnd = point === "between_answer_and_write" && refreshToken === "rotated";
        const ends = await w.passing(
          Promise.all(
            others.map((vault) =>
              insist(w, vault).then(
                () => "token",
                (error) => error.code as string,
              ),
            ),
          ),
        );
        expect(new Set(ends)).toEqual(new Set([mayEnd ? "reauth_required" : "token"]));
        expect(successes(w)).toBe(point === "between_answer_and_write" && !mayEnd ? 2 : 1);
        const requests = w.refreshes().length;
        expect(requests).toBeLessThanOrEqual(2);
        // Never in a loop: asked again, the others send nothing.
        for (const vault of others) await insist(w, vault).catch(() => {});
        expect(w.refreshes()).toHaveLength(requests);
        await w.simulator.close();
      });
    }
  }
});

describe("a process that stands still longer than its lease", () => {
  it("overwrites nothing newer when it wakes up", async () => {
    const w = await world();
    await w.login(w.process());
    await w.clock.advance(2 * HOUR);
    const stale = stoppingAt(w, "between_answer_and_write", 120_000);
    const late = stale.vault.credential("acme", "c1");
    await until(stale.stopped);
    await w.clock.advance(60_000);
    const fresh = await w.process().credential("acme", "c1");
    await w.clock.advance(60_000);
    expect((await late).token.reveal()).toBe(fresh.token.reveal());
    expect((await w.process().credential("acme", "c1")).version).toBe(2);
  });

  it("does not end a login whose refresh token another process replaced", async () => {
    const w = await world({ simulator: { knobs: { refreshToken: "rotated" } } });
    await w.login(w.process());
    await w.clock.advance(2 * HOUR);
    const stale = stoppingAt(w, "before_request", 120_000);
    const late = stale.vault.credential("acme", "c1");
    await until(stale.stopped);
    await w.clock.advance(60_000);
    const fresh = await w.process().credential("acme", "c1");
    await w.clock.advance(60_000);
    expect((await late).token.reveal()).toBe(fresh.token.reveal());
    expect((await w.process().connections.get("acme", "c1"))?.status).toBe("connected");
  });

  it("brings a login back to life that was given up while it held the only good token", async () => {
    const w = await world({ simulator: { knobs: { refreshToken: "rotated" } } });
    await w.login(w.process());
    await w.clock.advance(2 * HOUR);
    const holder = stoppingAt(w, "between_answer_and_write", 120_000);
    const late = holder.vault.credential("acme", "c1");
    await until(holder.stopped);
    await w.clock.advance(60_000);
    expect(await failure(w.process().credential("acme", "c1"))).toMatchObject({ code: "reauth_required" });
    await w.clock.advance(60_000);
    await late;
    const info = await w.process().connections.get("acme", "c1");
    expect(info).toMatchObject({ status: "connected", tokenVersion: 2 });
    expect(info?.reauth).toBeUndefined();
    await w.clock.advance(2 * HOUR);
    await w.process().credential("acme", "c1");
  });
});

describe("a refresh that takes longer than one lease", () => {
  it("keeps the lock over all of its attempts", async () => {
    const w = await world();
    await w.login(w.process());
    await w.clock.advance(2 * HOUR);
    w.simulator.faults.add({ area: "accounts", status: 503, count: 2 });
    const seen = { inFlight: 0, most: 0 };
    const fetch: Fetch = async (request) => {
      seen.inFlight += 1;
      seen.most = Math.max(seen.most, seen.inFlight);
      await w.clock.sleep(20_000);
      seen.inFlight -= 1;
      return w.simulator.fetch(request);
    };
    const vaults = [1, 2, 3].map(() => w.process({ oauthClient: clientWith(w, fetch) }));
    await w.passing(Promise.all(vaults.map((vault) => insist(w, vault))));
    expect(seen.most).toBe(1);
    expect(w.refreshes()).toHaveLength(3);
  });
});

describe("a conditional write whose answer is lost", () => {
  const put = (w: TestWorld, records: Records, text: string) =>
    putIfVersion(records, w.clock, "k", new TextEncoder().encode(text), { ifVersion: 0 });

  it("knows its own first write again, and nobody else's", async () => {
    const w = await world();
    let lose = true;
    const records: Records = {
      ...w.records,
      get: (key) => w.records.get(key),
      async put(key, value, o) {
        const version = await w.records.put(key, value, o);
        if (!lose) return version;
        lose = false;
        throw storageError("unavailable", "Cut after.", "Repeat.");
      },
    };
    const written = await w.passing(put(w, records, "mine"));
    expect(written).toBe((await w.records.get("k"))?.version);
    lose = true;
    expect(await w.passing(put(w, records, "mine"))).toBe("conflict");
    await w.records.delete("k");
    const beaten: Records = {
      ...w.records,
      get: (key) => w.records.get(key),
      async put(key, value, o) {
        if (!(await w.records.get("k"))) {
          await w.records.put("k", new TextEncoder().encode("theirs"));
          throw storageError("unavailable", "Cut before.", "Repeat.");
        }
        return w.records.put(key, value, o);
      },
    };
    expect(await w.passing(put(w, beaten, "mine"))).toBe("conflict");
  });
});

describe("a storage that fails between Snapchat's answer and the write", () => {
  it("gets the token a moment later, and no token is used before it is stored", async () => {
    const w = await world({ simulator: { knobs: { refreshToken: "rotated" } } });
    await w.login(w.process());
    await w.clock.advance(2 * HOUR);
    let down = true;
    const records: Records = {
      ...w.records,
      put: (key, value, o) => {
        if (down && key.startsWith("connection/")) return Promise.reject(storageError("unavailable", "Down.", "Wait."));
        return w.records.put(key, value, o);
      },
    };
    const vault = w.process({ records });
    const error = await w.passing(failure(vault.credential("acme", "c1")));
    expect(error).toMatchObject({ code: "storage_unavailable", kind: "retry" });
    down = false;
    expect((await vault.credential("acme", "c1")).version).toBe(2);
    expect(successes(w)).toBe(1);
    await w.clock.advance(2 * HOUR);
    expect((await w.process().credential("acme", "c1")).version).toBe(3);
  });

  it("heals a login that another process declared over meanwhile", async () => {
    const w = await world({ simulator: { knobs: { refreshToken: "rotated" } } });
    await w.login(w.process());
    await w.clock.advance(2 * HOUR);
    let down = true;
    const records: Records = {
      ...w.records,
      put: (key, value, o) => {
        if (down && key.startsWith("connection/")) return Promise.reject(storageError("unavailable", "Down.", "Wait."));
        return w.records.put(key, value, o);
      },
    };
    const vault = w.process({ records });
    await w.passing(failure(vault.credential("acme", "c1")));
    expect(await failure(w.process().credential("acme", "c1"))).toMatchObject({ code: "reauth_required" });
    down = false;
    expect((await vault.credential("acme", "c1")).version).toBe(2);
    expect((await w.process().credential("acme", "c1")).version).toBe(2);
  });
});
