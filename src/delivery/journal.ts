import type { Journal } from "../storage/ports.ts";
import { encodeLine, type JournalLine, journalId } from "./journal-line.ts";

export interface JournalWriter {
  /** False where the engine keeps no journal. */
  readonly active: boolean;
  /** `ids`: event and order ids the line is found by. */
  add(destinationId: string, ids: readonly string[], line: JournalLine): void;
  /** Writes what waits. Failures drop the lines and count them. */
  flush(): Promise<void>;
  readonly dropped: number;
}

const MAX_WAITING = 2_000;

/** Collects lines and writes them together, beside delivery and never in its way. */
export function createJournalWriter(journal: Journal | undefined): JournalWriter {
  let waiting: Parameters<Journal["write"]>[0] = [];
  let writing: Promise<void> | undefined;
  let dropped = 0;

  async function write(): Promise<void> {
    while (journal && waiting.length > 0) {
      const lines = waiting;
      waiting = [];
      try {
        await journal.write(lines);
      } catch {
        dropped += lines.length;
      }
    }
  }

  function flush(): Promise<void> {
    writing ??= write().finally(() => {
      writing = undefined;
    });
    return writing;
  }

  return {
    active: journal !== undefined,
    add(destinationId, ids, line) {
      if (!journal) return;
      if (waiting.length >= MAX_WAITING) {
        dropped++;
        return;
      }
      waiting.push({ destinationId, ids: ids.map(journalId), data: encodeLine(line) });
      void flush();
    },
    flush,
    get dropped() {
      return dropped;
    },
  };
}
