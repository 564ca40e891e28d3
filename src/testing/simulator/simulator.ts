import { createAccounts } from "./accounts/endpoint.ts";
import { createAds } from "./ads/endpoint.ts";
import { createWorld } from "./build-world.ts";
import { type Control, createControl } from "./control.ts";
import { createControlPages } from "./control-pages.ts";
import { createConversions } from "./conversions/endpoint.ts";
import { createEventStore, type EventTotals } from "./conversions/store.ts";
import { type Core, limitsOf } from "./core.ts";
import { type Areas, createExchange } from "./exchange.ts";
import { createFaults, type Faults } from "./faults.ts";
import { createFetch, type SimulatorFetch } from "./in-process.ts";
import { createInspect, type Inspect, type SegmentView } from "./inspect.ts";
import { DEFAULT_KNOBS, type Knobs, turnKnobs } from "./knobs.ts";
import { createLedger, type RequestTotals } from "./ledger.ts";
import { createPixel } from "./pixel/endpoint.ts";
import { createRandom } from "./random.ts";
import { createRateLimiter, type Peak } from "./rates.ts";
import type { HostName, SimulatorEndpoints } from "./routes.ts";
import { type Listening, listen } from "./server.ts";
import { createTokenStore } from "./tokens.ts";
import type { World, WorldOptions } from "./world.ts";

/** What a simulator is made with; everything has a default. */
export interface SimulatorOptions extends WorldOptions {
  /** Default 0: a free one. */
  port?: number;
  host?: "127.0.0.1";
  /** `false`: no socket at all; use `simulator.fetch`. Default true. */
  listen?: boolean;
  /** `separate` gives each of Snapchat's hosts a port of its own, and each refuses what belongs to another. */
  origins?: "one" | "separate";
  /** `sleep` is used for delays where it is there. Default: the system's clock. */
  clock?: {
    /** Milliseconds since 1970. */
    now(): number;
    /** Resolves after that time. */
    sleep?(ms: number): Promise<void>;
  };
  /** Ids, tokens and chance. Default 1. */
  seed?: number;
  knobs?: Partial<Knobs>;
  /** `counts` keeps totals only: for a million events and more. Default `all`. */
  keep?: "all" | "counts";
  /** The same as the knob. Milliseconds. */
  latencyMs?: number;
}

/** Totals as JSON. */
export interface Snapshot {
  url: string;
  now: number;
  events: EventTotals;
  requests: RequestTotals;
  peaks: Record<string, Peak>;
  segments: SegmentView[];
  faults: { id: string; matches: number; hits: number }[];
}

/** A running simulator. */
export interface Simulator {
  /** The origin of everything, where all hosts share one. */
  readonly url: string;
  readonly endpoints: SimulatorEndpoints;
  /** Ids and secrets of what exists at Snapchat. */
  readonly world: World;
  /** Turn them at any time. */
  readonly knobs: Knobs;
  readonly faults: Faults;
  readonly inspect: Inspect;
  readonly control: Control;
  /** Reaches the simulator without a socket. */
  readonly fetch: SimulatorFetch;
  /** What a person clicking through sign-in and consent is redirected to. Default: the main person, allowing. */
  consent(authorizeUrl: string, choice?: { person?: string; allow?: boolean }): string;
  /** Forgets what happened: events, requests, segments, OAuth tokens, logs, faults. The world and knobs stay. */
  reset(): void;
  /** Totals now, as JSON. */
  snapshot(): Snapshot;
  /** Stops listening and drops what is open. */
  close(): Promise<void>;
  /** The same as {@link Simulator.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

const HOSTS: readonly HostName[] = ["accounts", "adsApi", "conversions", "pixelScript"];

/**
 * A local Snapchat: accounts, Marketing API, Conversions API and pixel, over real HTTP on this machine. It judges what
 * it receives by its own copy of Snapchat's rules, counts what Snapchat would count, and can be told to fail.
 *
 * @throws an Error with the code `port_in_use` where another program has the port.
 * @example
 * ```ts
 * import { createSimulator } from "snapchat-destination/testing";
 *
 * const simulator = await createSimulator({ knobs: { refreshToken: "rotated" } });
 * simulator.faults.add({ area: "conversions", status: 503, count: 3 });
 * // … point your code at simulator.endpoints …
 * console.log(simulator.inspect.events.counted);
 * await simulator.close();
 * ```
 */
export async function createSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const { latencyMs } = options;
  const knobs = turnKnobs(structuredClone(DEFAULT_KNOBS), {
    ...options.knobs,
    ...(latencyMs === undefined ? {} : { latencyMs }),
  });
  const keep = options.keep ?? "all";
  const clock = options.clock ?? { now: () => Date.now() };
  let ahead = 0;
  const sleeping = new Set<NodeJS.Timeout>();
  const now = () => clock.now() + ahead;
  const random = createRandom(options.seed ?? 1);
  const { world, build, index } = createWorld(options, random, now);
  const tokens = createTokenStore(knobs, random, now);
  const ledger = createLedger(keep);
  const faults = createFaults(random);
  const store = createEventStore(knobs, keep);
  const limiter = createRateLimiter();
  const endpoints: SimulatorEndpoints = { accounts: "", adsApi: "", conversions: "", pixelScript: "" };

  const core: Core = {
    knobs,
    world,
    index,
    tokens,
    random,
    limiter,
    store,
    now,
    endpoints,
    limitsOf: (trace, api) => limitsOf(knobs, trace, api),
  };
  const accounts = createAccounts(core);
  const ads = createAds(core);
  const conversions = createConversions(core);
  const pixel = createPixel(core, sleep);
  const inspect = createInspect({
    world,
    store,
    ledger,
    segments: ads.segments,
    tokens,
    logs: conversions.logs,
    pixelReports: pixel.reports,
  });
  const control = createControl({ world, index, build, tokens, segments: ads.segments, knobs }, (ms) => {
    ahead += ms;
  });

  const areas: Areas = {
    accounts: accounts.handle,
    ads: ads.handle,
    conversions: conversions.handle,
    pixel: pixel.handle,
    control: (incoming) => controlPages(incoming),
  };
  const exchange = createExchange(core, areas, ledger, faults, sleep);
  const maxBodyBytes = () => knobs.maxBodyBytes;
  const listening = await open(options, exchange.receive, endpoints, maxBodyBytes);

  const simulator: Simulator = {
    url: endpoints.accounts,
    endpoints,
    world,
    knobs,
    faults,
    inspect,
    control,
    fetch: createFetch(exchange.receive, (origin) => Object.values(endpoints).includes(origin), maxBodyBytes),
    consent: (authorizeUrl, choice = {}) => accounts.consent(authorizeUrl, choice),
    reset() {
      for (const part of [tokens, ledger, faults, store, limiter, ads.segments, accounts, conversions, pixel])
        part.clear();
      exchange.reset();
    },
    snapshot: () => ({
      url: endpoints.accounts,
      now: now(),
      events: store.totals(),
      requests: ledger.totals(),
      peaks: ledger.peaks(),
      segments: inspect.segments(),
      faults: faults.list.map(({ id, matches, hits }) => ({ id, matches, hits })),
    }),
    close: async () => {
      for (const timer of sleeping) clearTimeout(timer);
      await Promise.all(listening.map((server) => server.close()));
    },
    [Symbol.asyncDispose]: () => simulator.close(),
  };
  const controlPages = createControlPages(simulator);
  return simulator;

  function sleep(ms: number): Promise<void> {
    if (clock.sleep) return clock.sleep(ms);
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        sleeping.delete(timer);
        resolve();
      }, ms);
      sleeping.add(timer);
    });
  }
}

/** Opens the sockets asked for and fills in where each host is reached. */
async function open(
  options: SimulatorOptions,
  receive: Parameters<typeof listen>[0],
  endpoints: SimulatorEndpoints,
  maxBodyBytes: () => number,
): Promise<Listening[]> {
  if (options.listen === false) {
    for (const name of HOSTS) endpoints[name] = "http://simulator.invalid";
    return [];
  }
  const host = options.host ?? "127.0.0.1";
  const port = options.port ?? 0;
  if (options.origins !== "separate") {
    const server = await listen(receive, { host, port, name: undefined, maxBodyBytes });
    for (const name of HOSTS) endpoints[name] = server.origin;
    return [server];
  }
  const servers: Listening[] = [];
  try {
    for (const [i, name] of HOSTS.entries()) {
      const server = await listen(receive, { host, port: port === 0 ? 0 : port + i, name, maxBodyBytes });
      servers.push(server);
      endpoints[name] = server.origin;
    }
  } catch (error) {
    await Promise.all(servers.map((server) => server.close()));
    throw error;
  }
  return servers;
}
