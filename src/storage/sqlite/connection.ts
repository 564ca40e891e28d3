import type { DatabaseSync } from "node:sqlite";
import { setImmediate as nextTurn } from "node:timers";
import { closedError } from "../errors.ts";
import { isBusy, sqliteFailure } from "./failure.ts";
import { openDatabase, setSynchronous } from "./open.ts";
import { Statements } from "./statements.ts";
import { Transaction } from "./transaction.ts";

export interface ConnectionOptions {
  /** Time for tests; without it SQLite's own clock. */
  clock?: { now(): number };
  /** "power-loss": a commit is on the disk before it is acknowledged. "process": the operating system has it. */
  durability: "power-loss" | "process";
}

interface Waiting {
  work: (tx: Transaction) => unknown;
  durable: boolean;
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
}

/** A call gives up with `unavailable` after the file was locked for this long. */
const BUSY_MS = 15_000;
/** A turn's transaction ends after this much work, so that the event loop stays responsive; the rest follows in the next. */
const TURN_MS = 6;

/**
 * One SQLite connection and its queue: what is asked for within one turn of the event loop is committed in one
 * transaction. A locked file is tried again after a short random wait on a timer; the event loop is never blocked by it.
 */
export class Connection {
  readonly #path: string;
  readonly #options: ConnectionOptions;
  #db: DatabaseSync | undefined;
  #statements: Statements | undefined;
  #transaction: Transaction | undefined;
  #queue: Waiting[] = [];
  #scheduled = false;
  #busySince: number | undefined;
  #synchronous: "FULL" | "NORMAL" = "NORMAL";
  #closed = false;
  #onCommit = new Set<() => void>();

  constructor(path: string, options: ConnectionOptions) {
    this.#path = path;
    this.#options = options;
  }

  /** Opens and migrates the file. Repeats while other processes do the same. */
  async open(): Promise<Statements> {
    return this.#patiently(() => this.#open());
  }

  /** Reads what is committed. Also for a first look, before a write is worth a transaction. */
  async read<T>(work: (sql: Statements, at: number) => T): Promise<T> {
    return this.#patiently(() => {
      const sql = this.#open();
      return work(sql, this.#now(sql));
    });
  }

  /**
   * Runs `work` inside the next transaction. It must be synchronous and may run again, when another call of the same
   * transaction fails. `durable: false`: the commit needs not survive a power loss.
   */
  write<T>(work: (tx: Transaction) => T, o: { durable?: boolean } = {}): Promise<T> {
    if (this.#closed) return Promise.reject(closedError("SQLite"));
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ work, durable: o.durable ?? true, resolve: resolve as (value: unknown) => void, reject });
      this.#schedule();
    });
  }

  /** Called after every commit of this connection. */
  onCommit(listener: () => void): () => void {
    this.#onCommit.add(listener);
    return () => this.#onCommit.delete(listener);
  }

  /** A number that changes when another connection has committed. */
  foreignCommits(): number {
    if (!this.#statements || this.#closed) return 0;
    return this.#statements.get<{ data_version: number }>("dataVersion")?.data_version ?? 0;
  }

  get database(): DatabaseSync | undefined {
    return this.#db;
  }

  get closed(): boolean {
    return this.#closed;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    while (this.#queue.length > 0) await new Promise<void>((resolve) => nextTurn(resolve));
    this.#closed = true;
    this.#db?.close();
  }

  #open(): Statements {
    if (this.#closed) throw closedError("SQLite");
    if (!this.#statements) {
      const synchronous = this.#options.durability === "power-loss" ? "FULL" : "NORMAL";
      this.#db = openDatabase(this.#path, synchronous);
      this.#synchronous = synchronous;
      this.#statements = new Statements(this.#db);
      this.#transaction = new Transaction(this.#db, this.#statements);
    }
    return this.#statements;
  }

  #now(sql: Statements): number {
    return this.#options.clock?.now() ?? sql.get<{ at: number }>("now")?.at ?? Date.now();
  }

  async #patiently<T>(task: () => T): Promise<T> {
    const began = performance.now();
    for (let tries = 0; ; tries++) {
      try {
        return task();
      } catch (error) {
        if (!isBusy(error) || performance.now() - began > BUSY_MS) throw sqliteFailure(error);
      }
      await new Promise((resolve) => setTimeout(resolve, busyWaitMs(tries)));
    }
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    nextTurn(() => this.#flush(0));
  }

  #flush(tries: number): void {
    const began = performance.now();
    let batch: Waiting[] = [];
    try {
      const sql = this.#open();
      this.#setDurability(this.#queue);
      this.#db?.exec("BEGIN IMMEDIATE");
      this.#busySince = undefined;
      const at = this.#now(sql);
      batch = this.#commitAsMany(at, began);
    } catch (error) {
      this.#afterFailure(error, tries, batch);
      return;
    }
    this.#scheduled = false;
    if (this.#queue.length > 0) this.#schedule();
    for (const listener of [...this.#onCommit]) listener();
  }

  /** Works through the queue until the turn's time is over, commits, then answers. */
  #commitAsMany(at: number, began: number): Waiting[] {
    const transaction = this.#transaction;
    if (!transaction) throw closedError("SQLite");
    const batch: Waiting[] = [];
    const answers: (() => void)[] = [];
    try {
      transaction.begin(at);
      for (const waiting of this.#queue) {
        batch.push(waiting);
        const writes = transaction.writes;
        try {
          const value = waiting.work(transaction);
          answers.push(() => waiting.resolve(value));
        } catch (error) {
          // A call that wrote before it failed takes the whole transaction back; one that only looked does not.
          if (transaction.writes !== writes) throw new CallFailed(waiting, error);
          answers.push(() => waiting.reject(sqliteFailure(error)));
        }
        if (performance.now() - began > TURN_MS) break;
      }
      transaction.commit();
    } catch (error) {
      transaction.rollback();
      throw error;
    }
    this.#queue = this.#queue.slice(batch.length);
    for (const answer of answers) answer();
    return batch;
  }

  #afterFailure(error: unknown, tries: number, batch: readonly Waiting[]): void {
    if (isBusy(error)) {
      this.#busySince ??= performance.now();
      if (performance.now() - this.#busySince < BUSY_MS) {
        setTimeout(() => this.#flush(tries + 1), busyWaitMs(tries));
        return;
      }
    }
    this.#busySince = undefined;
    this.#scheduled = false;
    if (error instanceof CallFailed) {
      // Nothing of this transaction was kept: the failed call is answered, the others go again.
      this.#queue = this.#queue.filter((waiting) => waiting !== error.waiting);
      error.waiting.reject(sqliteFailure(error.reason));
    } else {
      const failed = batch.length > 0 ? batch : this.#queue;
      const reason = sqliteFailure(error);
      this.#queue = this.#queue.filter((waiting) => !failed.includes(waiting));
      for (const waiting of failed) waiting.reject(reason);
    }
    if (this.#queue.length > 0) this.#schedule();
  }

  #setDurability(queue: readonly Waiting[]): void {
    if (!this.#db || this.#options.durability === "process") return;
    const wanted = queue.some((waiting) => waiting.durable) ? "FULL" : "NORMAL";
    if (wanted === this.#synchronous) return;
    setSynchronous(this.#db, wanted);
    this.#synchronous = wanted;
  }
}

class CallFailed {
  readonly waiting: Waiting;
  readonly reason: unknown;
  constructor(waiting: Waiting, reason: unknown) {
    this.waiting = waiting;
    this.reason = reason;
  }
}

/** Short at first, up to 50 ms, random so that processes do not meet again. */
function busyWaitMs(tries: number): number {
  return 1 + Math.random() * Math.min(50, 2 * 2 ** tries);
}
