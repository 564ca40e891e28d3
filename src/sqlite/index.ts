/**
 * Storage in one SQLite file, of Node's own `node:sqlite`.
 *
 * @module sqlite
 */
export { type SqliteOptions, sqlite } from "../storage/sqlite/index.ts";
