import { closedError } from "../errors.ts";
import type { Storage } from "../ports.ts";
import { refuseAfterClose } from "../refuse-after-close.ts";
import { memoryJournal } from "./journal.ts";
import { memoryMembers } from "./members.ts";
import { memoryOutbox } from "./outbox.ts";
import { memoryRecords } from "./records.ts";
import { memorySlots } from "./slots.ts";

/** Options of {@link memory}. */
export interface MemoryOptions {
  /** Time for tests; without it the process's own clock. */
  clock?: {
    /** Milliseconds since 1970. */
    now(): number;
  };
}

const MAX_ENTRY_BYTES = 8 * 1024 * 1024;
const MAX_VALUE_BYTES = 4 * 1024 * 1024;

/**
 * Storage in the process's memory, for tests and trials: everything is gone when the process ends.
 *
 * @example
 * ```ts
 * import { memory } from "snapchat-destination/memory";
 *
 * const storage = memory();
 * await storage.records.put("tenant/acme", new TextEncoder().encode("{}"));
 * ```
 */
export function memory(options: MemoryOptions = {}): Storage {
  const name = "memory";
  const now = options.clock ? () => options.clock?.now() ?? 0 : () => Date.now();
  let closed = false;
  const guard = <T extends object>(port: T): T =>
    refuseAfterClose(port, () => (closed ? closedError(name) : undefined));
  return {
    portVersion: 1,
    name,
    capabilities: {
      durability: "none",
      shared: "process",
      transactions: false,
      wakes: true,
      maxEntryBytes: MAX_ENTRY_BYTES,
      maxValueBytes: MAX_VALUE_BYTES,
    },
    records: guard(memoryRecords(now, MAX_VALUE_BYTES)),
    outbox: guard(memoryOutbox(now, { name, maxEntryBytes: MAX_ENTRY_BYTES })),
    members: guard(memoryMembers(now)),
    journal: guard(memoryJournal(now)),
    slots: guard(memorySlots(now)),
    async migrate() {},
    check: async () => [
      {
        code: "durability_none",
        severity: "problem",
        message: "Everything is kept in memory and lost when the process ends.",
        fix: "Use another storage in production.",
      },
      {
        code: "process_clock",
        severity: "warning",
        message: "The storage has no clock of its own and answers the process's.",
        fix: "Keep the machine's clock synchronised.",
      },
    ],
    async close() {
      closed = true;
    },
  };
}
