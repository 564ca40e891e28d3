import type { Clock } from "../clock.ts";
import { SnapchatError, unreadableRecord } from "../errors.ts";
import type { Record_, Records, StorageError } from "../storage/ports.ts";
import type { Sealer } from "./seal.ts";

/** First byte of a sealed record's value; the sealed text follows. */
const FORMAT = 1;
const PAGE = 200;
const REPEATS = 6;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export interface Versioned<T> {
  value: T;
  version: number;
}

/** Records whose values are sealed JSON, with the patience that the storage port asks of its caller. */
export interface SealedRecords {
  get<T>(key: string, aad: string): Promise<Versioned<T> | undefined>;
  /** @returns the new version, or `"conflict"`. A repeat that met its own first write is no conflict. */
  put(key: string, aad: string, value: unknown, ifVersion: number): Promise<number | "conflict">;
  delete(key: string): Promise<boolean>;
  /** All records below a prefix, page by page, still sealed. */
  list(prefix: string): AsyncGenerator<Record_>;
  open<T>(record: Record_, aad: string): Promise<T>;
}

export function createSealedRecords(records: Records, sealer: Sealer, clock: Clock): SealedRecords {
  const patient = <T>(task: () => Promise<T>) => patiently(task, clock);

  async function open<T>(record: Record_, aad: string): Promise<T> {
    return JSON.parse(await sealer.openText(sealedTextOf(record), aad)) as T;
  }

  return {
    open,
    async get<T>(key: string, aad: string) {
      const record = await patient(() => records.get(key));
      return record && { value: await open<T>(record, aad), version: record.version };
    },
    async put(key, aad, value, ifVersion) {
      const bytes = sealedValue(await sealer.sealText(JSON.stringify(value), aad));
      return putIfVersion(records, clock, key, bytes, { ifVersion });
    },
    delete: (key) => patient(() => records.delete(key)),
    async *list(prefix) {
      let after: string | undefined;
      for (;;) {
        const page = await patient(() => records.list(prefix, { ...(after ? { after } : {}), limit: PAGE }));
        yield* page;
        after = page.at(-1)?.key;
        if (page.length < PAGE || after === undefined) return;
      }
    },
  };
}

export function sealedValue(text: string): Uint8Array {
  const bytes = encoder.encode(`\u0000${text}`);
  bytes[0] = FORMAT;
  return bytes;
}

/** @throws {SnapchatError} `record_too_new`, `record_corrupt` */
export function sealedTextOf(record: Record_): string {
  const format = record.value[0];
  if (format === FORMAT) return decoder.decode(record.value.subarray(1));
  throw unreadableRecord(format, FORMAT);
}

/**
 * A conditional write whose answer may get lost on the way: a repeat that finds its own bytes has written them. That is
 * sure because two writers never write equal bytes (a nonce or a random id is in them).
 */
export async function putIfVersion(
  records: Records,
  clock: Clock,
  key: string,
  bytes: Uint8Array,
  o: { ifVersion: number; ttlMs?: number },
): Promise<number | "conflict"> {
  let repeated = false;
  return patiently(async () => {
    try {
      return await records.put(key, bytes, o);
    } catch (error) {
      if ((error as StorageError).code !== "version_conflict") {
        repeated = true;
        throw error;
      }
      if (!repeated) return "conflict";
      const found = await records.get(key);
      return found && Buffer.compare(found.value, bytes) === 0 ? found.version : "conflict";
    }
  }, clock);
}

/** Repeats what the engine calls retryable, with growing waits, then says so in our own words. */
export async function patiently<T>(task: () => Promise<T>, clock: Clock): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await task();
    } catch (error) {
      const { code, retryable, retryAfterMs } = error as Partial<StorageError>;
      if (retryable !== true) throw error;
      if (attempt < REPEATS) {
        await clock.sleep(retryAfterMs ?? 25 * 2 ** attempt * (0.5 + Math.random()));
        continue;
      }
      throw new SnapchatError({
        code: "storage_unavailable",
        kind: "retry",
        message: `The storage did not answer (${code ?? "unknown"}).`,
        fix: "It is tried again later; if it stays, check the database.",
      });
    }
  }
}
