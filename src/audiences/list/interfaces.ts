/**
 * What a whole list needs of delivery. Structurally `Delivery["lists"]`: this room knows how lists are read and in which
 * order a run does things, delivery knows how its pages wait and leave.
 */

export interface SegmentPlace {
  tenantId: string;
  destinationId: string;
  link: string;
}

/** 0 e-mail, 1 phone, 2 mobile advertising id. */
export type KindNumber = 0 | 1 | 2;

export interface QueuedPage {
  op: "add" | "remove" | "hold";
  kind: KindNumber;
  /** 32 bytes for each. */
  hashes: Uint8Array;
  /** 16 bytes for each; absent: nobody is named. */
  persons: Uint8Array | undefined;
  acceptedAtMs: number;
}

export interface ListWork {
  added: number;
  removed: number;
  accepted: number;
  requests: number;
}

export interface Lists {
  readonly pageSize: number;
  task(
    segment: SegmentPlace,
    id: string,
    task: { task: "make" | "sweep" },
    options?: { position?: number },
  ): Promise<number>;
  page(segment: SegmentPlace, id: string, page: QueuedPage, position: number): Promise<void>;
  changing(
    segment: SegmentPlace,
    page: QueuedPage,
    position: number,
    link: { retentionInDays?: number | undefined },
  ): Promise<ReadonlySet<number> | undefined>;
  leaving(segment: SegmentPlace, run: number): Promise<{ leaving: number; held: number }>;
  done(segment: SegmentPlace, id: string): Promise<ListWork | undefined>;
  dead(segment: SegmentPlace, id: string): Promise<string | undefined>;
}
