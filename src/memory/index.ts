export { type MemoryOptions, memory } from "../storage/memory/index.ts";
