import type { Clock } from "../clock.ts";
import type { Records } from "../storage/ports.ts";
import type { Audit, AuditLine } from "./audit.ts";
import type {
  Accounts,
  Connections,
  QueueControl,
  Sealer,
  SegmentControl,
  TokenCheck,
  WorkflowCheck,
} from "./interfaces.ts";
import type { DestinationReader } from "./reader.ts";
import type { RandomBytes, Ulid } from "./ulid.ts";

/** What {@link createDestinations} is given. */
export interface DestinationsOptions {
  records: Records;
  sealer: Sealer;
  queue: QueueControl;
  connections: Connections;
  accounts: Accounts;
  tokenCheck: TokenCheck;
  workflowCheck: WorkflowCheck;
  segments: SegmentControl;
  /** The host's name for every destination whose settings give none: for preflight. */
  integration?: string | undefined;
  /** Default: the process's own. */
  clock?: Clock;
  randomBytes?: RandomBytes;
  /**
   * How long another process may still act on what it read before a change. Milliseconds. Default 2,000; 0 where the
   * storage is not shared with other processes. Deleting waits this long before it empties the queue.
   */
  visibleAfterMs?: number;
  /** Removes what other rooms keep of a destination that goes. Safe to repeat. */
  forget?: (tenantId: string, destinationId: string) => Promise<void>;
  /** Told of every audit line after it is stored. What it throws is ignored. */
  onAudit?: (line: AuditLine) => void;
}

/** The same with its defaults filled in, and the parts of this room that the others use. */
export interface Context extends Required<Omit<DestinationsOptions, "onAudit" | "randomBytes" | "integration">> {
  integration: string | undefined;
  ulid: Ulid;
  audit: Audit;
  reader: DestinationReader;
}
