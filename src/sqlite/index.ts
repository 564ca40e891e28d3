export { type SqliteOptions, sqlite } from "../storage/sqlite/index.ts";
