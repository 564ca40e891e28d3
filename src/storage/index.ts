export { storageError } from "./errors.ts";
export { type FromRecordsOptions, storageFromRecords } from "./from-records/index.ts";
export type * from "./ports.ts";
