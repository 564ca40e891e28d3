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
      await destinations.connectionChanged(tenantId, connectionId);
      let after: string | undefined;
      do {
        const page = await destinations.list(tenantId, { ...(after === undefined ? {} : { after }), limit: 1_000 });
        for (const { id, connection } of page.items) {
          if (connection?.id !== connectionId) continue;
          await told.onReauthRequired?.({ tenantId, destinationId: id, connectionId, transitionId });
          const heard = await told.notify?.({
            id: `${transitionId}/${id}`,
            type: "reauth_required",
            tenantId,
            destinationId: id,
            details: { connectionId },
          });
          if (heard && heard.failed.length > 0) throw new Error(`not told: ${heard.failed.join(", ")}`);
        }
        after = page.after;
      } while (after !== undefined);
    },
  };
}
