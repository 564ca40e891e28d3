/**
 * - `queued`: stored; it will be delivered, or become a dead letter with a reason.
 * - `duplicate`: the same item is stored already, or left less than 48 hours ago.
 * - `skipped`: a toggle, a filter, consent or a missing rule says that nothing is to be sent.
 * - `rejected`: it cannot be sent; `reason` says why.
 */
export type ReceiptStatus = "queued" | "duplicate" | "skipped" | "rejected";

/** What became of a host event by one rule on one channel of one destination. */
export interface ReceiptPart {
  destinationId: string;
  /** Id of the rule; empty where no rule matched. */
  rule: string;
  channel: "server" | "client" | "audience";
  /** Snap event name, or `segment:<key>`. */
  target: string;
  status: ReceiptStatus;
  /** Stable `snake_case`; its words are in `REASONS`. */
  reason?: string;
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

const ORDER: readonly ReceiptStatus[] = ["rejected", "queued", "duplicate", "skipped"];

/** The status of a whole from the statuses of its parts; a whole without parts is skipped. */
export function overallStatus(parts: readonly { status: ReceiptStatus }[]): ReceiptStatus {
  for (const status of ORDER) if (parts.some((part) => part.status === status)) return status;
  return "skipped";
}
