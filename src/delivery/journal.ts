import type { Journal } from "../storage/ports.ts";

/** One line of the journal: ids and an outcome, never an identifier of a person. */
export interface JournalLine {
  /** The line's own id: a repeated write may store it twice. */
  id: string;
  atMs: number;
  group: string;
  outcome: "delivered" | "validated" | "dead" | "withdrawn";
  reason?: string | undefined;
  /** Snapchat's words. */
  message?: string | undefined;
  requestId?: string | undefined;
  items: number;
}

export interface JournalWriter {
  /** False where the engine keeps no journal. */
  readonly active: boolean;
  add(destinationId: string, ids: string[], line: JournalLine): void;
  /** Writes what waits. Failures drop the lines and count them. */
  flush(): Promise<void>;
  readonly dropped: number;
}

const FORMAT = 1;
const MAX_WAITING = 2_000;

export function encodeLine(line: JournalLine): Uint8Array {
  return Buffer.concat([Buffer.of(FORMAT), Buffer.from(JSON.stringify(line), "utf8")]);
}

/** `undefined`: a newer version wrote it. */
export function decodeLine(data: Uint8Array): JournalLine | undefined {
  if (data[0] !== FORMAT) return undefined;
  return JSON.parse(Buffer.from(data.subarray(1)).toString("utf8")) as JournalLine;
}

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
      waiting.push({ destinationId, ids, data: encodeLine(line) });
      void flush();
    },
    flush,
    get dropped() {
      return dropped;
    },
  };
}
