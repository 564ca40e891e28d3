import { memory } from "snapchat-destination/memory";
import { createSealer, createVault, OAuthClient, type VaultOptions } from "../../src/auth/index.ts";
import { Secret } from "../../src/errors.ts";
import type { Records } from "../../src/storage/ports.ts";
import { createFakeClock } from "../../src/testing/clock.ts";
import { createSimulator, type SimulatorOptions } from "../../src/testing/simulator/index.ts";

export const KEY = Buffer.from(Array.from({ length: 32 }, (_, i) => (i * 37 + 11) % 256)).toString("base64");
export const OTHER_KEY = Buffer.from(Array.from({ length: 32 }, (_, i) => (i * 91 + 5) % 256)).toString("base64");
export const REDIRECT_URI = "https://cdp.example/snapchat/callback";

/** A Snapchat, a storage and a clock that stand still together until a test moves them. */
export async function world(o: { simulator?: SimulatorOptions; records?: Records } = {}) {
  const clock = createFakeClock();
  const simulator = await createSimulator({ listen: false, clock, ...o.simulator });
  const storage = memory({ clock });
  const records = o.records ?? storage.records;
  const sealer = createSealer({ keys: [KEY] });
  const { clientId, clientSecret } = simulator.world;
  const app = { clientId, clientSecret, redirectUri: REDIRECT_URI };
  const client = () =>
    new OAuthClient({
      ...app,
      endpoints: simulator.endpoints,
      fetch: simulator.fetch,
      clock,
      retry: { minTimeoutMs: 0 },
    });
  /** One logical process: nothing is shared but the records. */
  const process = (options: Partial<VaultOptions> = {}) =>
    createVault({
      records,
      sealer,
      apps: { default: app },
      oauthClient: client,
      clock,
      jitter: () => 0.5,
      ...options,
    });
  /** A login made without the pages. */
  const login = async (vault: ReturnType<typeof process>, tenantId = "acme", id = "c1") => {
    const tokens = simulator.control.issueToken();
    return vault.connections.save(tenantId, {
      id,
      tokens: {
        accessToken: new Secret(tokens.access_token),
        refreshToken: new Secret(tokens.refresh_token),
        expiresInMs: tokens.expires_in * 1_000,
        scopes: tokens.scope.split(" "),
      },
    });
  };
  /** Lets time pass until a promise is settled that waits for it now and then. */
  const passing = async <T>(promise: Promise<T>): Promise<T> => {
    let settled = false;
    const done = () => {
      settled = true;
    };
    promise.then(done, done);
    while (!settled) {
      await new Promise((resolve) => setImmediate(resolve));
      if (clock.sleeping > 0) await clock.advance(20);
    }
    return promise;
  };
  const refreshes = () =>
    simulator.inspect.requests.filter(({ area, method }) => area === "accounts" && method === "POST");
  return { clock, simulator, storage, records, sealer, app, client, process, login, passing, refreshes };
}

export type TestWorld = Awaited<ReturnType<typeof world>>;

/** The error that a promise rejects with. */
export async function failure(promise: Promise<unknown> | (() => unknown)): Promise<Record<string, unknown>> {
  try {
    await (typeof promise === "function" ? promise() : promise);
  } catch (error) {
    return error as Record<string, unknown>;
  }
  throw new Error("It did not fail.");
}

/** Waits for an event that real input and output bring about. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
