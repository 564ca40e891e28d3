/** What delivery tells the host while it works. No payload, no token, no person in any of them. */
export type DeliveryEvent =
  | {
      type: "settled";
      tenantId: string;
      destinationId: string;
      group: string;
      /** Taken by Snapchat. */
      delivered: number;
      /** Judged by Snapchat's validation only. */
      validated: number;
      /** Waiting for another try. */
      retrying: number;
      /** Now dead letters, by reason. */
      dead: Readonly<Record<string, number>>;
      /** Not sent because the person may not be contacted any more. */
      withdrawn: number;
      requests: number;
    }
  | {
      type: "dead_letter";
      tenantId: string;
      destinationId: string;
      group: string;
      reason: string;
      items: number;
    }
  /** Another worker has taken over what this one was working on. */
  | { type: "claim_lost"; tenantId: string; destinationId: string; group: string }
  /** The credential's work waits for a person to sign in again or to paste a new token. */
  | { type: "reauth_required"; tenantId: string; destinationId: string; credentialId: string }
  /** The token is good, but not for this asset or segment. The work waits and is tried again. */
  | { type: "forbidden"; tenantId: string; destinationId: string; group: string; message?: string | undefined }
  | { type: "rate_limited"; key: string; forMs: number }
  | { type: "circuit_opened" | "circuit_closed"; group: string; destinationId: string }
  /** Identifiers were told to Snapchat. `accepted` below their sum: it did not take all of them. */
  | {
      type: "members_sent";
      tenantId: string;
      destinationId: string;
      link: string;
      added: number;
      removed: number;
      accepted: number;
    }
  | { type: "segment_created"; tenantId: string; destinationId: string; link: string; segmentId: string }
  /** A second, empty one, made by a process that had lost its turn, was deleted again. */
  | { type: "segment_surplus_deleted"; tenantId: string; destinationId: string; link: string; segmentId: string }
  /** Deleted in Ads Manager: its work waits for an answer. */
  | { type: "segment_deleted"; tenantId: string; destinationId: string; link: string; segmentId: string }
  | { type: "segment_refused"; tenantId: string; destinationId: string; link: string; code: string; message: string }
  /** A stored entry that does not open, or that a newer version wrote. It waits. */
  | {
      type: "entry_unreadable";
      tenantId: string;
      destinationId: string;
      group: string;
      reason: "unknown_format" | "payload_unreadable";
    }
  /** A fault of the engine or of a peer that the worker goes on after. */
  | { type: "worker_error"; code: string; message: string; destinationId?: string | undefined };

/** Hears every {@link DeliveryEvent}. What it throws is dropped. */
export type Emit = (event: DeliveryEvent) => void;

/** What became of one event for good: it will not be tried again by itself. */
export interface SettledItem {
  eventId: string | undefined;
  orderId?: string | undefined;
  /** Id of the workflow's rule; for a membership `segment:add` or `segment:remove`. */
  rule?: string | undefined;
  /** Snapchat's name and the event's time in seconds since 1970; of a delivered event. */
  eventName?: string | undefined;
  eventTime?: number | undefined;
  status: "delivered" | "validated" | "dead" | "withdrawn";
  reason?: string | undefined;
  /** Snapchat's words, redacted; for a dead one. */
  message?: string | undefined;
  requestId?: string | undefined;
}

/** Hears the outcome of every item once it is stored. Called after the settle, in no order between groups. */
export type OnSettled = (settled: {
  tenantId: string;
  destinationId: string;
  group: string;
  items: readonly SettledItem[];
}) => void;
