import { checkId } from "../checks.ts";
import { escapeText } from "../escape.ts";
import type { Journal } from "../ports.ts";
import type { Database } from "./database.ts";
import { pack, plainList, textList } from "./lists.ts";

export function postgresJournal(db: Database): Journal {
  return {
    async write(lines) {
      for (const line of lines) for (const id of line.ids) checkId("journal id", id);
      if (lines.length === 0) return;
      const { bytes, offsets, sizes } = pack(lines.map(({ data }) => data));
      const ids = lines.flatMap((line, index) => line.ids.map((id) => ({ line: index + 1, id: escapeText(id) })));
      await db.ask(
        "journal_write",
        db.clock(),
        textList(lines.map(({ destinationId }) => escapeText(destinationId))),
        offsets,
        sizes,
        bytes,
        plainList(ids.map(({ line }) => line)),
        textList(ids.map(({ id }) => id)),
      );
    },

    async find(o) {
      const rows = await db.call<{ seq: unknown; data: Uint8Array }>("journal_find", [
        db.clock(),
        escapeText(o.destinationId),
        o.id === undefined ? null : escapeText(o.id),
        Math.floor(o.fromAgeMs),
        Math.ceil(o.toAgeMs),
        o.after === undefined ? Number.MAX_SAFE_INTEGER : Number(o.after),
        o.limit + 1,
      ]);
      const page = rows.slice(0, o.limit);
      const last = page.at(-1);
      return {
        items: page.map(({ data }) => data),
        ...(rows.length > page.length && last ? { after: String(last.seq) } : {}),
      };
    },

    expire: async (olderThanMs, o) =>
      (await db.ask("journal_expire", db.clock(), Math.floor(olderThanMs), o.limit)) === true,
  };
}
