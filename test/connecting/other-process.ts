/** Another process of the same host: does what it is told by message and answers what came of it. */
import { createSnapchat, type SnapchatOptions } from "../../src/index.ts";
import { openPlace, type Place } from "./places.ts";

export interface Start {
  place: Place;
  options: Pick<SnapchatOptions, "endpoints" | "allowEndpoints" | "encryptionKeys"> & { app: SnapchatOptions["app"] };
}

export type Order =
  | { do: "track"; tenantId: string; events: unknown[] }
  | { do: "rename"; tenantId: string; id: string; name: string; expectedVersion: number };

const { place, options } = JSON.parse(process.argv[2] ?? "{}") as Start;
const { app, ...rest } = options;
const snapchat = createSnapchat({ ...rest, ...(app ? { app } : {}), storage: openPlace(place).storage });

async function perform(order: Order): Promise<unknown> {
  const tenant = snapchat.tenant(order.tenantId);
  if (order.do === "track") {
    const receipts = await tenant.track(order.events);
    return receipts.map(({ status, parts }) => [
      status,
      ...parts.map(({ channel, status: part }) => `${channel} ${part}`),
    ]);
  }
  return tenant.destinations.rename(order.id, order.name, { expectedVersion: order.expectedVersion });
}

process.on("message", async (order: Order) => {
  process.send?.(await perform(order).catch((error: { code: string }) => ({ code: error.code })));
});
process.send?.("ready");
