import { SnapchatError } from "../../errors.ts";
import type { PostgresClient } from "./database.ts";

/** The host's transaction: anything with `query(text, values)`. */
export function hostTransaction(tx: unknown): PostgresClient {
  const client = tx as Partial<PostgresClient> | null;
  if (typeof client !== "object" || client === null || typeof client.query !== "function") {
    throw new SnapchatError({
      code: "not_a_transaction",
      kind: "bug",
      message: "`tx` has no query(text, values).",
      fix: "Pass the client your transaction runs on, or wrap your query builder's transaction; docs/postgres.md shows how.",
    });
  }
  // A pool would run the append beside the transaction, which then could not take it back.
  if ("totalCount" in client && "idleCount" in client) {
    throw new SnapchatError({
      code: "not_a_transaction",
      kind: "bug",
      message: "`tx` is a pool: it would run the append outside of your transaction.",
      fix: "Pass the client that pool.connect() gave you and on which you called BEGIN.",
    });
  }
  return client as PostgresClient;
}
