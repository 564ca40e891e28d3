import type { Records } from "../storage/ports.ts";
import type { DigestTable } from "./digest-table.ts";
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
}

export function createConsent({ records, cache }: { records: Records; cache: TombstoneCache }): Consent {
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
  };
}
