import type { ReauthTransition } from "../auth/index.ts";
import type { Destinations } from "../destinations/index.ts";
import type { Plugins } from "../plugins/index.ts";
import type { ReauthRequired } from "./options.ts";

/**
 * Carries a lost login from the vault, which knows logins, to the destinations that use it and to the host, which knows
 * destinations. Made before the destinations are, because the vault is.
 */
export function createConnectionEvents(told: {
  onReauthRequired: ((event: ReauthRequired) => unknown) | undefined;
  notify: Plugins["notify"];
}) {
  let destinations: Destinations | undefined;

  return {
    use(made: Destinations): void {
      destinations = made;
    },

    /** Throws where the host's callback does: the vault then tells again later. */
    async lost({ tenantId, connectionId, transitionId }: ReauthTransition): Promise<void> {
      if (!destinations) return;
      for (const destinationId of await destinations.connectionChanged(tenantId, connectionId)) {
        await told.onReauthRequired?.({ tenantId, destinationId, connectionId, transitionId });
        const heard = await told.notify?.({
          id: `${transitionId}/${destinationId}`,
          type: "reauth_required",
          tenantId,
          destinationId,
          details: { connectionId },
        });
        if (heard && heard.failed.length > 0) throw new Error(`not told: ${heard.failed.join(", ")}`);
      }
    },
  };
}
