import { randomBytes } from "node:crypto";
import type { createSnapchat, ReauthRequired, Snapchat } from "snapchat-destination";
import { createFakeClock, createSimulator, type FakeClock, type Simulator } from "snapchat-destination/testing";
import { memory } from "../../../src/storage/memory/index.ts";
import type { Storage } from "../../../src/storage/ports.ts";
import { onClock } from "../../delivery/support.ts";
import { NO_LIMITS } from "../../snapchat/shop.ts";

/** How a history's world is made. */
export interface WorldOptions {
  create: typeof createSnapchat;
  random(): number;
  /** Requests go over sockets instead of straight into the simulator. */
  sockets?: boolean | undefined;
  /** An empty engine on the history's clock, and when it has answered all that it was asked. Default: memory. */
  engine?: ((clock: FakeClock) => Promise<{ storage: Storage; idle(): Promise<void> }>) | undefined;
}

/** The whole package as a host composes it, a worker at work, and Snapchat, all on one virtual clock. */
export interface World {
  clock: FakeClock;
  snapchat: Snapchat;
  simulator: Simulator;
  /** The engine itself. */
  storage: Storage;
  /** Every call of `onReauthRequired`. */
  reauth: ReauthRequired[];
  close(): Promise<void>;
}

const REDIRECT_URI = "http://127.0.0.1:8080/snapchat/callback";

export async function openWorld({ create, random, sockets = false, engine }: WorldOptions): Promise<World> {
  await Promise.all([import("ky"), import("p-retry"), import("zod")]);
  let busy = 0;
  let engineIdle: () => Promise<void> = async () => {};
  const clock: FakeClock = createFakeClock({
    async idle() {
      for (let calm = 0; calm < 3; ) {
        await engineIdle();
        await new Promise((resolve) => setImmediate(resolve));
        calm = busy === 0 ? calm + 1 : 0;
      }
    },
  });
  const opened = engine ? await engine(clock) : { storage: memory({ clock }), idle: async () => {} };
  engineIdle = opened.idle;
  const simulator = await createSimulator({
    listen: sockets,
    clock: {
      now: clock.now,
      async sleep(ms) {
        busy -= 1;
        await clock.sleep(ms);
        busy += 1;
      },
    },
    people: ["ada", "ben", "cleo"],
    organizations: [
      {
        name: "Northwind",
        adAccounts: ["UK", "DE", "FR", "US"].map((name) => ({ name, pixels: [`${name} shop`] })),
        roles: { ada: ["admin"], ben: ["admin"], cleo: ["admin"] },
      },
    ],
    knobs: { rateLimits: false, latencyMs: 5 },
  });
  const { clientId, clientSecret } = simulator.world;
  simulator.world.redirectUris.add(REDIRECT_URI);
  const reauth: ReauthRequired[] = [];
  const snapchat = create({
    app: { clientId, clientSecret, redirectUri: REDIRECT_URI },
    storage: onClock(late(opened.storage, clock, random), clock, 1_000),
    acceptLoss: true,
    encryptionKeys: [randomBytes(32).toString("base64")],
    endpoints: simulator.endpoints,
    allowEndpoints: Object.values(simulator.endpoints),
    delivery: { lingerMs: 0, memberLingerMs: 0 },
    limits: NO_LIMITS,
    onReauthRequired: (event) => reauth.push(event),
    clock,
    async fetch(request) {
      busy += 1;
      try {
        const response = await (sockets ? fetch(request) : simulator.fetch(request));
        const body = await response.arrayBuffer();
        return new Response(body.byteLength === 0 ? null : body, response);
      } finally {
        busy -= 1;
      }
    },
  });
  const worker = snapchat.startWorker();
  return {
    clock,
    snapchat,
    simulator,
    storage: opened.storage,
    reauth,
    async close() {
      await clock.run(worker.stop().then(() => snapchat.close()));
      await simulator.close();
    },
  };
}

/** Every call of the storage takes a moment, so that what runs at the same time overlaps in every way. */
function late(storage: Storage, clock: FakeClock, random: () => number): Storage {
  const port = <T extends object>(methods: T): T =>
    Object.fromEntries(
      Object.entries(methods).map(([name, value]) => [
        name,
        typeof value === "function"
          ? async (...args: unknown[]) => {
              await clock.sleep(random() * 4);
              return (value as (...a: unknown[]) => unknown).apply(methods, args);
            }
          : port(value as object),
      ]),
    ) as T;
  const { watch: _, ...records } = port(storage.records);
  return Object.create(storage, {
    records: { value: records },
    outbox: { value: port(storage.outbox) },
    ...(storage.members ? { members: { value: port(storage.members) } } : {}),
  }) as Storage;
}
