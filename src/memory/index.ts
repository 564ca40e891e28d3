/**
 * Storage that ends with the process: for tests.
 *
 * @module memory
 */
export { type MemoryOptions, memory } from "../storage/memory/index.ts";
