import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { SQL } from "./sql.ts";

type Name = keyof typeof SQL;
type Value = SQLInputValue;

/** The statements of {@link SQL}, each prepared at its first use and kept. */
export class Statements {
  readonly #db: DatabaseSync;
  readonly #prepared = new Map<Name, StatementSync>();

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** Number of changed rows. */
  run(name: Name, ...values: Value[]): number {
    return Number(this.#statement(name).run(...values).changes);
  }

  get<Row>(name: Name, ...values: Value[]): Row | undefined {
    return this.#statement(name).get(...values) as Row | undefined;
  }

  all<Row>(name: Name, ...values: Value[]): Row[] {
    return this.#statement(name).all(...values) as Row[];
  }

  iterate<Row>(name: Name, ...values: Value[]): IterableIterator<Row> {
    return this.#statement(name).iterate(...values) as IterableIterator<Row>;
  }

  #statement(name: Name): StatementSync {
    let statement = this.#prepared.get(name);
    if (!statement) {
      statement = this.#db.prepare(SQL[name]);
      this.#prepared.set(name, statement);
    }
    return statement;
  }
}
