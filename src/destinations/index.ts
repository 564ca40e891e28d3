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
export { loginCredential } from "./keys.ts";
export type { DisableOptions } from "./lifecycle.ts";
export type { Maintenance } from "./maintain.ts";
export type { MutationOptions } from "./mutation.ts";
export type { OffboardOptions, OffboardReport, Staying, TenantData } from "./offboard.ts";
export {
  type Check,
  type CheckLine,
  ok,
  type PreflightReport,
  problem,
  runChecks,
  warning,
} from "./preflight/engine.ts";
export { collectSetupFacts, type SetupFacts } from "./preflight/facts.ts";
export { setupChecks } from "./preflight/setup.ts";
export type { ActiveTenant, DestinationReader } from "./reader.ts";
export type { DeleteOptions, DeleteReport } from "./remove.ts";
export { type AudienceSettings, type DestinationSettings, type SettingsPatch, settingsSchema } from "./settings.ts";
export type { TenantStatus } from "./tenant.ts";
export { createTenantHandle, type TenantDestinations, type TenantHandle } from "./tenant-handle.ts";
export type { Tenant } from "./tenants.ts";
export { createTenants, type Tenants } from "./tenants-api.ts";
export { sealedTokens } from "./token-secrets.ts";
export type { DestinationPatch, UpdateOptions } from "./update.ts";
