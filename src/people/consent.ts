import type { Records } from "../storage/ports.ts";
import type { DigestTable } from "./digest-table.ts";
import type { Subjects } from "./subjects.ts";
import type { TombstoneCache } from "./tombstone-cache.ts";
import { readTombstone, withdrawnUntil } from "./tombstones.ts";

/** Asked once more before anything leaves. */
export interface Consent {
  /**
   * May this still be sent to this destination? Not if one of the people it is about withdrew at `acceptedAtMs` (the
   * engine's clock) or later. Removals from segments are not asked about: taking somebody out is what they want.
   *
   * Answers at once as long as nobody of these has a tombstone. A rejection keeps the item waiting.
   */
  allowed(
    tenantId: string,
    destinationId: string,
    subjects: readonly string[],
    acceptedAtMs: number,
  ): boolean | Promise<boolean>;
  /**
   * The same for a page of a list: places of identifiers (32 bytes each, one after the other) that may not enter.
   * `undefined`: all may, which costs nothing as long as nobody of the tenant has a tombstone.
   *
   * @param kind 0 e-mail, 1 phone, 2 mobile advertising id
   */
  deniedMembers(
    tenantId: string,
    destinationId: string,
    kind: 0 | 1 | 2,
    hashes: Uint8Array,
    acceptedAtMs: number,
  ): Promise<ReadonlySet<number> | undefined>;
}

const KIND_FIELDS = ["em", "ph", "madid"] as const;
const HASH_BYTES = 32;

export function createConsent({
  records,
  cache,
  subjects,
}: {
  records: Records;
  cache: TombstoneCache;
  /** Makes a tenant's digests of people. */
  subjects(tenantId: string): Subjects | Promise<Subjects>;
}): Consent {
  function judge(
    table: DigestTable,
    tenantId: string,
    destinationId: string,
    subjects: readonly string[],
    acceptedAtMs: number,
  ): boolean | Promise<boolean> {
    if (table.size === 0) return true;
    let suspects: string[] | undefined;
    for (const subject of subjects) {
      const atMs = table.get(subject);
      if (atMs === undefined || atMs < acceptedAtMs) continue;
      suspects ??= [];
      suspects.push(subject);
    }
    return suspects === undefined ? true : confirm(tenantId, destinationId, suspects, acceptedAtMs);
  }

  /** The table knows 48 bits and no destination: the record has the last word. */
  async function confirm(
    tenantId: string,
    destinationId: string,
    suspects: readonly string[],
    acceptedAtMs: number,
  ): Promise<boolean> {
    for (const subject of suspects) {
      const tombstone = await readTombstone(records, tenantId, subject);
      if (withdrawnUntil(tombstone, destinationId) >= acceptedAtMs) return false;
    }
    return true;
  }

  return {
    allowed(tenantId, destinationId, subjects, acceptedAtMs) {
      const table = cache.table(tenantId);
      if (!(table instanceof Promise)) return judge(table, tenantId, destinationId, subjects, acceptedAtMs);
      return table.then((loaded) => judge(loaded, tenantId, destinationId, subjects, acceptedAtMs));
    },
    async deniedMembers(tenantId, destinationId, kind, hashes, acceptedAtMs) {
      const table = await cache.table(tenantId);
      if (table.size === 0) return undefined;
      const digests = await subjects(tenantId);
      const denied = new Set<number>();
      for (let place = 0; place * HASH_BYTES < hashes.byteLength; place++) {
        const hash = hashes.subarray(place * HASH_BYTES, (place + 1) * HASH_BYTES);
        const subject = digests.ofHash(KIND_FIELDS[kind], Buffer.from(hash).toString("hex"));
        const allowed = judge(table, tenantId, destinationId, [subject], acceptedAtMs);
        if (!(allowed instanceof Promise ? await allowed : allowed)) denied.add(place);
      }
      return denied.size > 0 ? denied : undefined;
    },
  };
}
