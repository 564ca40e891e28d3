import type { DeliveryEvent } from "../delivery/index.ts";
import type { PluginFailure } from "../plugins/index.ts";

/**
 * Where lines about the work go. pino and `console` fit as they are. No line holds a payload, a token or a person.
 *
 * @example
 * ```ts
 * import { createSnapchat, type SnapchatOptions } from "snapchat-destination";
 *
 * export const withLog = (options: SnapchatOptions) => createSnapchat({ ...options, logger: console });
 * ```
 */
export interface Logger {
  /** For whoever looks for a fault. */
  debug(fields: object, message: string): void;
  /** What happens in the ordinary course of things. */
  info(fields: object, message: string): void;
  /** What somebody should look at by day. */
  warn(fields: object, message: string): void;
  /** What somebody should look at now. */
  error(fields: object, message: string): void;
}

type Level = keyof Logger;
type Line = readonly [Level, string];

const LINES: { readonly [N in DeliveryEvent["type"]]: Line } = {
  settled: ["debug", "A claim is settled."],
  dead_letter: ["warn", "Items could not be delivered; they wait among the dead letters."],
  claim_lost: ["info", "Another worker has taken over a claim."],
  reauth_required: ["warn", "Snapchat does not accept a login or token any more; its work waits."],
  forbidden: ["warn", "The token is good, but not for this asset; the work waits."],
  rate_limited: ["info", "Snapchat asks to slow down; the whole limit waits."],
  circuit_opened: ["warn", "Snapchat keeps failing for an asset; it is left alone for a while."],
  circuit_closed: ["info", "Snapchat answers again for an asset."],
  members_sent: ["debug", "Members of a segment were told to Snapchat."],
  segment_created: ["info", "A segment was made at Snapchat."],
  segment_surplus_deleted: ["info", "A second, empty segment, made by a process that had lost its turn, was deleted."],
  segment_deleted: ["warn", "A segment was deleted in Ads Manager; its work waits for an answer."],
  segment_refused: ["warn", "Snapchat refused a segment or its change."],
  entry_unreadable: ["error", "A stored entry does not open; it waits."],
  worker_error: ["error", "A fault of the engine or of a peer; the worker goes on."],
};

const PLUGIN_FAILED: Line = ["warn", "A plugin's hook failed."];

/** Writes events to the host's logger. What the logger throws is dropped. */
export function createLog(logger: Logger | undefined) {
  function write([level, message]: Line, fields: object): void {
    try {
      logger?.[level](fields, message);
    } catch {
      // A log that is full must not stop a delivery.
    }
  }
  return {
    happened: (event: DeliveryEvent) => write(LINES[event.type] ?? ["info", event.type], event),
    pluginFailed: (failure: PluginFailure) => write(PLUGIN_FAILED, failure),
  };
}
