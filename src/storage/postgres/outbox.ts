import { checkGroup } from "../checks.ts";
import { escapeText } from "../escape.ts";
import type { Outbox } from "../ports.ts";
import { appender } from "./append.ts";
import { claimer } from "./claim.ts";
import type { Database } from "./database.ts";
import { deadLetters } from "./dead.ts";
import { depths } from "./depth.ts";
import { openValues, targetValues } from "./groups.ts";
import { settler } from "./settle.ts";
import { waiter } from "./wait.ts";

export function postgresOutbox(db: Database, maxEntryBytes: number): Outbox {
  const { wait, mark, foundNothing } = waiter(db);
  return {
    async open(groups) {
      groups.forEach(checkGroup);
      if (groups.length === 0) return;
      await db.ask("groups_open", db.clock(), ...openValues(groups));
      db.wrote();
    },
    append: appender(db, maxEntryBytes),
    async claim(o) {
      const before = mark();
      return claimer(db, (at) => foundNothing(before, at))(o);
    },
    ...settler(db),
    async pause(target, reason) {
      await db.ask("pause_set", ...targetValues(target), escapeText(reason));
    },
    async resume(target, reason) {
      await db.ask("pause_end", db.clock(), ...targetValues(target), escapeText(reason));
      db.wrote();
    },
    wait,
    depth: depths(db),
    dead: deadLetters(db),
    bury: async (target, reason, o) =>
      (await db.ask(
        "entries_bury",
        db.clock(),
        ...targetValues(target),
        escapeText(reason),
        o.olderThanMs ?? null,
        o.limit,
      )) === true,
    expire: async (o) => (await db.ask("dead_expire", db.clock(), o.deadOlderThanMs, o.limit)) === true,
    purge: async (destinationId, o) => (await db.ask("destination_purge", escapeText(destinationId), o.limit)) === true,
  };
}
