import { escapeText } from "../escape.ts";
import type { Slots } from "../ports.ts";
import type { Database } from "./database.ts";
import { plainList, textList } from "./lists.ts";

export function postgresSlots(db: Database): Slots {
  return {
    async reserve(scopes, want) {
      const [row] = await db.call<{ in_ms: string | null; retry_ms: unknown; blocked_by: unknown }>("slots_reserve", [
        db.clock(),
        textList(scopes.map(({ key }) => escapeText(key))),
        plainList(scopes.map(({ perWindow }) => perWindow)),
        plainList(scopes.map(({ windowMs }) => windowMs)),
        want,
      ]);
      if (row?.in_ms != null) return { inMs: row.in_ms.split(",").map(Number) };
      return { retryInMs: Number(row?.retry_ms), blockedBy: scopes[Number(row?.blocked_by) - 1]?.key ?? "" };
    },

    async block(key, forMs) {
      await db.ask("slots_block", db.clock(), escapeText(key), forMs);
    },
  };
}
