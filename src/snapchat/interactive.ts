import type { Clock } from "../clock.ts";
import type { LimitScope } from "../delivery/index.ts";
import { SnapchatError } from "../errors.ts";
import type { Slots } from "../storage/ports.ts";

/** Resolves when a request with a login may leave. `writes`: it changes segments. */
export type LoginSlots = (
  login: { tenantId: string; connectionId: string; appId: string },
  o?: { writes?: boolean },
) => Promise<void>;

/** Somebody waits before a screen. */
const PATIENCE_MS = 15_000;

/**
 * A slot is void this long after its time: a process that stood still would let all leave at once that were to leave
 * meanwhile. What nine tenths of a limit leave free of its window: later, and a window could hold more than the limit.
 */
const VOID_MS = 100;

/** What the way to Snapchat may bring closer together than it left is left free. */
const SHARE = 0.9;

/**
 * Slots for what a person waits for. Every process's requests with one login are counted together, so that two marketers'
 * dropdowns and the worker do not run into a 429. One at a time, as the worker takes them: asked for in one piece, a
 * window's worth would never be free beside a worker that uses its share.
 */
export function createInteractive({ slots, clock }: { slots: Slots; clock: Clock }) {
  /** Resolves at the moment when a request may leave. @throws {SnapchatError} `rate_limited` (capacity) where none may for long */
  return async function pass(scopes: readonly LimitScope[]): Promise<void> {
    if (scopes.length === 0) return;
    const until = clock.monotonic() + PATIENCE_MS;
    for (;;) {
      const given = await slots.reserve(scopes.map(one), 1);
      const waitMs = "inMs" in given ? (given.inMs[0] ?? 0) : given.retryInMs;
      const at = clock.monotonic() + waitMs;
      if (at > until) throw limited(waitMs);
      if (waitMs > 0) await clock.sleep(waitMs);
      if ("inMs" in given && clock.monotonic() <= at + VOID_MS) return;
    }
  };
}

const one = ({ key, perWindow, windowMs }: LimitScope): LimitScope => ({
  key,
  perWindow: 1,
  windowMs: Math.ceil(windowMs / (SHARE * perWindow)),
});

function limited(retryAfterMs: number): SnapchatError {
  return new SnapchatError({
    code: "rate_limited",
    kind: "capacity",
    message: "This Snapchat login has as many requests under way as Snapchat allows.",
    fix: "Try again in a few seconds; a Conversions API token of the tenant's own takes events off the login.",
    retryAfterMs: Math.ceil(retryAfterMs),
  });
}
