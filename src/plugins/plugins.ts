import { type Clock, systemClock } from "../clock.ts";
import { SnapchatError } from "../errors.ts";
import type { Source } from "../rules/event.ts";
import { createBeforeSend } from "./before-send.ts";
import { createCatalogue } from "./catalogue.ts";
import { definePlugin } from "./define.ts";
import { createEnrich } from "./enrich.ts";
import { chainedFetch } from "./fetch.ts";
import { createGuard, type PluginFailure } from "./guard.ts";
import type { FetchLike, HookName, KeyHook, Plugin } from "./hooks.ts";
import { guardedKeys } from "./keys.ts";
import { guardedLibrary, type PluginLibrary, type ReservedNames } from "./library.ts";
import { createMessages } from "./messages.ts";
import { createNotify } from "./notify.ts";
import { createConsent, createResolveIdentity } from "./people.ts";
import { createHostSegments, type HostSegments } from "./segments.ts";
import { createSink, type Sink } from "./sink.ts";
import { guardedSources } from "./sources.ts";

/**
 * All plugins as one, ready to be called. A hook that no plugin has is `undefined`, so that a caller skips it and pays
 * nothing.
 */
export interface Plugins {
  /** In the order they are asked. */
  readonly names: readonly string[];
  /** By name; empty without. */
  readonly sources: Readonly<Record<string, Source>>;
  readonly library: PluginLibrary | undefined;
  readonly enrich: ReturnType<typeof createEnrich> | undefined;
  readonly resolveIdentity: ReturnType<typeof createResolveIdentity> | undefined;
  readonly consent: ReturnType<typeof createConsent> | undefined;
  readonly beforeSend: ReturnType<typeof createBeforeSend> | undefined;
  readonly segments: HostSegments | undefined;
  readonly catalogue: ReturnType<typeof createCatalogue> | undefined;
  readonly keys: KeyHook | undefined;
  /** Wraps the host's own `fetch`. */
  readonly fetch: ((innermost: FetchLike) => FetchLike) | undefined;
  readonly notify: ReturnType<typeof createNotify> | undefined;
  readonly audit: Sink | undefined;
  readonly receipts: Sink | undefined;
  readonly messages: ReturnType<typeof createMessages> | undefined;
}

export interface PluginsOptions {
  clock?: Clock;
  /** Hears of every hook that failed. */
  onFailure?: (failure: PluginFailure) => void;
  /** Names of built-in functions and operators. */
  reserved?: ReservedNames;
}

/** No plugins: every hook is absent. */
export const NO_PLUGINS: Plugins = Object.freeze({
  names: [],
  sources: {},
  library: undefined,
  enrich: undefined,
  resolveIdentity: undefined,
  consent: undefined,
  beforeSend: undefined,
  segments: undefined,
  catalogue: undefined,
  keys: undefined,
  fetch: undefined,
  notify: undefined,
  audit: undefined,
  receipts: undefined,
  messages: undefined,
});

/**
 * Puts plugins together, in their order.
 *
 * @throws {SnapchatError} kind `fix_configuration`: `plugin_invalid`; `plugin_conflict` where two have one name, or claim
 * one source, function, operator, or `keys`
 */
export function createPlugins(plugins: readonly Plugin[], options: PluginsOptions = {}): Plugins {
  if (plugins.length === 0) return NO_PLUGINS;
  const names = plugins.map((plugin) => definePlugin(plugin).name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw sameName(twice);

  const clock = options.clock ?? systemClock;
  const guard = createGuard(clock, options.onFailure);
  const having = (hook: HookName) => plugins.filter((plugin) => plugin[hook] !== undefined);
  const make = <T>(hook: HookName, build: (those: readonly Plugin[]) => T): T | undefined => {
    const those = having(hook);
    return those.length > 0 ? build(those) : undefined;
  };

  return {
    names,
    sources: guardedSources(guard, having("source")),
    library: guardedLibrary(guard, plugins, options.reserved ?? {}),
    enrich: make("enrich", (those) => createEnrich(guard, those)),
    resolveIdentity: make("resolveIdentity", (those) => createResolveIdentity(guard, those)),
    consent: make("consent", (those) => createConsent(guard, those)),
    beforeSend: make("beforeSend", (those) => createBeforeSend(guard, those)),
    segments: make("segments", (those) => createHostSegments(guard, those)),
    catalogue: make("catalogue", (those) => createCatalogue(guard, those)),
    keys: make("keys", (those) => guardedKeys(guard, those)),
    fetch: make("fetch", (those) => (innermost: FetchLike) => chainedFetch(those, innermost)),
    notify: make("notify", (those) => createNotify(guard, those)),
    audit: make("audit", (those) => createSink("audit", guard, those, clock)),
    receipts: make("receipts", (those) => createSink("receipts", guard, those, clock)),
    messages: make("messages", (those) => createMessages(guard, those)),
  };
}

function sameName(name: string): SnapchatError {
  return new SnapchatError({
    code: "plugin_conflict",
    kind: "fix_configuration",
    message: `Two plugins are called ${name}.`,
    fix: "Give each a name of its own: receipts name the plugin that stopped an event.",
    details: { plugin: name },
  });
}
