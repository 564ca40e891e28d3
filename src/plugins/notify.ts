import { copy } from "./copy.ts";
import type { Guard } from "./guard.ts";
import type { Notification, Plugin } from "./hooks.ts";

/** Who has heard a notification. Tell the others again later, with `only`. */
export interface Notified {
  told: string[];
  failed: string[];
}

/** Tells every plugin, all at once; each failure is its own. */
export function createNotify(guard: Guard, plugins: readonly Plugin[]) {
  return async function notify(notification: Notification, only?: readonly string[]): Promise<Notified> {
    const told: string[] = [];
    const failed: string[] = [];
    const { tenantId, destinationId } = notification;
    await Promise.all(
      plugins.map(async (plugin) => {
        if (only && !only.includes(plugin.name)) return;
        const outcome = await guard.call(
          plugin,
          "notify",
          (context) => plugin.notify?.(copy(notification), context),
          () => undefined,
          { tenantId, destinationId },
        );
        (outcome.ok ? told : failed).push(plugin.name);
      }),
    );
    return { told, failed };
  };
}
