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
export { parseWorkflow } from "./parse.ts";
export {
  type ContentId,
  eeaConsent,
  PRESET_VERSION,
  type PresetName,
  type PresetOptions,
  presets,
} from "./presets/index.ts";
export { REASONS, type ReasonWords, reasonWords } from "./reasons.ts";
export { clickIdOf, defineSource, parseTime, type SourceFields, sources } from "./sources/index.ts";
export { setToggle, type Toggles } from "./toggle.ts";
