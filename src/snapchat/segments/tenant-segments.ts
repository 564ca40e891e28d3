import type { ListRow, SyncProgress } from "../../audiences/index.ts";
import type { ActiveDestination } from "../../destinations/index.ts";
import type { LinkOptions, ListOptions, SegmentPatch, Segments, SegmentUpdateReport } from "./segments.ts";
import type { LinkedSegment } from "./status.ts";
import type { SyncOptions } from "./sync.ts";

/** A CDP's segments, by their keys. */
export interface TenantSegments {
  /** Every segment that is known, with where it stands at Snapchat, in words. */
  list(destinationId: string, options?: ListOptions): Promise<LinkedSegment[]>;
  /**
   * Brings a whole list into a segment. Resolves when Snapchat has taken it all, so a worker has to run, here or
   * elsewhere. Without `members` the `segments` hook is asked.
   *
   * @throws {SnapchatError} `segment_key_invalid`, `mirror_removes_too_many` (fix_data); `sync_mode_invalid`,
   * `run_id_invalid`, `members_missing`, `segment_deleted`, `segment_stopped`, `delivery_paused`,
   * `capability_missing` (fix_configuration)
   */
  sync(
    destinationId: string,
    key: string,
    members?: AsyncIterable<ListRow> | Iterable<ListRow>,
    options?: SyncOptions,
  ): Promise<SyncProgress>;
  /**
   * Keeps a customer list that exists already in step with a segment; nothing is made.
   *
   * @throws {SnapchatError} `segment_not_a_list`, `segment_of_other_account`, `segment_linked_already` (fix_configuration)
   */
  link(destinationId: string, key: string, segmentId: string, options?: LinkOptions): Promise<LinkedSegment>;
  /** Name, description, retention and kinds of identifiers of one segment; also before it is made. */
  update(destinationId: string, key: string, patch: SegmentPatch): Promise<SegmentUpdateReport>;
  /** Makes a segment again that was deleted in Ads Manager, with all members that are known. */
  recreate(destinationId: string, key: string): Promise<LinkedSegment>;
  /** No longer keeps a segment in step; it stays at Snapchat as it is. */
  stop(destinationId: string, key: string): Promise<LinkedSegment>;
  /** For a segment that the CDP has deleted: forgets it, and keeps (default), empties or deletes the list at Snapchat. */
  remove(destinationId: string, key: string, choice?: "keep" | "empty" | "delete"): Promise<void>;
}

/** @param active the tenant's own destination of an id; refuses every other */
export function createTenantSegments(
  segments: Segments,
  active: (destinationId: string) => Promise<ActiveDestination>,
): TenantSegments {
  return {
    list: async (destinationId, o) => segments.list(await active(destinationId), o),
    sync: async (destinationId, key, members, o) => segments.sync(await active(destinationId), key, members, o),
    link: async (destinationId, key, segmentId, o) => segments.link(await active(destinationId), key, segmentId, o),
    update: async (destinationId, key, patch) => segments.update(await active(destinationId), key, patch),
    recreate: async (destinationId, key) => segments.recreate(await active(destinationId), key),
    stop: async (destinationId, key) => segments.stop(await active(destinationId), key),
    remove: async (destinationId, key, choice) => segments.remove(await active(destinationId), key, choice),
  };
}
