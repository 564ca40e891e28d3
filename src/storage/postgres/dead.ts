import { escapeText, unescapeText } from "../escape.ts";
import type { DeadLetter, Outbox } from "../ports.ts";
import type { Database } from "./database.ts";
import { plainList } from "./lists.ts";

interface Row {
  seq: unknown;
  entry_id: string;
  item_index: number;
  reason: string;
  age_ms: unknown;
  claims: number;
  position: unknown;
  payload: Uint8Array;
  detail: Uint8Array;
  tenant: string;
  name: string;
  exclusive: boolean;
  credential: string;
}

export function deadLetters(db: Database): Outbox["dead"] {
  return {
    async list(o) {
      const rows = await db.call<Row>("dead_list", [
        db.clock(),
        escapeText(o.destinationId),
        o.reason === undefined ? null : escapeText(o.reason),
        o.maxAgeMs === undefined ? null : Math.floor(o.maxAgeMs),
        o.after === undefined ? Number.MAX_SAFE_INTEGER : Number(o.after),
        o.limit + 1,
      ]);
      const items = rows.slice(0, o.limit).map((row) => letterOf(row, o.destinationId));
      const last = items.at(-1);
      return { items, ...(rows.length > o.limit && last ? { after: last.id } : {}) };
    },

    async delete(o) {
      const seqs = o.ids.map(Number).filter(Number.isSafeInteger);
      return Number(await db.ask("dead_delete", escapeText(o.destinationId), plainList(seqs)));
    },
  };
}

function letterOf(row: Row, destinationId: string): DeadLetter {
  return {
    id: String(row.seq),
    entryId: unescapeText(row.entry_id),
    itemIndex: row.item_index,
    group: {
      tenantId: unescapeText(row.tenant),
      destinationId,
      name: unescapeText(row.name),
      exclusive: row.exclusive,
      credentialId: unescapeText(row.credential),
    },
    reason: unescapeText(row.reason),
    ageMs: Number(row.age_ms),
    claims: row.claims,
    position: Number(row.position),
    payload: row.payload,
    detail: row.detail,
  };
}
