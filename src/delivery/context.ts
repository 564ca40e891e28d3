import type { Clock } from "../clock.ts";
import { isSnapchatError } from "../errors.ts";
import type { Storage } from "../storage/ports.ts";
import type { Random } from "./backoff.ts";
import type { Circuits } from "./circuit.ts";
import type { Counters } from "./counters.ts";
import type { DeliveryEvent, OnSettled } from "./emitted.ts";
import type { Consent, Credentials, EventSender, Sealer, SegmentSender } from "./interfaces.ts";
import type { JournalWriter } from "./journal.ts";
import type { Limits } from "./limits.ts";
import type { ListQueue } from "./list-queue.ts";
import type { DeliverySettings } from "./settings.ts";
import { isStorageError } from "./storage-call.ts";

/** Everything the work on a claim may touch. */
export interface Context {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: Random;
  readonly credentials: Credentials;
  readonly consent: Consent | undefined;
  readonly events: EventSender | undefined;
  readonly segments: SegmentSender | undefined;
  readonly sealer: Sealer | undefined;
  readonly settings: DeliverySettings;
  readonly limits: Limits;
  readonly circuits: Circuits;
  readonly counters: Counters;
  readonly journal: JournalWriter;
  readonly lists: Pick<ListQueue, "task">;
  readonly emit: (event: DeliveryEvent) => void;
  readonly onSettled: OnSettled | undefined;
  /** Entries that came back with a backup are younger than this; their outcome is unknown since then. Age of the backup. */
  readonly restored: () => Restored | undefined;
}

/** A database that came back from a backup. Both on the engine's clock, as ages at the moment of asking. */
export interface Restored {
  /** When the backup was taken: whatever was sent later is not known here. */
  backupAgeMs: number;
  /** When it was brought back: entries older than this came with it. */
  restoredAgeMs: number;
}

/** A listener's fault is its own. */
export function guarded<T extends unknown[]>(listener: ((...args: T) => void) | undefined): (...args: T) => void {
  return (...args) => {
    try {
      listener?.(...args);
    } catch {
      // Nothing of ours depends on it.
    }
  };
}

/** Code and words of a failure that are safe to emit. */
export function safeError(error: unknown): { code: string; message: string } {
  if (isSnapchatError(error)) return { code: error.code, message: error.message };
  if (isStorageError(error)) return { code: `storage_${error.code}`, message: "The storage engine refused a call." };
  return { code: "unexpected_error", message: error instanceof Error ? error.name : "A value was thrown." };
}
