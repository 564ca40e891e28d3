import type { MemberOp, Members, SegmentRef } from "../storage/ports.ts";
import { hasBit, newBits, setBit } from "./bits.ts";
import { MEMBER_KINDS } from "./interfaces.ts";
import { type FoldedIdentifier, identifierKey } from "./members-fold.ts";

/** Operations of one call of the members port, judged together. */
export const MAX_OPS = 10_000;

/** One request: identifiers of one kind that enter or leave. */
export interface MembersPage {
  op: "add" | "remove";
  kind: (typeof MEMBER_KINDS)[number];
  hashes: string[];
}

/** What Snapchat has to hear, and what is written down once it has accepted it. */
export interface MembersPlan {
  pages: MembersPage[];
  /** Operations are made anew when they are written down. */
  commits: { ops: () => MemberOp[]; sent: Uint8Array }[];
}

export interface PlanOptions {
  /** Absent where the engine has none: everything is sent. */
  members: Members | undefined;
  segment: SegmentRef;
  pageSize: number;
  renewAfterMs?: number | undefined;
}

/** How operations that come from a list or from the members port are judged. */
export interface Judgement {
  /** Told again whatever the comparison says: they may have reached Snapchat already. */
  doubted?: boolean;
  /** `nothing`: Snapchat holds them already. `everything`: it holds none of them. Default: what the comparison says. */
  send?: "nothing" | "everything";
}

/** Compares with what Snapchat holds and pages what differs. Doubted identifiers are sent whatever the comparison says. */
export function createPlan(options: PlanOptions) {
  const { members, segment, renewAfterMs, pageSize } = options;
  const sends = new Map<string, { op: MemberOp["op"]; kind: number; hashes: string[] }>();
  const commits: MembersPlan["commits"] = [];

  const send = (op: MemberOp["op"], { kind, hash }: Pick<MemberOp, "kind" | "hash">) => {
    const key = `${op} ${kind}`;
    let list = sends.get(key);
    if (!list) {
      list = { op, kind, hashes: [] };
      sends.set(key, list);
    }
    list.hashes.push(Buffer.from(hash.buffer, hash.byteOffset, hash.byteLength).toString("hex"));
  };
  const differing = (port: Members, ops: MemberOp[]) =>
    port.diff(segment, ops, renewAfterMs === undefined ? {} : { renewAfterMs });

  /** Single changes, folded. */
  async function changes(folded: readonly FoldedIdentifier[]): Promise<void> {
    for (const chunk of chunks(folded)) {
      const ops = chunk.flatMap((one) => one.ops);
      if (!members) {
        for (const one of chunk) {
          const last = one.ops.at(-1);
          if (last) send(last.op, last);
        }
        continue;
      }
      const sent = await differing(members, ops);
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
      await tellAgain(members, unchanged);
      if (ops.length > 0) commits.push({ ops: () => ops, sent });
    }
  }

  /** Operations of a list or a task, at most {@link MAX_OPS} at a time. */
  async function operations(make: () => MemberOp[], { doubted, send: what }: Judgement = {}): Promise<void> {
    const ops = make();
    if (what === "nothing") {
      // Written down as sent now: what Snapchat holds already was sent at some time.
      if (members && ops.length > 0) commits.push({ ops: make, sent: firsts(ops) });
      return;
    }
    if (!members) {
      const said = new Set<string>();
      for (const op of ops) if (isNew(said, op)) send(op.op, op);
      return;
    }
    const sent = what === "everything" ? firsts(ops) : await differing(members, ops);
    const said = new Set<string>();
    for (const [index, op] of ops.entries()) {
      if (!hasBit(sent, index)) continue;
      send(op.op, op);
      said.add(identifierKey(op.kind, op.hash));
    }
    if (doubted)
      await tellAgain(
        members,
        ops.filter((op) => isNew(said, op)),
      );
    if (ops.length > 0) commits.push({ ops: make, sent });
  }

  /** What Snapchat should hold of identifiers that did not change here: asked as a probe, never written. */
  async function tellAgain(port: Members, identifiers: readonly Pick<MemberOp, "kind" | "hash">[]): Promise<void> {
    if (identifiers.length === 0) return;
    const probes = identifiers.map(
      ({ kind, hash }): MemberOp => ({ op: "add", kind, hash, position: Number.MAX_SAFE_INTEGER }),
    );
    const wouldChange = await port.diff(segment, probes);
    for (const [index, one] of identifiers.entries()) send(hasBit(wouldChange, index) ? "remove" : "add", one);
  }

  return {
    changes,
    operations,
    /** Tells again what Snapchat should hold of these identifiers, at most {@link MAX_OPS}, whatever is said of them here. */
    async assert(identifiers: readonly Pick<MemberOp, "kind" | "hash">[]): Promise<void> {
      const said = new Set<string>();
      if (members)
        await tellAgain(
          members,
          identifiers.filter((one) => isNew(said, one)),
        );
    },
    finish(): MembersPlan {
      const pages: MembersPage[] = [];
      for (const { op, kind, hashes } of sends.values()) {
        for (let from = 0; from < hashes.length; from += pageSize) {
          pages.push({ op, kind: MEMBER_KINDS[kind] ?? "email", hashes: hashes.slice(from, from + pageSize) });
        }
      }
      return { pages, commits };
    },
  };
}

export type Plan = ReturnType<typeof createPlan>;

/** Whether the identifier is named for the first time. */
function isNew(said: Set<string>, { kind, hash }: Pick<MemberOp, "kind" | "hash">): boolean {
  const key = identifierKey(kind, hash);
  if (said.has(key)) return false;
  said.add(key);
  return true;
}

/** The first operation of each identifier. */
function firsts(ops: readonly MemberOp[]): Uint8Array {
  const bits = newBits(ops.length);
  const said = new Set<string>();
  for (const [index, op] of ops.entries()) if (isNew(said, op)) setBit(bits, index);
  return bits;
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
