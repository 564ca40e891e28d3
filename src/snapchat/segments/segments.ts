import {
  type AudiencesCall,
  type AudiencesClient,
  checkSegmentChange,
  type ListRow,
  type MemberKind,
  type Segment,
} from "../../audiences/index.ts";
import type { Clock } from "../../clock.ts";
import {
  changeSegmentLink,
  type Delivery,
  membersGroup,
  readSegmentLink,
  SEGMENT_DELETED,
  type SegmentLink,
  type SegmentLinkRef,
} from "../../delivery/index.ts";
import type { ActiveDestination } from "../../destinations/index.ts";
import type { Subjects } from "../../people/index.ts";
import type { Plugins } from "../../plugins/index.ts";
import type { Storage } from "../../storage/ports.ts";
import { letGo } from "./control.ts";
import { checkSegmentKey, notConnected, segmentUnknown, wrong } from "./errors.ts";
import { checkIdentifiers, checkLinkable, choiceInvalid, idInvalid, linkedAlready } from "./link-checks.ts";
import { type Links, nameOf } from "./links.ts";
import { type LoginCalls, withLogin } from "./login-call.ts";
import { type AccountSegments, askAccount, type LinkedSegment, linkedSegment } from "./status.ts";
import { createSegmentSync, type SegmentSync } from "./sync.ts";

export interface SegmentsDependencies extends LoginCalls {
  storage: Pick<Storage, "records" | "outbox" | "members">;
  links: Links;
  audiences: AudiencesClient;
  plugins: Pick<Plugins, "segments" | "consent">;
  lists: Delivery["lists"];
  clock: Clock;
  subjects(tenantId: string): Subjects | Promise<Subjects>;
  /** How a destination reads national phone numbers and which kinds it sends. */
  reading(destination: ActiveDestination): { defaultCountry: string | undefined; identifiers: readonly MemberKind[] };
  /** How long a change of membership waits for others. Milliseconds. */
  memberLingerMs: number;
  /** Whether any process delivers. */
  delivers(): Promise<boolean>;
  onProgress(event: SegmentSync): void;
}

/** How segments are listed. */
export interface ListOptions {
  /** Ask Snapchat where each segment stands: one request. Default true. */
  live?: boolean;
}

/** How a list that exists is taken over. */
export interface LinkOptions {
  name?: string;
  /**
   * Who is in Snapchat's list already: written down and not sent, so that the next mirror sends differences alone. They
   * count as sent now: where the list has a retention and was filled long ago, mirror it instead.
   */
  seed?: AsyncIterable<ListRow> | Iterable<ListRow>;
  /** Makes the seeding repeatable. */
  runId?: string;
  signal?: AbortSignal;
}

/** What may be said of one segment, in place of the destination's settings. */
export interface SegmentPatch {
  name?: string;
  description?: string;
  retentionInDays?: number;
  /** Kinds of identifiers that enter it. */
  identifiers?: readonly MemberKind[];
}

/** A segment after a change, and what Snapchat did not take of it. */
export interface SegmentUpdateReport {
  segment: LinkedSegment;
  /** Fields that Snapchat keeps as they were; `name` also where somebody renamed the segment in Ads Manager. */
  ignored: (keyof SegmentPatch)[];
}

const BURY_AT_ONCE = 500;

export type Segments = ReturnType<typeof createSegments>;

/** A tenant's segments: what a host may look at and do. The destination is the tenant's own; that was checked before. */
export function createSegments(dependencies: SegmentsDependencies) {
  const { storage, links, audiences, lists } = dependencies;
  const { records, outbox } = storage;
  const shown = (link: SegmentLink, account: AccountSegments | undefined) =>
    linkedSegment(link, account, dependencies.memberLingerMs);

  function asLogin<T>(
    { tenantId, connectionId }: ActiveDestination,
    task: (call: AudiencesCall) => Promise<T>,
    o: { writes?: boolean } = {},
  ): Promise<T> {
    if (connectionId === undefined) throw notConnected();
    return withLogin(dependencies, { tenantId, connectionId }, task, o);
  }

  async function known(
    destination: ActiveDestination,
    key: string,
  ): Promise<{ ref: SegmentLinkRef; link: SegmentLink }> {
    const ref = links.refOf(destination, checkSegmentKey(key));
    const stored = await readSegmentLink(records, ref);
    if (!stored) throw segmentUnknown();
    return { ref, link: stored.link };
  }

  async function change(ref: SegmentLinkRef, apply: (link: SegmentLink) => SegmentLink): Promise<void> {
    await changeSegmentLink(records, ref, apply);
    links.changed(ref);
  }

  async function list(destination: ActiveDestination, { live = true }: ListOptions = {}): Promise<LinkedSegment[]> {
    const accounts = new Map<string, AccountSegments | undefined>();
    const found: LinkedSegment[] = [];
    for await (const { link } of links.ofDestination(destination.tenantId, destination.id)) {
      if (link.released) continue;
      if (live && link.segmentId !== undefined && !accounts.has(link.adAccountId)) {
        const asked = destination.connectionId === undefined ? undefined : await ask(destination, link.adAccountId);
        accounts.set(link.adAccountId, asked);
      }
      found.push(shown(link, accounts.get(link.adAccountId)));
    }
    return found;
  }

  const ask = (destination: ActiveDestination, adAccountId: string) =>
    askAccount(audiences, adAccountId, (task) => asLogin(destination, task));

  const sync = createSegmentSync(dependencies);

  return {
    list,
    sync,

    /** Makes a segment known and, without waiting for a member, made at Snapchat. */
    async make(destination: ActiveDestination, segment: { key: string; name?: string | undefined }): Promise<void> {
      const ref = links.refOf(destination, checkSegmentKey(segment.key));
      const { generation } = await links.make(destination, { link: ref.link, key: segment.key, name: segment.name });
      await lists.task(ref, `make ${generation}`, { task: "make" });
    },

    /** @throws {SnapchatError} `segment_not_a_list`, `segment_linked_already`, `segment_id_invalid`; as `get` */
    async link(
      destination: ActiveDestination,
      key: string,
      segmentId: string,
      { name, seed, runId, signal }: LinkOptions = {},
    ): Promise<LinkedSegment> {
      checkSegmentKey(key);
      if (typeof segmentId !== "string" || !/^\d{1,30}$/.test(segmentId)) throw idInvalid();
      const segment = await asLogin(destination, (call) => audiences.segments.get(segmentId, call));
      checkLinkable(destination, segment);
      for await (const { link } of links.ofDestination(destination.tenantId, destination.id)) {
        if (link.segmentId === segmentId && link.key !== key && link.state === "ready") throw linkedAlready(link.key);
      }
      const ref = links.refOf(destination, key);
      const before = await links.make(destination, { link: ref.link, key, name: name ?? segment.name });
      const other = before.segmentId !== undefined && before.segmentId !== segmentId;
      // What was known of another list is not known of this one.
      if (other) await storage.members?.drop(ref);
      await change(ref, ({ problem: _, ...link }) => ({
        ...link,
        segmentId,
        state: "ready",
        name: name ?? segment.name,
        givenName: segment.name,
        ...(segment.retentionInDays === undefined ? {} : { retentionInDays: segment.retentionInDays }),
      }));
      await outbox.resume({ destinationId: destination.id, group: membersGroup(ref.link) }, SEGMENT_DELETED);
      if (seed) {
        await sync(destination, key, seed, {
          seeding: true,
          ...(runId === undefined ? {} : { runId }),
          ...(signal === undefined ? {} : { signal }),
        });
      }
      const { link } = await known(destination, key);
      return shown(link, { ok: true, segments: new Map([[segmentId, segment]]) });
    },

    /** @throws {SnapchatError} `segment_…_invalid` (fix_data); as `AudiencesClient.segments.update` */
    async update(destination: ActiveDestination, key: string, patch: SegmentPatch): Promise<SegmentUpdateReport> {
      const ref = links.refOf(destination, checkSegmentKey(key));
      const { identifiers, ...fields } = patch;
      checkSegmentChange(fields);
      if (identifiers !== undefined) checkIdentifiers(identifiers);
      const before = await links.make(destination, { link: ref.link, key, name: undefined });
      const name = fields.name === undefined ? undefined : nameOf(destination, { key, name: fields.name });
      const wanted = { ...fields, ...(name === undefined ? {} : { name }) };
      const ignored: (keyof SegmentPatch)[] = [];
      let seen: Segment | undefined;
      const { segmentId } = before;
      if (segmentId !== undefined && before.state === "ready" && Object.keys(wanted).length > 0) {
        const told = await asLogin(
          destination,
          async (call) => {
            const now = await audiences.segments.get(segmentId, call);
            // Somebody gave it another name in Ads Manager: theirs stays.
            const renamed = before.givenName !== undefined && now.name !== before.givenName;
            const { name: _, ...rest } = wanted;
            const { description } = wanted;
            const change = {
              ...(renamed ? rest : wanted),
              ...(description === undefined ? {} : { description: withMarker(description, now.description) }),
            };
            if (renamed && wanted.name !== undefined) ignored.push("name");
            return Object.keys(change).length === 0
              ? { segment: now, ignored: [] }
              : audiences.segments.update(segmentId, change, call);
          },
          { writes: true },
        );
        seen = told.segment;
        for (const field of told.ignored) if (field !== "status") ignored.push(field);
      }
      await change(ref, (link) => ({
        ...link,
        ...Object.fromEntries(
          Object.entries(wanted).filter(([field]) => !ignored.includes(field as keyof SegmentPatch)),
        ),
        ...(identifiers === undefined ? {} : { identifiers: [...identifiers] }),
        ...(seen && !ignored.includes("name") && name !== undefined ? { givenName: name } : {}),
        ...(fields.retentionInDays === undefined ? {} : { renewAtMs: undefined }),
      }));
      const { link } = await known(destination, key);
      const account = seen && { ok: true as const, segments: new Map([[seen.id, seen]]) };
      return { segment: shown(link, account), ignored };
    },

    /** Makes a segment again that was deleted in Ads Manager, with all members that are known. */
    async recreate(destination: ActiveDestination, key: string): Promise<LinkedSegment> {
      const { ref, link } = await known(destination, key);
      if (link.state !== "deleted" && link.state !== "stopped") {
        throw wrong("segment_not_deleted", "This segment is there; nothing has to be made again.", "Nothing to do.");
      }
      await change(ref, ({ segmentId: _, problem: __, ...own }) => ({
        ...own,
        state: "new",
        generation: own.generation + 1,
      }));
      await lists.task(ref, `refill ${link.generation + 1}`, { task: "refill" });
      await outbox.resume({ destinationId: destination.id, group: membersGroup(ref.link) }, SEGMENT_DELETED);
      return shown((await known(destination, key)).link, undefined);
    },

    /** No longer keeps a segment in step. It stays at Snapchat; what is queued for it is dropped. */
    async stop(destination: ActiveDestination, key: string): Promise<LinkedSegment> {
      const { ref } = await known(destination, key);
      await change(ref, (link) => ({ ...link, state: "stopped" }));
      await outbox.resume({ destinationId: destination.id, group: membersGroup(ref.link) }, SEGMENT_DELETED);
      return shown((await known(destination, key)).link, undefined);
    },

    /** The CDP has deleted the segment. */
    async remove(
      destination: ActiveDestination,
      key: string,
      choice: "keep" | "empty" | "delete" = "keep",
    ): Promise<void> {
      if (choice !== "keep" && choice !== "empty" && choice !== "delete") throw choiceInvalid();
      const { ref, link } = await known(destination, key);
      if (choice !== "keep" && link.segmentId !== undefined && destination.connectionId === undefined)
        throw notConnected();
      // First nothing more is sent, then it is emptied: what is under way does not fill it again.
      await change(ref, (own) => ({ ...own, state: "stopped" }));
      const group = { destinationId: destination.id, group: membersGroup(ref.link) };
      let done = false;
      while (!done) done = await outbox.bury(group, "dropped", { limit: BURY_AT_ONCE });
      if (choice !== "keep" && link.state !== "deleted") {
        await letGo(dependencies, destination.tenantId, link, destination.connectionId ?? "", choice);
      }
      await storage.members?.drop(ref);
      await links.forget(ref);
      await outbox.resume(group, SEGMENT_DELETED);
    },
  };
}

/** Snapchat's description holds our marker behind the host's words. */
function withMarker(description: string, before: string | undefined): string {
  const marker = /cdp:\S.*#\S+$/.exec(before ?? "")?.[0];
  return marker === undefined ? description : `${description} ${marker}`.trim();
}
