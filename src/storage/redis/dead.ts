import type { DeadLetter, Outbox, Page } from "../ports.ts";
import type { Engine } from "./engine.ts";
import { groupOf } from "./groups.ts";
import type { Places } from "./places.ts";

type Letter = [
  seq: number,
  m: Buffer,
  payload: Buffer,
  detail: Buffer,
  tenant: Buffer,
  credential: Buffer,
  exclusive: Buffer,
];

export function deadLetters(engine: Engine, places: Places): Outbox["dead"] {
  const numberOf = async (destinationId: string) => (await places.find([destinationId]))(destinationId);
  return {
    async list(o) {
      const number = await numberOf(o.destinationId);
      if (number === undefined) return { items: [] };
      const since = o.maxAgeMs === undefined ? "" : String(o.maxAgeMs);
      const reason = o.reason === undefined ? "" : `=${o.reason}`;
      const items: DeadLetter[] = [];
      let after = o.after;
      // A call looks at a bounded number of letters: those of a rare reason may be far apart.
      do {
        const before = after === undefined ? "+inf" : `(${seqOf(after)}`;
        const args = [o.destinationId, before, since, reason, o.limit - items.length];
        const [now, last, found] = (await engine.run("listDead", engine.partition("outbox", number), args)) as [
          number,
          Buffer,
          Letter[],
        ];
        for (const letter of found) items.push(readLetter(number, letter, now));
        after = last.length > 0 ? `${number}.${last}` : undefined;
      } while (after !== undefined && items.length < o.limit);
      return { items, ...(after === undefined ? {} : { after }) } satisfies Page<DeadLetter>;
    },

    async delete({ destinationId, ids }) {
      const number = await numberOf(destinationId);
      const seqs = ids.flatMap((id) => (/^\d+\.\d+$/.test(id) ? [seqOf(id)] : []));
      if (number === undefined || seqs.length === 0) return 0;
      return Number(await engine.run("removeDead", engine.partition("outbox", number), [destinationId, ...seqs]));
    },
  };
}

/** A letter's id is its partition and its number there. */
function seqOf(id: string): string {
  return id.slice(id.indexOf(".") + 1);
}

function readLetter(partition: number, letter: Letter, now: number): DeadLetter {
  const [seq, m, payload, detail, tenant, credential, exclusive] = letter;
  const end = m.indexOf(0x0a);
  const [died = 0, claims = 0, position = 0, itemIndex = -1] = m.toString("latin1", 0, end).split(" ").map(Number);
  const { group, entryId, reason } = readNames(m.subarray(end + 1));
  return {
    id: `${partition}.${seq}`,
    entryId,
    itemIndex,
    group: groupOf(group, tenant, credential, exclusive),
    reason,
    ageMs: now - died,
    claims,
    position,
    payload,
    detail,
  };
}

function readNames(bytes: Buffer) {
  const frame = (at: number) => {
    const colon = bytes.indexOf(0x3a, at);
    return { from: colon + 1, to: colon + 1 + Number(bytes.toString("latin1", at, colon)) };
  };
  const group = frame(0);
  const id = frame(group.to);
  return {
    group: bytes.subarray(group.from, group.to),
    entryId: bytes.toString("utf8", id.from, id.to),
    reason: bytes.toString("utf8", id.to),
  };
}
