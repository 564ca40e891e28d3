import { ConversionsClient, type ConversionsClientOptions, type PreparedText } from "../../src/capi/index.ts";
import type { Clock } from "../../src/clock.ts";
import { createSimulator, type Knobs, type Simulator } from "../../src/testing/simulator/index.ts";
import { accepted, NOW_MS, purchase } from "./events.ts";

/** A clock that stands still; its sleeps are noted and pass at once. */
export function stoppedClock(): Clock & { slept: number[] } {
  const slept: number[] = [];
  let passed = 0;
  return {
    slept,
    now: () => NOW_MS + passed,
    monotonic: () => passed,
    sleep: async (ms) => {
      slept.push(ms);
      passed += ms;
    },
  };
}

export interface Setup {
  simulator: Simulator;
  client: ConversionsClient;
  pixel: string;
  token: string;
  clock: ReturnType<typeof stoppedClock>;
}

/** A client on a simulator without a socket, at a fixed time. */
export async function setUp(knobs: Partial<Knobs> = {}, options: ConversionsClientOptions = {}): Promise<Setup> {
  const clock = stoppedClock();
  const simulator = await createSimulator({ listen: false, clock, knobs: { rateLimits: false, ...knobs } });
  const client = new ConversionsClient({
    endpoints: simulator.endpoints,
    fetch: simulator.fetch,
    clock,
    random: () => 0.5,
    prepare: { integration: "example-cdp", defaultCountry: "GB" },
    ...options,
  });
  const { pixel, conversionsToken: token } = simulator.world.main;
  return { simulator, client, pixel: pixel.id, token, clock };
}

/** Prepared purchases `e0`, `e1`, …; at the places in `bad`, texts Snapchat refuses. */
export function texts(count: number, bad: readonly number[] = [], prefix = "e"): PreparedText[] {
  const refused = new Set(bad);
  return Array.from({ length: count }, (_, index) => {
    const eventId = `${prefix}${index}`;
    const { json } = accepted(purchase({ event_id: eventId }));
    return { json: refused.has(index) ? json.replace('"value":64.5', '"value":null') : json, eventId };
  });
}
