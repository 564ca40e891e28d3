import { EventEmitter } from "eventemitter3";
import type { DeliveryEvent } from "../delivery/index.ts";
import type { PluginFailure } from "../plugins/index.ts";
import type { SegmentSync } from "./segments/sync.ts";
import type { SkipAlarm } from "./skip-share.ts";

/** What can be listened to, by name. No payload, no token and no person in any of it. */
export type SnapchatEvents = { [N in DeliveryEvent["type"]]: Extract<DeliveryEvent, { type: N }> } & {
  plugin_failed: PluginFailure;
  /** A rule sends much less of its events than in the window before: renamed event, wrong toggle, mistyped consent. */
  skip_share: SkipAlarm & { type: "skip_share" };
  /** Progress of a whole list on its way into a segment: read, new, removed, sent, accepted, time left. */
  segment_sync: SegmentSync;
  /** One of the host's segments could not be brought in step after it was switched on. */
  segment_backfill_failed: { tenantId: string; destinationId: string; key: string; code: string; message: string };
};

/** An emitter whose listeners cannot break what they listen to. */
export function createEvents() {
  const emitter = new EventEmitter();

  return {
    emit(name: string, event: unknown): void {
      emitter.emit(name, event);
    },
    /** Answers a function that stops it. */
    on<N extends keyof SnapchatEvents>(name: N, listener: (event: SnapchatEvents[N]) => void): () => void {
      const safe = (event: SnapchatEvents[N]) => {
        try {
          const answer: unknown = listener(event);
          if (answer instanceof Promise) answer.catch(() => {});
        } catch {
          // A listener's fault is its own.
        }
      };
      emitter.on(name, safe);
      return () => emitter.off(name, safe);
    },
  };
}
