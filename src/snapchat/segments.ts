import { type AudiencesClient, isSegmentGone } from "../audiences/index.ts";
import { type Vault, withAccessToken } from "../auth/index.ts";
import {
  membersGroup,
  readSegmentLink,
  type SegmentLink,
  type SegmentLinkRef,
  segmentGroup,
  segmentLinkKey,
  writeSegmentLink,
} from "../delivery/index.ts";
import {
  type ActiveDestination,
  loginCredential,
  type SegmentControl,
  type SegmentsReport,
} from "../destinations/index.ts";
import { isSnapchatError } from "../errors.ts";
import type { Storage } from "../storage/ports.ts";

/** A CDP segment and the Snapchat segment it is kept in step with. */
export interface LinkedSegment {
  /** The CDP's key. */
  key: string;
  name: string;
  /** Snapchat's id; absent until the first member is sent. */
  segmentId: string | undefined;
  adAccountId: string;
}

export interface SegmentsDependencies {
  storage: Pick<Storage, "records" | "outbox" | "members">;
  vault: Pick<Vault, "credential" | "refused" | "accessToken">;
  audiences: AudiencesClient;
}

const PAGE = 500;
const DEFAULT_NAME = "{name}";

export type Segments = ReturnType<typeof createSegments>;

/** Links between a CDP's segments and Snapchat's: made known on first use, listed, let go. */
export function createSegments({ storage, vault, audiences }: SegmentsDependencies) {
  const { records, outbox, members } = storage;
  /** Links this process has made known, with the login they were opened with. */
  const known = new Map<string, string>();

  async function ensure(
    destination: ActiveDestination,
    segment: { link: string; key: string; name: string | undefined },
  ): Promise<void> {
    const { tenantId, id: destinationId } = destination;
    const credentialId = credentialOf(destination);
    const ref: SegmentLinkRef = { tenantId, destinationId, link: segment.link };
    if (!(await readSegmentLink(records, ref))) {
      const link: SegmentLink = {
        key: segment.key,
        name: nameOf(destination, segment),
        adAccountId: destination.adAccountId ?? "",
        ...retention(destination),
        state: "new",
        generation: 0,
      };
      await writeSegmentLink(records, ref, link, 0).catch(ignoreConflict);
    }
    await outbox.open([segmentGroup(ref, credentialId)]);
    known.set(segmentLinkKey(ref), credentialId);
  }

  async function* links(
    tenantId: string,
    destinationId: string,
  ): AsyncGenerator<{ ref: SegmentLinkRef; link: SegmentLink }> {
    const prefix = segmentLinkKey({ tenantId, destinationId, link: "" });
    let after: string | undefined;
    for (;;) {
      const page = await records.list(prefix, { ...(after === undefined ? {} : { after }), limit: PAGE });
      for (const { key } of page) {
        const ref = { tenantId, destinationId, link: decodeURIComponent(key.slice(prefix.length)) };
        const stored = await readSegmentLink(records, ref);
        if (stored) yield { ref, link: stored.link };
      }
      after = page.at(-1)?.key;
      if (page.length < PAGE || after === undefined) return;
    }
  }

  async function letGo(
    tenantId: string,
    link: SegmentLink,
    connectionId: string,
    choice: "empty" | "delete",
  ): Promise<void> {
    const { segmentId } = link;
    if (!segmentId) return;
    await withAccessToken(vault, tenantId, connectionId, async (token) => {
      try {
        if (choice === "empty") await audiences.segments.empty(segmentId, { token });
        else await audiences.segments.delete(segmentId, { token });
      } catch (error) {
        if (!isSegmentGone(error)) throw error;
      }
    });
  }

  return {
    /** Resolves at once for a segment that this process knows. */
    ensure(
      destination: ActiveDestination,
      segment: { link: string; key: string; name: string | undefined },
    ): Promise<void> | undefined {
      const key = segmentLinkKey({ tenantId: destination.tenantId, destinationId: destination.id, link: segment.link });
      return known.get(key) === credentialOf(destination) ? undefined : ensure(destination, segment);
    },

    async list(tenantId: string, destinationId: string): Promise<LinkedSegment[]> {
      const found: LinkedSegment[] = [];
      for await (const { link } of links(tenantId, destinationId)) {
        found.push({ key: link.key, name: link.name, segmentId: link.segmentId, adAccountId: link.adAccountId });
      }
      return found;
    },

    /** The destinations' view: what becomes of segments when a destination changes or goes. */
    control(connectionOf: (tenantId: string, destinationId: string) => Promise<string | undefined>): SegmentControl {
      return {
        async release(tenantId, destinationId, choice): Promise<SegmentsReport> {
          const report = { kept: 0, emptied: 0, deleted: 0, failed: [] as { segment: string; message: string }[] };
          const connectionId = choice === "keep" ? undefined : await connectionOf(tenantId, destinationId);
          for await (const { ref, link } of links(tenantId, destinationId)) {
            try {
              if (choice === "keep") report.kept += link.segmentId ? 1 : 0;
              else if (connectionId === undefined) throw notConnected;
              else await letGo(tenantId, link, connectionId, choice);
              if (link.segmentId && choice === "empty") report.emptied += 1;
              if (link.segmentId && choice === "delete") report.deleted += 1;
            } catch (error) {
              const message = isSnapchatError(error)
                ? error.message
                : "Snapchat could not be asked: nobody is signed in.";
              report.failed.push({ segment: link.name, message });
            }
            // The link goes after its members, so that a release that is cut off finds it again; then what a worker
            // wrote in between. One that writes later misses the link and drops by itself.
            await members?.drop(ref);
            await records.delete(segmentLinkKey(ref));
            await members?.drop(ref);
            known.delete(segmentLinkKey(ref));
          }
          return report;
        },
        async moveAccount(tenantId, destinationId, { from, queue }) {
          // A link's name holds its ad account, so the new account's segments are made on first use by themselves.
          if (queue !== "drop") return;
          for await (const { ref, link } of links(tenantId, destinationId)) {
            if (link.adAccountId !== from) continue;
            const target = { destinationId, group: membersGroup(ref.link) };
            let done = false;
            while (!done) done = await outbox.bury(target, "dropped", { limit: PAGE });
          }
        },
        async reopen(tenantId, destinationId, credentialId) {
          for await (const { ref } of links(tenantId, destinationId)) {
            await outbox.open([segmentGroup(ref, credentialId)]);
            known.set(segmentLinkKey(ref), credentialId);
          }
        },
      };
    },
  };
}

const notConnected = new Error("not connected");

function credentialOf({ tenantId, connectionId }: ActiveDestination): string {
  return connectionId === undefined
    ? `oauth/${encodeURIComponent(tenantId)}/none`
    : loginCredential(tenantId, connectionId);
}

function nameOf(destination: ActiveDestination, { key, name }: { key: string; name: string | undefined }): string {
  const template = destination.settings.audience?.nameTemplate ?? DEFAULT_NAME;
  return template
    .replaceAll("{name}", name ?? key)
    .replaceAll("{key}", key)
    .slice(0, 375);
}

function retention({ settings }: ActiveDestination): { retentionInDays?: number } {
  const days = settings.audience?.retentionInDays;
  return days === undefined ? {} : { retentionInDays: days };
}

function ignoreConflict(error: unknown): void {
  if ((error as { code?: unknown }).code !== "version_conflict") throw error;
}
