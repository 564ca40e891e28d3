import type { Delivery } from "../../delivery/index.ts";
import type { MemberRemoval } from "../../people/index.ts";

const KINDS = { email: 0, phone: 1, mobile_ad_id: 2 } as const;

/** Queues removals from segments like every other change of membership. Everybody's row of the identifier goes. */
export function createMemberRemoval(delivery: () => Pick<Delivery, "append">, now: () => number): MemberRemoval {
  return {
    async remove(tenantId, memberships) {
      await delivery().append(
        memberships.map(({ destinationId, link, kind, hash, person }) => ({
          type: "member" as const,
          tenantId,
          destinationId,
          link,
          op: "remove" as const,
          identifiers: [{ kind: KINDS[kind], hash }],
          ...(person === undefined ? {} : { person }),
          subjects: [],
          acceptedAtMs: now(),
        })),
        {},
      );
    },
  };
}
