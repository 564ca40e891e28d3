import { type AudiencesClient, isSegmentGone } from "../../audiences/index.ts";
import { changeSegmentLink, membersGroup, type SegmentLink } from "../../delivery/index.ts";
import type { SegmentControl, SegmentsReport } from "../../destinations/index.ts";
import { isSnapchatError } from "../../errors.ts";
import type { Storage } from "../../storage/ports.ts";
import type { Backfills } from "./backfill.ts";
import type { Links } from "./links.ts";
import { type LoginCalls, withLogin } from "./login-call.ts";

export interface ControlDependencies extends LoginCalls {
  storage: Pick<Storage, "records" | "outbox" | "members">;
  links: Links;
  audiences: AudiencesClient;
  backfills: Pick<Backfills, "follow" | "request" | "forget">;
  connectionOf(tenantId: string, destinationId: string): Promise<string | undefined>;
}

const PAGE = 500;

/** The destinations' view: what becomes of segments when a destination changes or goes. */
export function createSegmentControl(dependencies: ControlDependencies): SegmentControl {
  const { storage, links, backfills } = dependencies;
  const { outbox, members } = storage;

  return {
    async release(tenantId, destinationId, choice): Promise<SegmentsReport> {
      const report = { kept: 0, emptied: 0, deleted: 0, failed: [] as { segment: string; message: string }[] };
      const connectionId = choice === "keep" ? undefined : await dependencies.connectionOf(tenantId, destinationId);
      await backfills.forget(tenantId, destinationId);
      for await (const { ref, link } of links.ofDestination(tenantId, destinationId)) {
        try {
          if (choice === "keep") report.kept += link.segmentId ? 1 : 0;
          else if (connectionId === undefined) throw notConnected;
          else await letGo(dependencies, tenantId, link, connectionId, choice);
          if (link.segmentId && choice === "empty") report.emptied += 1;
          if (link.segmentId && choice === "delete") report.deleted += 1;
        } catch (error) {
          const message = isSnapchatError(error) ? error.message : "Snapchat could not be asked: nobody is signed in.";
          report.failed.push({ segment: link.name, message });
        }
        // The link goes after its members, so that a release that is cut off finds it again; then what a worker
        // wrote in between. One that writes later misses the link and drops by itself.
        await members?.drop(ref);
        await links.forget(ref);
        await members?.drop(ref);
      }
      return report;
    },

    async moveAccount(tenantId, destinationId, { from, to, queue }) {
      for await (const { ref, link } of links.ofDestination(tenantId, destinationId)) {
        if (link.adAccountId !== from) continue;
        await changeSegmentLink(storage.records, ref, (own) => ({ ...own, released: true }));
        links.changed(ref);
        const target = { destinationId, group: membersGroup(ref.link) };
        let done = queue !== "drop";
        while (!done) done = await outbox.bury(target, "dropped", { limit: PAGE });
      }
      // The new account's segments are other ones, and empty.
      if (to !== undefined) await backfills.request(tenantId, destinationId, from);
    },

    async reopen(tenantId, destinationId, credentialId) {
      for await (const { ref } of links.ofDestination(tenantId, destinationId)) await links.reopen(ref, credentialId);
    },

    follow: (tenantId, destinationId, state) => backfills.follow(tenantId, destinationId, state),
  };
}

const notConnected = new Error("not connected");

/** Empties or deletes a segment at Snapchat. One that is gone already is as wanted. */
export async function letGo(
  dependencies: Pick<ControlDependencies, "vault" | "slot" | "audiences">,
  tenantId: string,
  { segmentId }: SegmentLink,
  connectionId: string,
  choice: "empty" | "delete",
): Promise<void> {
  if (!segmentId) return;
  const { audiences } = dependencies;
  const task = async (call: Parameters<typeof audiences.segments.empty>[1]) => {
    try {
      if (choice === "empty") await audiences.segments.empty(segmentId, call);
      else await audiences.segments.delete(segmentId, call);
    } catch (error) {
      if (!isSegmentGone(error)) throw error;
    }
  };
  await withLogin(dependencies, { tenantId, connectionId }, task, { writes: true });
}
