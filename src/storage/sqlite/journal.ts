import { checkId } from "../checks.ts";
import { escapeText } from "../escape.ts";
import type { Journal } from "../ports.ts";
import type { Connection } from "./connection.ts";

export function sqliteJournal(connection: Connection): Journal {
  return {
    async write(lines) {
      for (const line of lines) for (const id of line.ids) checkId("journal id", id);
      // Best effort: a line may be lost with the power.
      await connection.write(
        (tx) => {
          for (const { destinationId, ids, data } of lines) {
            const seq = tx.nextSeq();
            const destination = escapeText(destinationId);
            tx.run("addLine", seq, destination, tx.at, data);
            for (const id of ids) tx.run("addLineId", destination, escapeText(id), seq);
          }
        },
        { durable: false },
      );
    },

    find: (o) =>
      connection.read((sql, at) => {
        const before = o.after === undefined ? Number.MAX_SAFE_INTEGER : Number(o.after);
        const range = [escapeText(o.destinationId), before, at - o.fromAgeMs, at - o.toAgeMs] as const;
        const rows =
          o.id === undefined
            ? sql.all<{ seq: number; data: Uint8Array }>("findLines", ...range, o.limit + 1)
            : sql.all<{ seq: number; data: Uint8Array }>("findLinesById", ...range, escapeText(o.id), o.limit + 1);
        const page = rows.slice(0, o.limit);
        const last = page.at(-1);
        return {
          items: page.map((row) => row.data),
          ...(rows.length > page.length && last ? { after: String(last.seq) } : {}),
        };
      }),

    expire: (olderThanMs, o) =>
      connection.write((tx) => {
        const rows = tx.sql.all<{ seq: number; at: number }>("oldLines", o.limit);
        const old = rows.filter((row) => tx.at - row.at > olderThanMs).map((row) => row.seq);
        if (old.length === 0) return true;
        tx.run("removeLineIds", JSON.stringify(old));
        tx.run("removeLines", JSON.stringify(old));
        return old.length < o.limit;
      }),
  };
}
