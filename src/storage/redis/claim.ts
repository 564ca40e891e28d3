import type { Claim, ClaimedEntry, Outbox } from "../ports.ts";
import type { Engine } from "./engine.ts";
import { whole } from "./frame.ts";
import { groupOf } from "./groups.ts";

type ClaimOptions = Parameters<Outbox["claim"]>[0];

/** Takes partitions by the number of tenants with something due, as far as it is known. */
export class Claims {
  readonly #engine: Engine;
  /** Tenants due at the last look, and the turns a partition is owed. */
  readonly #partitions: { number: number; due: number; owed: number }[];
  /** Changes of each partition as the last claim there saw them. */
  readonly changes: number[] = [];

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#partitions = engine.numbers.map((number) => ({ number, due: 1, owed: 0 }));
  }

  /** A claim, or nothing after every partition has said so. */
  async claim(o: ClaimOptions): Promise<Claim | undefined> {
    const args = [whole(o.leaseMs), o.maxItems, o.maxBytes, ...(o.skipCredentials ?? [])];
    for (const partition of this.#order()) {
      const answer = await this.#engine.run("claim", this.#engine.partition("outbox", partition.number), args);
      const [due, changes, ...claim] = answer as [number, number, ...unknown[]];
      partition.due = due;
      this.changes[partition.number] = changes;
      if (claim.length > 0) {
        // The others' numbers are as old as their last look: each is believed again for one turn.
        for (const other of this.#partitions) other.due ||= 1;
        return readClaim(partition.number, claim);
      }
    }
    return undefined;
  }

  /** Smooth weighted turns: the one that is owed most comes first, the others behind it. */
  #order() {
    const total = this.#partitions.reduce((sum, { due }) => sum + due, 0);
    for (const partition of this.#partitions) partition.owed += partition.due;
    const order = this.#partitions.toSorted((a, b) => b.owed - a.owed);
    if (order[0]) order[0].owed -= total;
    return order;
  }
}

function readClaim(partition: number, answer: readonly unknown[]): Claim {
  const [cid, fence, tenant, credential, exclusive, key, now, ...fields] = answer;
  const entries: ClaimedEntry[] = [];
  for (let at = 0; at < fields.length; at += 3) {
    const [meta, payload, progress] = fields.slice(at, at + 3) as [Buffer, Buffer, Buffer | null];
    const end = meta.indexOf(0x0a);
    const [created, , position, , items, , , claims] = meta.toString("latin1", 0, end).split(" ").map(Number);
    entries.push({
      id: meta.toString("utf8", end + 1),
      payload,
      items: items ?? 0,
      position: position ?? 0,
      claims: (claims ?? 0) + 1,
      ageMs: Number(now) - (created ?? 0),
      ...(progress ? { progress } : {}),
    });
  }
  return {
    id: `${partition}.${cid}`,
    fence: Number(fence),
    group: groupOf(key as Buffer, tenant, credential, exclusive),
    entries,
  };
}

/** Where a claim is: the partition's key and the claim's id there. Undefined for an id that is no such thing. */
export function locate(engine: Engine, claim: Claim): [partition: string, cid: string] | undefined {
  const [, number, cid] = /^(\d+)\.(\d+)$/.exec(claim.id) ?? [];
  if (cid === undefined || Number(number) >= engine.options.partitions) return undefined;
  return [engine.partition("outbox", Number(number)), cid];
}
