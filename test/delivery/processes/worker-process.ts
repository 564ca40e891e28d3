/** One process of a host: appends what it is told to, and delivers. Killed, stopped and cut off by the test. */
import { AudiencesClient } from "../../../src/audiences/index.ts";
import { ConversionsClient } from "../../../src/capi/index.ts";
import { createDelivery } from "../../../src/delivery/index.ts";
import { Secret } from "../../../src/errors.ts";
import { openPlace } from "../../storage/open-place.ts";
import type { FromProcess, Start, ToProcess } from "./messages.ts";
import { SETTINGS } from "./settings.ts";

const { place, origin, tokens } = JSON.parse(process.argv[2] ?? "") as Start;
const say = (message: FromProcess) => process.send?.(message);

const { storage, end } = await openPlace(place);
const delivery = createDelivery({
  storage,
  settings: SETTINGS,
  credentials: {
    resolve: async (id) => ({
      id,
      kind: id.startsWith("oauth") ? "oauth" : "conversions_token",
      token: new Secret(id.startsWith("oauth") ? tokens.segments : tokens.events),
      version: 1,
      limits: {
        events: [{ key: id, perWindow: 1_000, windowMs: 1_000 }],
        segments: [{ key: id, perWindow: 10, windowMs: 1_000 }],
      },
    }),
    refused: async () => "retry",
  },
  events: new ConversionsClient({ endpoints: { conversions: origin } }),
  segments: new AudiencesClient({ endpoints: { adsApi: origin }, maxRetries: 0 }),
  emit(event) {
    if (event.type === "worker_error") say({ type: "trouble", what: `${event.code}: ${event.message}` });
  },
});
const worker = delivery.startWorker({ concurrency: 4 });

process.on("message", async (message: ToProcess) => {
  if (message.type === "append") {
    const { call, items } = message;
    try {
      say({ type: "stored", call, queued: await delivery.append(items) });
    } catch (error) {
      say({ type: "refused", call, code: String((error as { code?: unknown }).code ?? error) });
    }
  } else {
    await worker.stop();
    await storage.close();
    await end();
    process.disconnect?.();
  }
});
process.on("disconnect", () => process.exit(0));
say({ type: "ready" });
