import type { StorageKitOptions } from "../../../src/testing/storage-kit/index.ts";

/** A memory storage broken in one sentence, by a change of its source or of how the kit gets it. */
export interface Mutant {
  breaks: string;
  /** Path below src/storage, a text that stands there exactly once, and what stands there instead. */
  patch?: { file: string; find: string; replace: string };
  options?: (options: StorageKitOptions) => StorageKitOptions;
}

export function patches(file: string, list: Record<string, readonly [find: string, replace: string]>): Mutant[] {
  return Object.entries(list).map(([breaks, [find, replace]]) => ({ breaks, patch: { file, find, replace } }));
}

export function settings(list: Record<string, NonNullable<Mutant["options"]>>): Mutant[] {
  return Object.entries(list).map(([breaks, options]) => ({ breaks, options }));
}
