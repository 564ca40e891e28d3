/**
 * Storage in Postgres, over the host's own pool.
 *
 * @module postgres
 */
export {
  type PostgresClient,
  type PostgresOptions,
  postgres,
  postgresSchema,
} from "../storage/postgres/index.ts";
