import type { ReasonWords } from "../workflow/index.ts";
import { wordsOf } from "./words.ts";

/**
 * - `queued`: stored; it will be delivered, or become a dead letter with a reason.
 * - `duplicate`: the same item is stored already, or left less than 48 hours ago.
 * - `skipped`: a toggle, a filter, consent or a missing rule says that nothing is to be sent.
 * - `rejected`: it cannot be sent; `reason` says why.
 */
export type ReceiptStatus = "queued" | "duplicate" | "skipped" | "rejected";

/** What became of a host event by one rule on one channel of one destination. */
export interface ReceiptPart {
  /** Empty where the tenant has no destination that the event could be offered to. */
  destinationId: string;
  /** Id of the rule; empty where no rule matched. */
  rule: string;
  channel: "server" | "client" | "audience";
  /** Snap event name, or `segment:<key>`. */
  target: string;
  status: ReceiptStatus;
  /** Stable `snake_case`: every one is in `docs/reasons.md`. */
  reason?: string;
  /**
   * What happened and what to do about it, in English, and for a field where the workflow reads it; `explain` says it in the
   * host's own words.
   */
  words?: ReasonWords;
  /** The field of the Snap event that made it be rejected, such as `custom_data.currency`. */
  path?: string;
  /** Where the workflow reads that field of this event, or would: paths of the canonical event. */
  from?: readonly string[];
  /** Facts behind the reason. Never a person's data. */
  detail?: Readonly<Record<string, string | number | boolean>>;
}

/** The answer of `track` for one host event. */
export interface Receipt {
  /** The id that pixel and server share. Absent where the event could not be read. */
  eventId: string | undefined;
  /** `rejected` if any part is, else `queued`, else `duplicate`, else `skipped`. */
  status: ReceiptStatus;
  parts: ReceiptPart[];
}

/** Says why: a code and its words, which every receipt of that reason shares. */
export function because(part: ReceiptPart, status: ReceiptStatus, reason: string): ReceiptPart {
  part.status = status;
  part.reason = reason;
  part.words = wordsOf(reason);
  return part;
}

/** The line of a destination that did not read the event, whatever its rules are. */
export function wholePart(destinationId: string, status: ReceiptStatus, reason: string): ReceiptPart {
  return because({ destinationId, rule: "", channel: "server", target: "", status }, status, reason);
}

const ORDER: readonly ReceiptStatus[] = ["rejected", "queued", "duplicate", "skipped"];

/** The status of a whole from the statuses of its parts; a whole without parts is skipped. */
export function overallStatus(parts: readonly { status: ReceiptStatus }[]): ReceiptStatus {
  for (const status of ORDER) if (parts.some((part) => part.status === status)) return status;
  return "skipped";
}
