/** A host with shops that send their purchases to Snapchat: what the benches of `track` begin with. */
import { randomBytes } from "node:crypto";
import { createSealer } from "../src/auth/index.ts";
import { systemClock } from "../src/clock.ts";
import { type PreparedEntry, prepareItems } from "../src/delivery/prepare.ts";
import { createReader } from "../src/destinations/reader.ts";
import { createSnapchat, presets, type Snapchat, setToggle } from "../src/index.ts";
import { createSubjects } from "../src/people/index.ts";
import { decide } from "../src/snapchat/decide.ts";
import { createPlans } from "../src/snapchat/plan.ts";
import type { Storage } from "../src/storage/ports.ts";
import { segmentPurchase } from "./purchases.ts";
import type { SimulatorProcess } from "./simulator.ts";

export interface Offered {
  tenantId: string;
  event: unknown;
}

export interface Host {
  snapchat: Snapchat;
  tenantIds: string[];
  /** Purchases that no call before has had: `count` of them, of the tenants in turn. */
  purchases(count: number, tenantIds: readonly string[]): Offered[];
  /** What `track` makes of events before it stores them: the same functions, called one after the other. */
  prepare(offered: readonly Offered[], o?: { plain?: boolean }): Promise<PreparedEntry[]>;
}

export async function openHost(storage: Storage, simulator: SimulatorProcess, tenants: number): Promise<Host> {
  await storage.migrate();
  const snapchat = createSnapchat({
    app: { clientId: "client", clientSecret: "secret", redirectUri: "http://127.0.0.1/callback" },
    storage,
    acceptLoss: true,
    encryptionKeys: [randomBytes(32).toString("base64")],
    endpoints: simulator.endpoints,
    allowEndpoints: [simulator.url],
  });
  const workflow = setToggle(presets.segment({ defaultCountry: "GB" }), "Order Completed", { server: true });
  const tenantIds = Array.from({ length: tenants }, (_, n) => `tenant-${n}`);
  for (const tenantId of tenantIds) {
    const { destinations } = snapchat.tenant(tenantId);
    const { id } = await destinations.create({ name: "Snapchat" });
    await destinations.update(id, { pixelId: simulator.pixelId, conversionsToken: simulator.token, workflow });
    await destinations.enable(id);
  }
  let made = 0;
  return {
    snapchat,
    tenantIds,
    purchases: (count, ids) =>
      Array.from({ length: count }, (_, n) => ({
        tenantId: ids[n % ids.length] as string,
        event: segmentPurchase(made++, Date.now() - 60_000),
      })),
    prepare: preparer(storage, tenantIds.length),
  };
}

function preparer(storage: Storage, maxTenants: number): Host["prepare"] {
  const sealer = createSealer({ keys: [randomBytes(32).toString("base64")] });
  const subjects = createSubjects(randomBytes(32));
  const plans = createPlans({});
  // Read once: for as long as a bench takes, its destinations do not change.
  const reader = createReader({ records: storage.records, clock: systemClock, refreshMs: 3_600_000, maxTenants });
  return async (offered, { plain = false } = {}) => {
    const nowMs = Date.now();
    const items = [];
    for (const { tenantId, event } of offered) {
      const found = reader.enabledDestinations(tenantId);
      for (const destination of found instanceof Promise ? await found : found) {
        const plan = plans(destination);
        if ("refused" in plan) continue;
        const canonical = plan.source.read(event);
        const { eventId, decisions } = plan.router.route(canonical);
        for (const decision of decisions) {
          const { item } = decide(decision, canonical, plan, {
            nowMs,
            receivedAtMs: undefined,
            acceptedAtMs: nowMs,
            eventId,
            subjects,
          });
          if (item) items.push(item);
        }
      }
    }
    const { entries } = await prepareItems(items, {
      sealer: plain ? undefined : sealer,
      maxEntryBytes: storage.capabilities.maxEntryBytes,
      lingerMs: 200,
      memberLingerMs: 60_000,
      dedupeMs: 172_800_000,
    });
    return entries;
  };
}
