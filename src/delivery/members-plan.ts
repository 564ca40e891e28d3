import type { MemberOp, Members, SegmentRef } from "../storage/ports.ts";
import { hasBit } from "./bits.ts";
import { MEMBER_KINDS } from "./interfaces.ts";
import type { FoldedIdentifier } from "./members-fold.ts";

/** Operations of one call of the members port, judged together. */
const MAX_OPS = 10_000;

/** One request: identifiers of one kind that enter or leave. */
export interface MembersPage {
  op: "add" | "remove";
  kind: (typeof MEMBER_KINDS)[number];
  hashes: string[];
}

/** What Snapchat has to hear, and what is written down once it has accepted it. */
export interface MembersPlan {
  pages: MembersPage[];
  commits: { ops: MemberOp[]; sent: Uint8Array }[];
}

export interface PlanOptions {
  /** Absent where the engine has none: everything is sent. */
  members: Members | undefined;
  segment: SegmentRef;
  pageSize: number;
  renewAfterMs?: number | undefined;
}

/** Compares with what Snapchat holds and pages what differs. Doubted identifiers are sent whatever the comparison says. */
export async function planMembers(folded: readonly FoldedIdentifier[], options: PlanOptions): Promise<MembersPlan> {
  const { members, segment, renewAfterMs } = options;
  const sends = new Map<string, { op: MemberOp["op"]; kind: number; hashes: string[] }>();
  const send = (op: MemberOp["op"], { kind, hash }: Pick<MemberOp, "kind" | "hash">) => {
    const key = `${op} ${kind}`;
    let list = sends.get(key);
    if (!list) {
      list = { op, kind, hashes: [] };
      sends.set(key, list);
    }
    list.hashes.push(Buffer.from(hash.buffer, hash.byteOffset, hash.byteLength).toString("hex"));
  };

  const commits: MembersPlan["commits"] = [];
  for (const chunk of chunks(folded)) {
    const ops = chunk.flatMap((one) => one.ops);
    if (!members) {
      for (const one of chunk) {
        const last = one.ops.at(-1);
        if (last) send(last.op, last);
      }
      continue;
    }
    const sent = await members.diff(segment, ops, renewAfterMs === undefined ? {} : { renewAfterMs });
    const unchanged: FoldedIdentifier[] = [];
    let at = 0;
    for (const one of chunk) {
      let said = false;
      for (const op of one.ops) {
        if (hasBit(sent, at++)) {
          send(op.op, op);
          said = true;
        }
      }
      if (!said && one.doubted) unchanged.push(one);
    }
    if (unchanged.length > 0) {
      const held = await heldNow(members, segment, unchanged);
      for (const [index, one] of unchanged.entries()) send(held[index] ? "add" : "remove", one);
    }
    if (ops.length > 0) commits.push({ ops, sent });
  }

  const pages: MembersPage[] = [];
  for (const { op, kind, hashes } of sends.values()) {
    for (let from = 0; from < hashes.length; from += options.pageSize) {
      pages.push({
        op,
        kind: MEMBER_KINDS[kind] ?? "email",
        hashes: hashes.slice(from, from + options.pageSize),
      });
    }
  }
  return { pages, commits };
}

/** Which identifiers are members now: an add of each would change nothing. Asked, never written. */
async function heldNow(members: Members, segment: SegmentRef, identifiers: readonly FoldedIdentifier[]) {
  const probes = identifiers.map(
    ({ kind, hash }): MemberOp => ({ op: "add", kind, hash, position: Number.MAX_SAFE_INTEGER }),
  );
  const wouldChange = await members.diff(segment, probes);
  return probes.map((_, index) => !hasBit(wouldChange, index));
}

/** Chunks of at most 10,000 operations; those of one identifier stay together. */
function* chunks(folded: readonly FoldedIdentifier[]): Generator<FoldedIdentifier[]> {
  let chunk: FoldedIdentifier[] = [];
  let count = 0;
  for (const one of folded) {
    const size = Math.max(1, one.ops.length);
    if (count + size > MAX_OPS && chunk.length > 0) {
      yield chunk;
      chunk = [];
      count = 0;
    }
    chunk.push(one);
    count += size;
  }
  if (chunk.length > 0) yield chunk;
}
