import { closedError } from "../errors.ts";
import { postgresFailure } from "./failure.ts";

/**
 * What the adapter asks of a driver: `pg`'s `Pool`, `Client` and `PoolClient` have it, so have their relatives. Values
 * are texts, numbers, nulls and Buffers; rows come back as objects by column name.
 */
export interface PostgresClient {
  /** Runs one statement with `$1`, `$2` … as parameters. */
  query(text: string, values?: unknown[]): Promise<{ rows: Record<string, unknown>[] }>;
}

type Value = string | number | null | Uint8Array;

/** The host's connections, and the functions of our schema behind them. */
export class Database {
  readonly #client: PostgresClient;
  readonly #clock: { now(): number } | undefined;
  /** The schema's name as SQL writes it. */
  readonly schema: string;
  #closed = false;
  #onWrite = new Set<() => void>();

  constructor(client: PostgresClient, schema: string, clock: { now(): number } | undefined) {
    this.#client = client;
    this.schema = quote(schema);
    this.#clock = clock;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Whether the driver gives up a query that nobody answers; undefined where it does not say. */
  get timesOut(): boolean | undefined {
    const { options } = this.#client as { options?: { query_timeout?: unknown } };
    return typeof options === "object" && options !== null ? Number(options.query_timeout) > 0 : undefined;
  }

  /** A test's time, for the first argument of most functions; null: the engine's. */
  clock(): number | null {
    return this.#clock ? Math.floor(this.#clock.now()) : null;
  }

  /** Calls a function of the schema. `on`: inside the host's transaction; `select`: what is read of its rows. */
  async call<Row = Record<string, unknown>>(
    name: string,
    values: readonly Value[],
    on: PostgresClient = this.#client,
    select = (from: string) => `SELECT * FROM ${from}`,
  ): Promise<Row[]> {
    const places = values.map((_, index) => `$${index + 1}`).join(", ");
    return (await this.run(select(`${this.schema}.${name}(${places})`), [...values], on)) as Row[];
  }

  /** The answer of a function that has a single one. */
  async ask(name: string, ...values: Value[]): Promise<unknown> {
    const [row] = await this.call(name, values);
    return row?.[name];
  }

  async run(text: string, values?: unknown[], on: PostgresClient = this.#client): Promise<Record<string, unknown>[]> {
    if (this.#closed) throw closedError("Postgres");
    try {
      const answer = await (values === undefined ? on.query(text) : on.query(text, values));
      return answer.rows;
    } catch (error) {
      throw postgresFailure(error);
    }
  }

  /** Calls `listener` when this process has made something due. */
  onWrite(listener: () => void): () => void {
    this.#onWrite.add(listener);
    return () => this.#onWrite.delete(listener);
  }

  wrote(): void {
    for (const listener of [...this.#onWrite]) listener();
  }

  close(): void {
    this.#closed = true;
    this.wrote();
  }
}

export function quote(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}

export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
