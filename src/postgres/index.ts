export {
  type PostgresClient,
  type PostgresOptions,
  postgres,
  postgresSchema,
} from "../storage/postgres/index.ts";
