import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { SQL } from "./sql.ts";

type Name = keyof typeof SQL;
type Value = SQLInputValue;

interface Prepared {
  statement: StatementSync;
  /** Which value each placeholder takes; undefined where they come in order. */
  order: readonly number[] | undefined;
}

/** The statements of {@link SQL}, each prepared at its first use and kept. */
export class Statements {
  readonly #db: DatabaseSync;
  readonly #prepared = new Map<Name, Prepared>();

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** Number of changed rows. */
  run(name: Name, ...values: Value[]): number {
    const { statement, order } = this.#prepare(name);
    return Number(statement.run(...arranged(values, order)).changes);
  }

  get<Row>(name: Name, ...values: Value[]): Row | undefined {
    const { statement, order } = this.#prepare(name);
    return statement.get(...arranged(values, order)) as Row | undefined;
  }

  all<Row>(name: Name, ...values: Value[]): Row[] {
    const { statement, order } = this.#prepare(name);
    return statement.all(...arranged(values, order)) as Row[];
  }

  iterate<Row>(name: Name, ...values: Value[]): IterableIterator<Row> {
    const { statement, order } = this.#prepare(name);
    return statement.iterate(...arranged(values, order)) as IterableIterator<Row>;
  }

  #prepare(name: Name): Prepared {
    let prepared = this.#prepared.get(name);
    if (!prepared) {
      const { text, order } = positional(SQL[name]);
      prepared = { statement: this.#db.prepare(text), order };
      this.#prepared.set(name, prepared);
    }
    return prepared;
  }
}

/** No bytes, in memory that exists: `node:sqlite` of Node 22 binds an empty array without memory as NULL. */
const EMPTY = new Uint8Array(1).subarray(0, 0);

function arranged(values: Value[], order: readonly number[] | undefined): Value[] {
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value instanceof Uint8Array && value.length === 0) values[i] = EMPTY;
  }
  return order === undefined ? values : order.map((index) => values[index] ?? null);
}

/**
 * `?3` as `?`, and which value each placeholder takes: `node:sqlite` of Node 22 binds no numbered placeholder by its
 * place. As in SQLite, a bare `?` takes the number after the highest one before it.
 */
function positional(text: string): { text: string; order: readonly number[] | undefined } {
  if (!/\?\d/.test(text)) return { text, order: undefined };
  const order: number[] = [];
  let highest = 0;
  const plain = text.replace(/\?(\d*)/g, (_all, digits: string) => {
    const number = digits === "" ? highest + 1 : Number(digits);
    highest = Math.max(highest, number);
    order.push(number - 1);
    return "?";
  });
  return { text: plain, order };
}
