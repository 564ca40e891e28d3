import { isOptionalText, isPlain } from "./copy.ts";
import { GARBAGE, type Guard, type HookScope } from "./guard.ts";
import type { Plugin } from "./hooks.ts";

/** One of the tenant's own events. */
export interface CatalogueEntry {
  name: string;
  label?: string;
  plugin: string;
}

/** Names that are longer, and names beyond the thousandth, are left out. */
const MAX_NAME = 200;
const MAX_ENTRIES = 1_000;

/** All plugins' names, each once. A plugin that fails has none. */
export function createCatalogue(guard: Guard, plugins: readonly Plugin[]) {
  return async function catalogue(scope: HookScope): Promise<CatalogueEntry[]> {
    const entries = new Map<string, CatalogueEntry>();
    const all = await Promise.all(
      plugins.map((plugin) => guard.call(plugin, "catalogue", (context) => plugin.catalogue?.(context), names, scope)),
    );
    for (const [index, outcome] of all.entries()) {
      for (const entry of outcome.ok ? outcome.value : []) {
        if (entries.size >= MAX_ENTRIES || entries.has(entry.name)) continue;
        entries.set(entry.name, { ...entry, plugin: plugins[index]?.name ?? "" });
      }
    }
    return [...entries.values()];
  };
}

function names(answer: unknown): Omit<CatalogueEntry, "plugin">[] {
  if (answer === undefined || answer === null) return [];
  if (!Array.isArray(answer)) throw GARBAGE;
  const list: Omit<CatalogueEntry, "plugin">[] = [];
  for (const entry of answer as unknown[]) {
    const one = typeof entry === "string" ? { name: entry } : entry;
    if (!isPlain(one) || typeof one.name !== "string" || !isOptionalText(one.label)) throw GARBAGE;
    const { name, label } = one;
    if (name.trim() !== "" && name.length <= MAX_NAME) list.push({ name, ...(label ? { label } : {}) });
  }
  return list;
}
