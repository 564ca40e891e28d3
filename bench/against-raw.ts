import type { PreparedEntry } from "../src/delivery/prepare.ts";
import type { Host, Offered } from "./track-host.ts";

/** An engine, and what nobody who stores entries in it can leave out. */
export interface Raw {
  insert(entries: readonly PreparedEntry[]): unknown;
  close(): unknown;
}

interface Rates {
  ours: number;
  raw: number;
  sealed: number;
  plain: number;
}

/** All in turns, so that a neighbour on the machine slows them alike; the best of each. */
export async function againstRaw(
  host: Host,
  raw: Raw,
  o: { rounds: number; events: number; perCall: number; tenantIds: readonly string[] },
): Promise<Rates> {
  const best: Rates = { ours: 0, raw: 0, sealed: 0, plain: 0 };
  const calls = () =>
    Array.from({ length: Math.ceil(o.events / o.perCall) }, () => host.purchases(o.perCall, o.tenantIds));
  const time = async (name: keyof Rates, task: (offered: Offered[]) => unknown) => {
    const all = calls();
    const began = performance.now();
    for (const offered of all) await task(offered);
    const rate = (all.length * o.perCall * 1_000) / (performance.now() - began);
    best[name] = Math.max(best[name], rate);
  };
  for (let round = 0; round < o.rounds; round++) {
    await time("raw", async (offered) => raw.insert(await host.prepare(offered)));
    await time("ours", async (offered) => {
      for (const { status } of await host.snapchat.track(offered)) if (status !== "queued") throw new Error(status);
    });
    await time("plain", (offered) => host.prepare(offered, { plain: true }));
    await time("sealed", (offered) => host.prepare(offered));
  }
  return best;
}
