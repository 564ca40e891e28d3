/**
 * The ports: what a storage has to do, and an adapter of five functions.
 *
 * @module storage
 */
export { storageError } from "./errors.ts";
export { type FromRecordsOptions, storageFromRecords } from "./from-records/index.ts";
export type * from "./ports.ts";
