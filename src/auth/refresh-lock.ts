import { SnapchatError } from "../errors.ts";
import { patiently, putIfVersion } from "./sealed-records.ts";
import type { VaultContext } from "./vault-context.ts";

export interface Lock {
  /** Holds it for another lease. @throws {SnapchatError} `refresh_lock_lost` where the lease ran out and another took it. */
  renew(): Promise<void>;
  /** Gives it up, if it is still ours. Never throws: a lease that nobody renews ends by itself. */
  release(): Promise<void>;
}

/** A lease as a record: whoever makes it holds it, its version fences. `undefined`: another holds it. */
export async function acquireLock(
  context: Pick<VaultContext, "records" | "clock" | "randomId">,
  key: string,
  leaseMs: number,
): Promise<Lock | undefined> {
  const { records, clock } = context;
  const put = (ifVersion: number) => {
    const holder = new TextEncoder().encode(`\u0001${context.randomId()}`);
    return putIfVersion(records, clock, key, holder, { ifVersion, ttlMs: leaseMs });
  };
  const taken = await put(0);
  if (taken === "conflict") return undefined;
  let version = taken;
  return {
    async renew() {
      const renewed = await put(version);
      if (renewed === "conflict") throw lockLost();
      version = renewed;
    },
    async release() {
      await patiently(() => records.delete(key, { ifVersion: version }), clock).catch(() => false);
    },
  };
}

function lockLost(): SnapchatError {
  return new SnapchatError({
    code: "refresh_lock_lost",
    kind: "retry",
    message: "This process stood still for so long that another one took over the refresh.",
    fix: "Try again; the other process's token will be used.",
    retryAfterMs: 500,
  });
}
