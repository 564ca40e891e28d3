import { checkId } from "../checks.ts";
import type { Journal } from "../ports.ts";

interface Line {
  seq: number;
  at: number;
  destinationId: string;
  ids: Set<string>;
  data: Uint8Array;
}

export function memoryJournal(now: () => number): Journal {
  let lines: Line[] = [];
  let lastSeq = 0;
  return {
    async write(added) {
      for (const line of added) for (const id of line.ids) checkId("journal id", id);
      const at = now();
      for (const { destinationId, ids, data } of added) {
        lines.push({ seq: ++lastSeq, at, destinationId, ids: new Set(ids), data: data.slice() });
      }
    },
    async find(o) {
      const at = now();
      const before = o.after === undefined ? Infinity : Number(o.after);
      const items: Uint8Array[] = [];
      let last = 0;
      for (const line of lines.toReversed()) {
        if (line.seq >= before || line.destinationId !== o.destinationId) continue;
        if (o.id !== undefined && !line.ids.has(o.id)) continue;
        if (at - line.at < o.fromAgeMs || at - line.at > o.toAgeMs) continue;
        if (items.length === o.limit) return { items, after: String(last) };
        items.push(line.data.slice());
        last = line.seq;
      }
      return { items };
    },
    async expire(olderThanMs, o) {
      const at = now();
      let expired = 0;
      lines = lines.filter((line) => at - line.at <= olderThanMs || expired++ >= o.limit);
      return expired <= o.limit;
    },
  };
}
