import type { MemberKind } from "./interfaces.ts";

/**
 * What whole lists put into a segment's queue beside single changes: pages of digests without a row of JSON for each,
 * and tasks that need no digests at all, since what they are about is read from the members port when their turn comes.
 *
 * Content of an entry: one line of JSON, an object where single changes have a list, then the bytes it counts out.
 */
export type ListPayload = ListPage | SegmentTask;

/** Identifiers of one kind that enter or leave. The entry's position is the run's: what events say later goes before it. */
export interface ListPage {
  type: "page";
  /** `hold`: Snapchat holds them already; nothing is sent. */
  op: "add" | "remove" | "hold";
  kind: MemberKind;
  /** 32 bytes for each. */
  hashes: Uint8Array;
  /** 16 bytes for each; absent: nobody is named, the identifier stands for itself. */
  persons: Uint8Array | undefined;
  acceptedAtMs: number;
}

/**
 * - `make`: the segment is made, whether anybody enters it or not. Its position is where a run begins.
 * - `sweep`: whoever the run did not see and no later event spoke of leaves.
 * - `renew`: members that the segment's retention would drop are sent again.
 * - `refill`: all members are sent again: the segment was made anew.
 * - `copy`: the members of another link enter: the destination has moved to another ad account.
 */
export interface SegmentTask {
  type: "task";
  task: "make" | "sweep" | "renew" | "refill" | "copy";
  /** Of `copy`: the other link. */
  from?: string | undefined;
}

export const LIST_HASH_BYTES = 32;
export const LIST_PERSON_BYTES = 16;
const NEWLINE = 10;
const BRACE = 123;

export function encodeList(payload: ListPayload): Uint8Array {
  if (payload.type === "task") return line({ t: payload.task, f: payload.from });
  const { op, kind, hashes, persons, acceptedAtMs } = payload;
  const count = hashes.byteLength / LIST_HASH_BYTES;
  const head = line({ o: op, k: kind, n: count, p: persons ? 1 : 0, a: acceptedAtMs });
  return Buffer.concat(persons ? [head, hashes, persons] : [head, hashes]);
}

export function isList(content: Uint8Array): boolean {
  return content[0] === BRACE;
}

export function decodeList(content: Uint8Array): ListPayload {
  const end = content.indexOf(NEWLINE);
  const head = JSON.parse(Buffer.from(content.buffer, content.byteOffset, end).toString("utf8")) as {
    t?: SegmentTask["task"];
    f?: string;
    o: ListPage["op"];
    k: MemberKind;
    n: number;
    p: 0 | 1;
    a: number;
  };
  if (head.t !== undefined) return { type: "task", task: head.t, from: head.f };
  const from = end + 1;
  const middle = from + head.n * LIST_HASH_BYTES;
  return {
    type: "page",
    op: head.o,
    kind: head.k,
    hashes: content.subarray(from, middle),
    persons: head.p === 1 ? content.subarray(middle, middle + head.n * LIST_PERSON_BYTES) : undefined,
    acceptedAtMs: head.a,
  };
}

function line(head: object): Buffer {
  return Buffer.from(`${JSON.stringify(head)}\n`, "utf8");
}
