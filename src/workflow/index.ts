/**
 * Workflows: sources, presets, the router, the event screen and explanations. Pure functions of JSON.
 *
 * @module workflow
 */
export {
  type BrowserRule,
  type BrowserWorkflow,
  browserWorkflow,
  type Expression,
  type Operation,
} from "../rules/browser.ts";
export { createRouter, type RouterOptions } from "../rules/create-router.ts";
export type {
  AudienceChange,
  CanonicalContext,
  CanonicalDevice,
  CanonicalEvent,
  CanonicalProduct,
  Decision,
  EventKind,
  Reason,
  RouteOptions,
  RouteResult,
  Router,
  Source,
} from "../rules/event.ts";
export { type EventIdOptions, eventId } from "../rules/event-id.ts";
export type { Operator } from "../rules/filter.ts";
export type { MappingFunction } from "../rules/functions.ts";
export type {
  Condition,
  ConsentRule,
  Filter,
  FilterOperator,
  Mapping,
  Rule,
  Scalar,
  SegmentTarget,
  Workflow,
  WorkflowPreset,
} from "../rules/workflow.ts";
export { type Availability, channelAvailability } from "./availability.ts";
export {
  type DestinationState,
  type EventListInput,
  type EventRow,
  type EventToggle,
  eventList,
  type SeenEvent,
} from "./event-list.ts";
export {
  explainRoute,
  type FieldOrigin,
  type RouteExplanation,
  type RuleExplanation,
  type ToggleExplanation,
  type Touched,
} from "./explain.ts";
export { hidesPerson } from "./hides-person.ts";
export { type HelpStep, type Manifest, type ManifestOptions, manifest } from "./manifest.ts";
export { type Migration, migrateWorkflow, presetUpdate, type WorkflowChange } from "./migrate.ts";
export type { FailedCondition } from "./origin.ts";
export { parseWorkflow, workflowJsonSchema } from "./parse.ts";
export {
  type ContentId,
  eeaConsent,
  PRESET_VERSION,
  type PresetName,
  type PresetOptions,
  presets,
} from "./presets/index.ts";
export { REASONS, type ReasonWords, reasonWords } from "./reasons.ts";
export { workflowSchema } from "./schema.ts";
export { clickIdOf, defineSource, parseTime, type SourceFields, sources } from "./sources/index.ts";
export { setToggle, type Toggles } from "./toggle.ts";
export { loadSchemas } from "./zod.ts";
