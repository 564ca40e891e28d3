import type { ListRow, SyncProgress } from "../../audiences/index.ts";
import type { ActiveDestination, Audit, MutationOptions } from "../../destinations/index.ts";
import type { LinkOptions, ListOptions, SegmentPatch, Segments, SegmentUpdateReport } from "./segments.ts";
import type { LinkedSegment } from "./status.ts";
import type { SyncOptions } from "./sync.ts";

type Actor = { actor?: MutationOptions["actor"] | undefined };

/** A CDP's segments, by their keys. What changes one leaves a line in the audit trail, with
 * `actor`: an id of yours, default `"host"`. */
export interface TenantSegments {
  /** Every segment that is known, with where it stands at Snapchat, in words. */
  list(destinationId: string, options?: ListOptions): Promise<LinkedSegment[]>;
  /**
   * Brings a whole list into a segment. Resolves when Snapchat has taken it all, so a worker has to run, here or
   * elsewhere; where none does, it fails after a quarter of a minute with `nobody_delivers`. Without `members` the
   * `segments` hook is asked.
   *
   * @throws {SnapchatError} `segment_key_invalid`, `mirror_removes_too_many` (fix_data); `sync_mode_invalid`,
   * `run_id_invalid`, `members_missing`, `segment_deleted`, `segment_stopped`, `delivery_paused`,
   * `nobody_delivers`, `capability_missing` (fix_configuration)
   */
  sync(
    destinationId: string,
    key: string,
    members?: AsyncIterable<ListRow> | Iterable<ListRow>,
    options?: SyncOptions & Pick<MutationOptions, "actor">,
  ): Promise<SyncProgress>;
  /**
   * Keeps a customer list that exists already in step with a segment; nothing is made.
   *
   * @throws {SnapchatError} `segment_not_a_list`, `segment_of_other_account`, `segment_linked_already` (fix_configuration)
   */
  link(
    destinationId: string,
    key: string,
    segmentId: string,
    options?: LinkOptions & Pick<MutationOptions, "actor">,
  ): Promise<LinkedSegment>;
  /** Name, description, retention and kinds of identifiers of one segment; also before it is made. */
  update(
    destinationId: string,
    key: string,
    patch: SegmentPatch,
    options?: Pick<MutationOptions, "actor">,
  ): Promise<SegmentUpdateReport>;
  /** Makes a segment again that was deleted in Ads Manager, with all members that are known. */
  recreate(destinationId: string, key: string, options?: Pick<MutationOptions, "actor">): Promise<LinkedSegment>;
  /** No longer keeps a segment in step; it stays at Snapchat as it is. */
  stop(destinationId: string, key: string, options?: Pick<MutationOptions, "actor">): Promise<LinkedSegment>;
  /** For a segment that the CDP has deleted: forgets it, and keeps (default), empties or deletes the list at Snapchat. */
  remove(
    destinationId: string,
    key: string,
    choice?: "keep" | "empty" | "delete",
    options?: Pick<MutationOptions, "actor">,
  ): Promise<void>;
}

/** @param active the tenant's own destination of an id; refuses every other */
export function createTenantSegments(
  segments: Segments,
  active: (destinationId: string) => Promise<ActiveDestination>,
  audit: Pick<Audit, "record">,
): TenantSegments {
  /** Does it, and writes down who did what to which segment. */
  async function audited<T>(
    action: string,
    destinationId: string,
    key: string,
    { actor = "host" }: Actor,
    task: (destination: ActiveDestination) => Promise<T>,
    detail: () => Readonly<Record<string, string>> = () => ({}),
  ): Promise<T> {
    const destination = await active(destinationId);
    const done = await task(destination);
    const { tenantId } = destination;
    await audit.record({
      tenantId,
      actor,
      action: `segment.${action}`,
      destinationId,
      detail: { segment: key, ...detail() },
    });
    return done;
  }

  return {
    list: async (destinationId, o) => segments.list(await active(destinationId), o),
    sync: (destinationId, key, members, { actor, ...o } = {}) =>
      audited(
        "synced",
        destinationId,
        key,
        { actor },
        (own) => segments.sync(own, key, members, o),
        () => ({
          mode: o.mode ?? "mirror",
        }),
      ),
    link: (destinationId, key, segmentId, { actor, ...o } = {}) =>
      audited(
        "linked",
        destinationId,
        key,
        { actor },
        (own) => segments.link(own, key, segmentId, o),
        () => ({ segmentId }),
      ),
    update: (destinationId, key, patch, o = {}) =>
      audited(
        "updated",
        destinationId,
        key,
        o,
        (own) => segments.update(own, key, patch),
        () => ({
          changed: Object.keys(patch).join(" "),
        }),
      ),
    recreate: (destinationId, key, o = {}) =>
      audited("recreated", destinationId, key, o, (own) => segments.recreate(own, key)),
    stop: (destinationId, key, o = {}) => audited("stopped", destinationId, key, o, (own) => segments.stop(own, key)),
    remove: (destinationId, key, choice = "keep", o = {}) =>
      audited(
        "removed",
        destinationId,
        key,
        o,
        (own) => segments.remove(own, key, choice),
        () => ({ choice }),
      ),
  };
}
