import type { Clock } from "../../../src/clock.ts";
import type { Record_, Records } from "../../../src/storage/ports.ts";

interface Row {
  value: Uint8Array;
  version: number;
  expiresAt: number;
}

/** The records port over a Map, with the count of its calls and a switch that makes it fail. */
export class MemoryRecords implements Records {
  readonly rows = new Map<string, Row>();
  readonly calls: Record<"get" | "put" | "delete" | "list", number> = { get: 0, put: 0, delete: 0, list: 0 };
  /** Called before every write; throw here to play a crash. */
  beforeWrite: (key: string) => void | Promise<void> = () => {};
  watch?: (prefix: string, signal: AbortSignal) => AsyncIterable<string>;
  #versions = 0;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async get(key: string): Promise<Record_ | undefined> {
    this.calls.get++;
    const row = this.#alive(key);
    return row && { key, value: row.value, version: row.version };
  }

  async put(key: string, value: Uint8Array, o: { ifVersion?: number; ttlMs?: number } = {}): Promise<number> {
    this.calls.put++;
    await this.beforeWrite(key);
    const current = this.#alive(key)?.version ?? 0;
    if (o.ifVersion !== undefined && o.ifVersion !== current) throw conflict();
    const version = ++this.#versions;
    this.rows.set(key, {
      value: value.slice(),
      version,
      expiresAt: o.ttlMs === undefined ? Infinity : this.#clock.now() + o.ttlMs,
    });
    return version;
  }

  async delete(key: string, o: { ifVersion?: number } = {}): Promise<boolean> {
    this.calls.delete++;
    await this.beforeWrite(key);
    const row = this.#alive(key);
    if (!row) return false;
    if (o.ifVersion !== undefined && o.ifVersion !== row.version) throw conflict();
    return this.rows.delete(key);
  }

  async list(prefix: string, o: { after?: string; limit: number }): Promise<Record_[]> {
    this.calls.list++;
    const found: Record_[] = [];
    for (const key of [...this.rows.keys()].filter((key) => key.startsWith(prefix)).sort(byBytes)) {
      const row = this.#alive(key);
      if (!row || (o.after !== undefined && byBytes(key, o.after) <= 0)) continue;
      found.push({ key, value: row.value, version: row.version });
      if (found.length === o.limit) break;
    }
    return found;
  }

  async now(): Promise<number> {
    return this.#clock.now();
  }

  /** Everything it holds as text: for a test that looks for a secret. */
  dump(): string {
    return [...this.rows].map(([key, { value }]) => `${key} ${new TextDecoder().decode(value)}`).join("\n");
  }

  #alive(key: string): Row | undefined {
    const row = this.rows.get(key);
    return row && row.expiresAt > this.#clock.now() ? row : undefined;
  }
}

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
const conflict = () => Object.assign(new Error("version_conflict"), { code: "version_conflict", retryable: false });
