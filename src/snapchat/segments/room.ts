import type { AudiencesClient } from "../../audiences/index.ts";
import type { Vault } from "../../auth/index.ts";
import type { Clock } from "../../clock.ts";
import type { Delivery } from "../../delivery/index.ts";
import type { ActiveDestination, DestinationReader, Destinations } from "../../destinations/index.ts";
import type { Membership, People } from "../../people/index.ts";
import type { Plugins } from "../../plugins/index.ts";
import type { Storage } from "../../storage/ports.ts";
import type { LoginSlots } from "../interactive.ts";
import { ALL_IDENTIFIERS, type NoPlan, type Plan } from "../plan.ts";
import { createBackfills } from "./backfill.ts";
import { createSegmentControl } from "./control.ts";
import { createLinks } from "./links.ts";
import { createSegments } from "./segments.ts";

export interface SegmentRoomDependencies {
  storage: Pick<Storage, "records" | "outbox" | "members">;
  vault: Pick<Vault, "credential" | "refused">;
  slot: LoginSlots;
  audiences: AudiencesClient;
  plugins: Pick<Plugins, "segments" | "consent">;
  clock: Clock;
  emit(name: string, event: unknown): void;
  /** How long a change of membership waits for others. Milliseconds. */
  memberLingerMs: number;
  /** Whether any process delivers. */
  delivers(): Promise<boolean>;
  /** Parts that are made after this one; asked for when they are needed. */
  parts(): {
    lists: Delivery["lists"];
    destinations: Pick<Destinations, "get">;
    activeTenant: DestinationReader["tenant"];
    plan(destination: ActiveDestination): Plan | NoPlan;
    people: Pick<People, "subjects">;
  };
}

const KINDS = ["email", "phone", "mobile_ad_id"] as const;
const PAGE = 1_000;

/** Everything about segments, put together for the composition. */
export function createSegmentRoom(dependencies: SegmentRoomDependencies) {
  const { storage, vault, slot, audiences, plugins, clock, emit, parts } = dependencies;
  const links = createLinks(storage, clock);
  const lists: Delivery["lists"] = {
    get pageSize() {
      return parts().lists.pageSize;
    },
    task: (...call) => parts().lists.task(...call),
    page: (...call) => parts().lists.page(...call),
    changing: (...call) => parts().lists.changing(...call),
    leaving: (...call) => parts().lists.leaving(...call),
    done: (...call) => parts().lists.done(...call),
    dead: (...call) => parts().lists.dead(...call),
  };

  const segments = createSegments({
    storage,
    links,
    vault,
    slot,
    audiences,
    plugins,
    clock,
    lists,
    memberLingerMs: dependencies.memberLingerMs,
    delivers: dependencies.delivers,
    subjects: (tenantId) => parts().people.subjects(tenantId),
    reading(destination) {
      const plan = parts().plan(destination);
      const { settings } = destination;
      return {
        defaultCountry: "prepare" in plan ? plan.prepare.defaultCountry : settings.defaultCountry,
        identifiers: settings.audience?.identifiers ?? ALL_IDENTIFIERS,
      };
    },
    onProgress: (event) => emit("segment_sync", event),
  });

  const backfills = createBackfills({
    records: storage.records,
    clock,
    hostSegments: plugins.segments,
    async destinationOf(tenantId, destinationId) {
      const { enabled } = await parts().activeTenant(tenantId);
      const found = enabled.find(({ id }) => id === destinationId);
      return found?.adAccountId && found.connectionId ? found : undefined;
    },
    async bring(destination, { key, name, size }, runId, signal) {
      await segments.make(destination, { key, name });
      const known = { ...(name === undefined ? {} : { name }), ...(size === undefined ? {} : { size }) };
      const members = await plugins.segments?.members(key, {
        tenantId: destination.tenantId,
        destinationId: destination.id,
        signal,
      });
      if (members) await segments.sync(destination, key, members, { mode: "mirror", runId, signal, ...known });
    },
    async copy(destination, from, id) {
      for await (const { ref, link } of links.ofDestination(destination.tenantId, destination.id)) {
        if (link.adAccountId !== from || link.state === "stopped") continue;
        const to = links.refOf(destination, link.key);
        await links.make(destination, { link: to.link, key: link.key, name: link.name });
        await lists.task(to, `copy ${id}`, { task: "copy", from: ref.link });
      }
    },
    onFailure: (failure) => emit("segment_backfill_failed", failure),
  });

  const control = createSegmentControl({
    storage,
    links,
    vault,
    slot,
    audiences,
    backfills,
    connectionOf: async (tenantId, id) => (await parts().destinations.get(tenantId, id)).connection?.id,
  });

  /** Everything that segments hold for one named person, under identifiers that nobody may have named. */
  async function membersOf(
    tenantId: string,
    destinationIds: readonly string[],
    person: Uint8Array,
  ): Promise<Membership[]> {
    const found: Membership[] = [];
    for (const destinationId of storage.members ? destinationIds : []) {
      for await (const { ref } of links.ofDestination(tenantId, destinationId)) {
        // A page may be empty and still not be the last.
        let after: string | undefined;
        do {
          const page = await storage.members?.scan(ref, {
            person,
            limit: PAGE,
            ...(after === undefined ? {} : { after }),
          });
          for (const { kind, hash } of page?.items ?? []) {
            const hex = Buffer.from(hash).toString("hex");
            found.push({ destinationId, link: ref.link, kind: KINDS[kind], hash: hex });
          }
          after = page?.after;
        } while (after !== undefined);
      }
    }
    return found;
  }

  return { links, segments, backfills, control, membersOf };
}
