export type { Audit, AuditLine, AuditQuery } from "./audit.ts";
export type { Context, DestinationsOptions } from "./context.ts";
export { parseCredentialId } from "./credential.ts";
export type {
  ActiveDestination,
  Destination,
  QueueOnDisable,
  QueueOnMove,
  TokenStatus,
} from "./destination.ts";
export { createContext, createDestinations, type Destinations, type NewDestination } from "./destinations.ts";
export type * from "./interfaces.ts";
export { eventsGroup, loginCredential, tokenCredential } from "./keys.ts";
export type { DisableOptions } from "./lifecycle.ts";
export type { MutationOptions } from "./mutation.ts";
export type { ActiveTenant, DestinationReader } from "./reader.ts";
export { createReader } from "./reader.ts";
export { type AudienceSettings, type DestinationSettings, type SettingsPatch, settingsSchema } from "./settings.ts";
export type { DestinationPatch, UpdateOptions } from "./update.ts";
