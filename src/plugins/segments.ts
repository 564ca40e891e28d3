import { copy, isOptionalText, isPlain, isTexts } from "./copy.ts";
import { GARBAGE, type Guard, type HookScope, pluginFailed } from "./guard.ts";
import type { HostMember, HostSegment, Plugin } from "./hooks.ts";

type Rows<T> = Iterable<T> | AsyncIterable<T>;

/** The host's segments, through all plugins that have any. */
export interface HostSegments {
  /** Every segment once, by its key; of two plugins the first. @throws {SnapchatError} `plugin_failed` (retry) */
  list(scope: HookScope): AsyncGenerator<HostSegment>;
  /**
   * The members of a segment, or `undefined` where no plugin knows it. Rows that are no members are left out and counted
   * as failures. @throws {SnapchatError} `plugin_failed` (retry), also while it is read
   */
  members(key: string, scope: HookScope): Promise<AsyncGenerator<HostMember> | undefined>;
}

export function createHostSegments(guard: Guard, plugins: readonly Plugin[]): HostSegments {
  async function* list(scope: HookScope): AsyncGenerator<HostSegment> {
    const seen = new Set<string>();
    for (const plugin of plugins) {
      const rows = await open(plugin, (context) => plugin.segments?.list(context), scope);
      for await (const row of read(plugin, rows ?? [], scope)) {
        if (!isSegment(row)) garbage(plugin);
        else if (!seen.has(row.key)) {
          seen.add(row.key);
          yield copy(row);
        }
      }
    }
  }

  async function members(key: string, scope: HookScope): Promise<AsyncGenerator<HostMember> | undefined> {
    for (const plugin of plugins) {
      const rows = await open(plugin, (context) => plugin.segments?.members(key, context), scope);
      if (rows !== undefined) return readMembers(plugin, rows, scope);
    }
    return undefined;
  }

  async function* readMembers(plugin: Plugin, rows: Rows<unknown>, scope: HookScope): AsyncGenerator<HostMember> {
    for await (const row of read(plugin, rows, scope)) {
      if (isMember(row)) yield row;
      else garbage(plugin);
    }
  }

  async function open(
    plugin: Plugin,
    task: Parameters<Guard["call"]>[2],
    scope: HookScope,
  ): Promise<Rows<unknown> | undefined> {
    const outcome = await guard.call(plugin, "segments", task, rowsOf, scope);
    if (!outcome.ok) throw pluginFailed(outcome.failure);
    return outcome.value;
  }

  /** Reads row by row, each within the hook's time. Leaving early closes the plugin's iterator. */
  async function* read(plugin: Plugin, rows: Rows<unknown>, scope: HookScope): AsyncGenerator<unknown> {
    const iterator =
      Symbol.asyncIterator in rows ? rows[Symbol.asyncIterator]() : (rows as Iterable<unknown>)[Symbol.iterator]();
    let ended = false;
    try {
      while (!ended) {
        const called = guard.call(plugin, "segments", () => iterator.next(), step, scope);
        const outcome = called instanceof Promise ? await called : called;
        if (!outcome.ok) throw pluginFailed(outcome.failure);
        ended = outcome.value.done === true;
        if (!ended) yield outcome.value.value;
      }
    } finally {
      // A plugin that does not close is not waited for.
      if (!ended)
        void guard.call(
          plugin,
          "segments",
          () => iterator.return?.(),
          () => undefined,
          scope,
        );
    }
  }

  function garbage(plugin: Plugin): void {
    guard.report({ plugin: plugin.name, hook: "segments", code: "garbage" });
  }

  return { list, members };
}

function rowsOf(answer: unknown): Rows<unknown> | undefined {
  if (answer === undefined || answer === null) return undefined;
  if (typeof answer === "object" && (Symbol.asyncIterator in answer || Symbol.iterator in answer)) {
    return answer as Rows<unknown>;
  }
  throw GARBAGE;
}

function step(answer: unknown): IteratorResult<unknown> {
  if (!isPlain(answer)) throw GARBAGE;
  return answer as unknown as IteratorResult<unknown>;
}

function isSegment(row: unknown): row is HostSegment {
  return isPlain(row) && typeof row.key === "string" && row.key !== "" && isOptionalText(row.name);
}

function isMember(row: unknown): row is HostMember {
  if (!isPlain(row) || !isOptionalText(row.personKey)) return false;
  return isTexts(row.email) && isTexts(row.phone) && isTexts(row.mobileAdId);
}
