import type {
  DeadLetterFilter,
  DeadLetterInfo,
  DeadLetterListOptions,
  Delivery,
  ReplayOptions,
  ReplayReport,
} from "../delivery/index.ts";
import type { Audit, MutationOptions } from "../destinations/index.ts";
import type { Page } from "../storage/ports.ts";

type OfDestination<O> = Omit<O, "destinationId">;

/** Who does it, for the audit trail: an id of yours. Default `"host"`. */
type Actor = Pick<MutationOptions, "actor">;

/** What could not be delivered, with the reason; looked at, sent again, or removed. */
export interface TenantDeadLetters {
  /** One page, newest first. */
  list(destinationId: string, options?: OfDestination<DeadLetterListOptions>): Promise<Page<DeadLetterInfo>>;
  /** Queues them again, behind live traffic. Safe to repeat; `dryRun` says what would happen. */
  replay(destinationId: string, options?: OfDestination<ReplayOptions> & Actor): Promise<ReplayReport>;
  /** Removes them for good; answers how many. */
  purge(destinationId: string, options?: OfDestination<DeadLetterFilter> & Actor): Promise<number>;
}

export function createTenantDeadLetters(rooms: {
  tenantId: string;
  /** Refuses every destination that is not the tenant's. */
  mine(destinationId: string): Promise<unknown>;
  delivery: Pick<Delivery, "deadLetters">;
  audit: Pick<Audit, "record">;
}): TenantDeadLetters {
  const { tenantId, mine, audit } = rooms;
  const { deadLetters } = rooms.delivery;
  return {
    async list(destinationId, o) {
      await mine(destinationId);
      return deadLetters.list({ ...o, destinationId });
    },
    async replay(destinationId, { actor = "host", ...o } = {}) {
      await mine(destinationId);
      const report = await deadLetters.replay({ ...o, destinationId });
      if (!o.dryRun) {
        const { matched, replayed, withdrawn } = report;
        const detail = { matched, replayed, withdrawn };
        await audit.record({ tenantId, actor, action: "dead_letters.replayed", destinationId, detail });
      }
      return report;
    },
    async purge(destinationId, { actor = "host", ...o } = {}) {
      await mine(destinationId);
      const removed = await deadLetters.purge({ ...o, destinationId });
      await audit.record({ tenantId, actor, action: "dead_letters.purged", destinationId, detail: { removed } });
      return removed;
    },
  };
}
