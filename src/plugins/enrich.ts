import type { CanonicalContext, CanonicalEvent } from "../rules/event.ts";
import type { Issue } from "../wire/event.ts";
import { copy, isPlain } from "./copy.ts";
import { GARBAGE, type Guard, type HookScope, type PluginChange, type PluginFailure } from "./guard.ts";
import type { Plugin } from "./hooks.ts";

/** Events after every plugin had its say; in the order and number they came. */
export interface Enriched {
  events: CanonicalEvent[];
  /** Per event, what each plugin changed. Absent: nothing. */
  changes: (PluginChange[] | undefined)[];
}

type Patch = Record<string, unknown>;

/** Asks each plugin in turn; later ones see what earlier ones added. A plugin that fails adds an issue and nothing else. */
export function createEnrich(guard: Guard, plugins: readonly Plugin[]) {
  return async function enrich(given: readonly CanonicalEvent[], scope: HookScope): Promise<Enriched> {
    let events = [...given];
    const changes: Enriched["changes"] = events.map(() => undefined);
    for (const plugin of plugins) {
      const outcome = await guard.call(
        plugin,
        "enrich",
        (context) => plugin.enrich?.(copy(events), context),
        (answer) => patches(answer, given.length),
        scope,
      );
      if (!outcome.ok) {
        const issue = failureIssue(outcome.failure);
        events = events.map((event) => ({ ...event, issues: [...event.issues, issue] }));
        continue;
      }
      for (const [index, patch] of outcome.value.entries()) {
        const event = events[index];
        if (!patch || !event) continue;
        const paths: string[] = [];
        events[index] = patched(event, patch, paths);
        if (paths.length > 0) {
          changes[index] = [...(changes[index] ?? []), { plugin: plugin.name, hook: "enrich", paths }];
        }
      }
    }
    return { events, changes };
  };
}

function patches(answer: unknown, count: number): readonly (Patch | undefined)[] {
  if (answer === undefined || answer === null) return [];
  if (!Array.isArray(answer) || answer.length !== count) throw GARBAGE;
  return answer.map((entry) => {
    if (entry === undefined || entry === null) return undefined;
    if (!isPlain(entry)) throw GARBAGE;
    return copy(entry);
  });
}

/** Adds what the patch names, of the parts a plugin may change. What has the wrong shape is left out. */
function patched(event: CanonicalEvent, patch: Patch, paths: string[]): CanonicalEvent {
  const next = { ...event };
  if (isPlain(patch.traits)) next.traits = merged(event.traits, patch.traits, "traits", paths);
  if (isPlain(patch.properties)) next.properties = merged(event.properties, patch.properties, "properties", paths);
  if (isPlain(patch.context)) {
    next.context = merged({ ...event.context }, patch.context, "context", paths) as CanonicalContext;
  }
  if (isPlain(patch.consent)) {
    const consent = only(patch.consent, (value) => value === null || typeof value === "boolean");
    next.consent = merged(event.consent ?? {}, consent, "consent", paths) as Record<string, boolean>;
  }
  if (isPlain(patch.ids)) next.ids = mergedIds(event.ids, patch.ids, paths);
  return next;
}

function mergedIds(ids: CanonicalEvent["ids"], patch: Patch, paths: string[]): CanonicalEvent["ids"] {
  const text = (value: unknown) => value === null || typeof value === "string";
  const own = only(patch, (value, key) => (key === "userId" || key === "anonymousId") && text(value));
  const next = merged({ ...ids }, own, "ids", paths) as CanonicalEvent["ids"];
  if (isPlain(patch.external)) {
    next.external = merged(ids.external, only(patch.external, text), "ids.external", paths) as Record<string, string>;
  }
  return next;
}

function merged(old: Patch, patch: Patch, at: string, paths: string[]): Patch {
  const next = { ...old };
  for (const [key, value] of Object.entries(patch)) {
    if (value === undefined || JSON.stringify(value) === JSON.stringify(old[key])) continue;
    if (value === null) {
      if (!(key in next)) continue;
      delete next[key];
    } else next[key] = value;
    paths.push(`${at}.${key}`);
  }
  return next;
}

function only(patch: Patch, keep: (value: unknown, key: string) => boolean): Patch {
  return Object.fromEntries(Object.entries(patch).filter(([key, value]) => keep(value, key)));
}

/** What an event says of a plugin that did not help it. */
export function failureIssue({ plugin, hook, code }: PluginFailure): Issue {
  return {
    path: "",
    code: "plugin_failed",
    message: `The plugin ${plugin} failed in ${hook} (${code}); the event went on without it.`,
    fix: "Look at the plugin; testPlugin() tries its hooks.",
    severity: "warning",
  };
}
