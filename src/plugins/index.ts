/**
 * Hooks into the host's own world: their types, and a runner that keeps them within their time and their place.
 *
 * @module
 */
export type { BeforeSendOutcome } from "./before-send.ts";
export type { CatalogueEntry } from "./catalogue.ts";
export { definePlugin, pluginProblem } from "./define.ts";
export type { Enriched } from "./enrich.ts";
export { type HookScope, type PluginChange, type PluginFailure, pluginFailed } from "./guard.ts";
export type {
  BeforeSendAnswer,
  ConsentPurpose,
  ConsentSubject,
  Enrichment,
  FetchLike,
  HookContext,
  HookName,
  Hooks,
  HostMember,
  HostSegment,
  IdentityPurpose,
  KeyHook,
  Notification,
  PersonReference,
  Plugin,
  ResolvedPerson,
  SinkLine,
} from "./hooks.ts";
export type { PluginLibrary, ReservedNames } from "./library.ts";
export { HOOKS, type HookRule } from "./limits.ts";
export type { Notified } from "./notify.ts";
export type { ConsentAnswer, Resolution } from "./people.ts";
export { createPlugins, NO_PLUGINS, type Plugins, type PluginsOptions } from "./plugins.ts";
export type { HostSegments } from "./segments.ts";
export type { Sink } from "./sink.ts";
