import { EventEmitter } from "eventemitter3";
import type { DeliveryEvent } from "../delivery/index.ts";
import type { PluginFailure } from "../plugins/index.ts";

/** What can be listened to, by name. No payload, no token and no person in any of it. */
export type SnapchatEvents = { [N in DeliveryEvent["type"]]: Extract<DeliveryEvent, { type: N }> } & {
  plugin_failed: PluginFailure;
};

/** An emitter whose listeners cannot break what they listen to. */
export function createEvents() {
  const emitter = new EventEmitter();
  const wrapped = new WeakMap<object, (event: unknown) => void>();

  return {
    emit(name: string, event: unknown): void {
      emitter.emit(name, event);
    },
    on<N extends keyof SnapchatEvents>(name: N, listener: (event: SnapchatEvents[N]) => void): void {
      const safe = (event: unknown) => {
        try {
          const answer: unknown = listener(event as SnapchatEvents[N]);
          if (answer instanceof Promise) answer.catch(() => {});
        } catch {
          // A listener's fault is its own.
        }
      };
      wrapped.set(listener, safe);
      emitter.on(name, safe);
    },
    off<N extends keyof SnapchatEvents>(name: N, listener: (event: SnapchatEvents[N]) => void): void {
      const safe = wrapped.get(listener);
      if (safe) emitter.off(name, safe);
    },
  };
}
