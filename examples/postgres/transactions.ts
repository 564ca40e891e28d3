/**
 * An event that exists exactly when the host's own transaction commits: `track(events, { tx })` takes anything with
 * `query(text, values)`. A client of `pg` is that already; these make it of a query builder's transaction.
 */
import { type SQL, sql } from "drizzle-orm";
import type { Knex } from "knex";
import { CompiledQuery, type Transaction } from "kysely";
import type { PostgresClient } from "snapchat-destination/postgres";

export function fromKysely(trx: Transaction<never>): PostgresClient {
  return {
    async query(text, values = []) {
      const { rows } = await trx.executeQuery<Record<string, unknown>>(CompiledQuery.raw(text, values));
      return { rows };
    },
  };
}

/** Of `drizzle-orm/node-postgres`. */
export function fromDrizzle(tx: { execute(query: SQL): Promise<{ rows: Record<string, unknown>[] }> }): PostgresClient {
  return {
    query(text, values = []) {
      const parts = text
        .split(/\$\d+/)
        .map((part, n) => (n < values.length ? sql`${sql.raw(part)}${values[n]}` : sql.raw(part)));
      return tx.execute(sql.join(parts));
    },
  };
}

export function fromKnex(trx: Knex.Transaction): PostgresClient {
  return {
    query: (text, values = []) => trx.raw(text.replaceAll(/\$\d+/g, "?"), values as Knex.RawBinding[]),
  };
}

/** Of `prisma.$transaction(async (tx) => …)`. */
export function fromPrisma(tx: {
  $queryRawUnsafe(text: string, ...values: unknown[]): Promise<unknown>;
}): PostgresClient {
  return {
    async query(text, values = []) {
      return { rows: (await tx.$queryRawUnsafe(text, ...values)) as Record<string, unknown>[] };
    },
  };
}
