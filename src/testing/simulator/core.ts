import type { EventStore } from "./conversions/store.ts";
import type { Knobs } from "./knobs.ts";
import type { Area } from "./ledger.ts";
import type { Random } from "./random.ts";
import type { Limit, RateLimiter } from "./rates.ts";
import type { SimulatorEndpoints } from "./routes.ts";
import type { AccessToken, TokenStore } from "./tokens.ts";
import type { ConversionsToken, World, WorldIndex } from "./world.ts";

/** What every area works on. */
export interface Core {
  readonly knobs: Knobs;
  readonly world: World;
  readonly index: WorldIndex;
  readonly tokens: TokenStore;
  readonly random: Random;
  readonly limiter: RateLimiter;
  readonly store: EventStore;
  /** The simulator's clock, epoch milliseconds. */
  now(): number;
  /** Where callers reach each host: links point there. */
  readonly endpoints: SimulatorEndpoints;
  limitsOf(trace: Trace, api: "ads" | "conversions"): Limit[];
}

/** What is known of one request while it is processed. */
export interface Trace {
  readonly number: number;
  readonly area: Area;
  /** The credential it carries, living or not. */
  readonly credential: AccessToken | ConversionsToken | undefined;
  readonly requestId: string;
  items?: number;
  limitedBy?: string;
}

/** The limits a request falls under: by Conversions token; or by access token and app. */
export function limitsOf(knobs: Knobs, trace: Trace, api: "ads" | "conversions"): Limit[] {
  const { credential } = trace;
  if (!knobs.rateLimits || !credential) return [];
  const window = knobs.rateWindow;
  if (!("kind" in credential)) {
    return [{ scope: `token:${credential.id}`, perWindow: knobs.conversionsTokenPerSecond, windowMs: 1_000, window }];
  }
  const suffix = knobs.rateScope === "shared" ? "" : `:${api}`;
  return [
    { scope: `app:${credential.app.clientId}${suffix}`, perWindow: knobs.oauthAppPerSecond, windowMs: 1_000, window },
    { scope: `token:${credential.id}${suffix}`, perWindow: knobs.oauthTokenPerSecond, windowMs: 1_000, window },
  ];
}
