export type { MemberKind } from "./ads/segments.ts";
export type { Control } from "./control.ts";
export type { Channel } from "./conversions/dedupe.ts";
export type { ChannelCounts, EventRecord, EventTotals, Outcome } from "./conversions/store.ts";
export type { FaultAction, FaultHandle, FaultRule, Faults } from "./faults.ts";
export type { SimulatorFetch } from "./in-process.ts";
export type { Inspect, SegmentView, TokenView } from "./inspect.ts";
export { DEFAULT_KNOBS, type Knobs, turnKnobs } from "./knobs.ts";
export type { Area, RequestRecord, RequestTotals } from "./ledger.ts";
export type { PixelReport } from "./pixel/endpoint.ts";
export type { Peak } from "./rates.ts";
export type { SimulatorEndpoints } from "./routes.ts";
export { SimulatorError } from "./server.ts";
export { createSimulator, type Simulator, type SimulatorOptions, type Snapshot } from "./simulator.ts";
export type { TokenAnswer } from "./tokens.ts";
export type {
  AdAccount,
  App,
  AppInput,
  Asset,
  Builder,
  ConversionsToken,
  Organization,
  OrganizationInput,
  Person,
  World,
} from "./world.ts";
