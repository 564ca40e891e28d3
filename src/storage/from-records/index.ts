import { SnapchatError } from "../../errors.ts";
import { closedError } from "../errors.ts";
import type { Finding, Records, Storage } from "../ports.ts";
import { recordSlots } from "../record-slots.ts";
import { refuseAfterClose } from "../refuse-after-close.ts";
import { checkRecords } from "./check.ts";
import { recordsJournal } from "./journal.ts";
import { recordsMembers } from "./members.ts";
import { recordsOutbox } from "./outbox.ts";
import { withoutReserved } from "./reserved.ts";

/** What the engine behind the five functions is and promises. */
export interface FromRecordsOptions {
  /** Of the engine, for messages: `"dynamodb"`. */
  name: string;
  /** What an acknowledged put survives. */
  durability: Storage["capabilities"]["durability"];
  /** Who works on the same records: this process alone, processes of one machine, or of several. */
  shared: Storage["capabilities"]["shared"];
  /** Bytes of the largest value a put takes; at least 65,536. Entries are split to fit. */
  maxValueBytes: number;
  /** Creates what the engine needs (a table, a bucket); safe to repeat and beside others. */
  migrate?(): Promise<void>;
  /** Settings of the engine that break a promise, besides what a probe of the functions finds. */
  check?(): Promise<Finding[]>;
  /** Closes the connection. Called once. */
  close?(): Promise<void>;
}

const MIN_VALUE_BYTES = 64 * 1024;
const MAX_ENTRY_BYTES = 8 * 1024 * 1024;

/**
 * A whole storage on five functions: `get`, `put`, `delete`, `list` and `now` of {@link Records}. For engines without
 * transactions whose records can be compared and set: DynamoDB, MongoDB, NATS KV, etcd, a directory of files.
 *
 * Everything a group of the outbox is lies in one record that is changed by compare-and-set; payloads have records of
 * their own. What it costs in reads and writes is in docs/storage-adapter.md. Whether the five functions keep what they
 * promise is found out by `testStorage()` of `snapchat-destination/testing`.
 *
 * @throws {SnapchatError} `storage_invalid` (fix_configuration): `maxValueBytes` below 65,536
 * @example
 * ```ts
 * import { type Records, storageFromRecords } from "snapchat-destination/storage";
 *
 * export const storageOf = (records: Records) =>
 *   storageFromRecords(records, { name: "my-engine", durability: "replicated", shared: "network", maxValueBytes: 400_000 });
 * ```
 */
export function storageFromRecords(records: Records, options: FromRecordsOptions): Storage {
  const { name, durability, shared, maxValueBytes } = options;
  if (!(maxValueBytes >= MIN_VALUE_BYTES)) throw tooSmall(maxValueBytes);
  const maxEntryBytes = Math.min(maxValueBytes, MAX_ENTRY_BYTES);
  let closed = false;
  const guard = <T extends object>(port: T): T =>
    refuseAfterClose(port, () => (closed ? closedError(name) : undefined));
  return {
    portVersion: 1,
    name,
    capabilities: {
      durability,
      shared,
      transactions: false,
      wakes: shared === "process",
      maxEntryBytes,
      maxValueBytes,
    },
    records: guard(withoutReserved(records, maxValueBytes)),
    outbox: guard(recordsOutbox(records, { name, maxValueBytes, maxEntryBytes, alone: shared === "process" })),
    members: guard(recordsMembers(records, maxValueBytes)),
    journal: guard(recordsJournal(records, maxValueBytes)),
    slots: guard(recordSlots(records)),
    migrate: async () => options.migrate?.(),
    check: async () => [...(await checkRecords(records, options)), ...((await options.check?.()) ?? [])],
    async close() {
      if (closed) return;
      closed = true;
      await options.close?.();
    },
  };
}

function tooSmall(maxValueBytes: number): SnapchatError {
  return new SnapchatError({
    code: "storage_invalid",
    kind: "fix_configuration",
    message: `Values of ${maxValueBytes} bytes are too small: ${MIN_VALUE_BYTES} are needed.`,
    fix: "Let put() split a value over several rows of the engine, and join them in get() and list().",
    details: { maxValueBytes, minValueBytes: MIN_VALUE_BYTES },
  });
}
