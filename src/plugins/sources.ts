import { SnapchatError } from "../errors.ts";
import type { CanonicalEvent, EventKind, Source } from "../rules/event.ts";
import type { Issue } from "../wire/event.ts";
import { isPlain } from "./copy.ts";
import { GARBAGE, type Guard } from "./guard.ts";
import type { Plugin } from "./hooks.ts";

const KINDS: ReadonlySet<string> = new Set<EventKind>([
  "track",
  "page",
  "screen",
  "identify",
  "group",
  "audience",
  "other",
]);

/** The plugins' sources by name, each made total: whatever one does, an event comes out. */
export function guardedSources(guard: Guard, plugins: readonly Plugin[]): Readonly<Record<string, Source>> {
  const sources: Record<string, Source> = {};
  for (const plugin of plugins) {
    for (const source of [plugin.source ?? []].flat() as Source[]) {
      if (Object.hasOwn(sources, source.name)) throw taken("source", source.name, plugin.name);
      sources[source.name] = guarded(guard, plugin, source);
    }
  }
  return sources;
}

function guarded(guard: Guard, plugin: Plugin, source: Source): Source {
  const { name } = source;
  return {
    name,
    read(event) {
      const outcome = guard.callSync(
        plugin,
        "source",
        () => source.read(event),
        (answer) => canonical(answer, name),
      );
      return outcome.ok ? outcome.value : nothing(name, [unreadable(plugin.name, outcome.failure.code)]);
    },
  };
}

/** The answer as it is, where its parts have the types that everything behind it relies on. */
function canonical(answer: unknown, source: string): CanonicalEvent {
  if (!isPlain(answer) || typeof answer.name !== "string" || !KINDS.has(String(answer.kind))) throw GARBAGE;
  const event = { ...nothing(source, []), ...answer } as CanonicalEvent;
  const parts = [event.ids, event.traits, event.properties, event.context];
  const lists = [event.products, event.audiences, event.issues];
  if (!parts.every(isPlain) || !lists.every((list) => Array.isArray(list) && list.every(isPlain))) throw GARBAGE;
  if (event.consent !== undefined && !isPlain(event.consent)) throw GARBAGE;
  if (event.timeMs !== undefined && !Number.isFinite(event.timeMs)) throw GARBAGE;
  if (event.id !== undefined && typeof event.id !== "string") throw GARBAGE;
  return { ...event, source, ids: { ...event.ids, external: isPlain(event.ids.external) ? event.ids.external : {} } };
}

function nothing(source: string, issues: Issue[]): CanonicalEvent {
  return {
    source,
    name: "",
    kind: "other",
    ids: { external: {} },
    traits: {},
    properties: {},
    products: [],
    context: {},
    audiences: [],
    issues,
  };
}

function unreadable(plugin: string, code: string): Issue {
  return {
    path: "",
    code: "source_failed",
    message: `The source of the plugin ${plugin} could not read the event (${code}).`,
    fix: "Look at the plugin; testPlugin() tries its source with odd events.",
    severity: "error",
  };
}

/** Two plugins claim one name, or one claims a built-in name. */
export function taken(kind: string, name: string, plugin: string): SnapchatError {
  return new SnapchatError({
    code: "plugin_conflict",
    kind: "fix_configuration",
    message: `The ${kind} ${name} of the plugin ${plugin} exists already.`,
    fix: "Give it a name of its own.",
    details: { plugin, name },
  });
}
