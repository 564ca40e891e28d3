import { AudiencesClient, type AudiencesClientOptions } from "../../src/audiences/index.ts";
import type { Clock } from "../../src/clock.ts";
import { Secret } from "../../src/errors.ts";
import { createSimulator, type Simulator, type SimulatorOptions } from "../../src/testing/index.ts";

/** A client, and the Snapchat it talks to without a socket. */
export interface Setup {
  simulator: Simulator;
  client: AudiencesClient;
  call: { token: Secret };
  account: string;
  /** How long the client paused each time. Its pauses move the simulator's time and take none. Milliseconds. */
  pauses: number[];
  /** Methods and paths that were requested, ids left out. */
  requests(): string[];
}

export async function setup(options: SimulatorOptions = {}, client: AudiencesClientOptions = {}): Promise<Setup> {
  let now = Date.UTC(2026, 0, 1);
  const pauses: number[] = [];
  const clock: Clock = {
    now: () => now,
    monotonic: () => now,
    sleep: async (ms) => {
      pauses.push(ms);
      now += ms;
    },
  };
  const simulator = await createSimulator({ listen: false, clock, knobs: { rateLimits: false }, ...options });
  return {
    simulator,
    client: new AudiencesClient({
      endpoints: simulator.endpoints,
      fetch: (request) => simulator.fetch(request),
      clock,
      random: () => 1,
      ...client,
    }),
    call: { token: new Secret(simulator.control.issueToken().access_token) },
    account: simulator.world.main.adAccount.id,
    pauses,
    requests: () =>
      simulator.inspect.requests.map(
        ({ method, path }) => `${method} ${path.replace(/[0-9a-f]{8}-[0-9a-f-]{27}|\d{6,}/g, "{id}")}`,
      ),
  };
}

export const digest = (n: number) => n.toString(16).padStart(64, "0");
