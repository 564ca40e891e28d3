import type { DeliveryItem, Queued } from "../../../src/delivery/index.ts";
import type { Place } from "../../storage/spawn-job.ts";

/** What a process is started with: on its command line, as JSON. */
export interface Start {
  place: Place;
  /** Where Snapchat is: a proxy before the simulator. */
  origin: string;
  tokens: { events: string; segments: string };
}

export type ToProcess = { type: "append"; call: number; items: DeliveryItem[] } | { type: "stop" };

export type FromProcess =
  | { type: "ready" }
  /** Only once the engine has it. */
  | { type: "stored"; call: number; queued: Queued[] }
  | { type: "refused"; call: number; code: string }
  | { type: "trouble"; what: string };
