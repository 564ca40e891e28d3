import type { ActiveDestination, Destination, TenantStatus } from "../destinations/index.ts";
import {
  type PixelCall,
  type PixelConfigDocument,
  type PixelIdentity,
  type PixelOff,
  type PixelPerson,
  type PixelTagOptions,
  pixelConfig,
  pixelIdentity,
  pixelTag,
} from "../pixel/index.ts";
import type { Endpoints } from "../wire/endpoints.ts";
import type { Workflow } from "../workflow/index.ts";
import type { Explanation } from "./explain.ts";
import type { NoPlan, Plan } from "./plan.ts";

/** The pixel of one destination, from the server's side. */
export interface TenantPixel {
  /**
   * What a page is given, with its ETag: answer it with `pixelConfigResponse` at an address of your own. It says `off`
   * where nothing may be sent: the tenant or the destination is not active, there is no pixel or no client toggle, or
   * the destination is in test mode, which the pixel does not know.
   */
  config(destinationId: string): Promise<PixelConfigDocument>;
  /** HTML for the head of a page: the runtime and the configuration, escaped. The person is hashed here. */
  tag(destinationId: string, options?: TenantPixelTagOptions): Promise<string>;
  /** The digests of a person that a page may carry: those of the server's events. */
  identity(destinationId: string, person: PixelPerson): Promise<PixelIdentity>;
  /** The calls a browser would make for an event: a dry run. */
  calls(destinationId: string, event: unknown): Promise<PixelCall[]>;
}

/** What one page is given, with the person as the host knows them. */
export interface TenantPixelTagOptions extends Omit<PixelTagOptions, "identity"> {
  /** The person the page is made for, where the host knows one: raw, hashed before it reaches the page. */
  identity?: PixelPerson | undefined;
}

export interface TenantPixelDependencies {
  mine(destinationId: string): Promise<Destination>;
  active(destinationId: string): Promise<ActiveDestination>;
  status(): Promise<TenantStatus>;
  plan(destination: ActiveDestination): Plan | NoPlan;
  explained(destinationId: string, event: unknown): Promise<Explanation>;
  endpoints: Endpoints;
}

export function createTenantPixel(dependencies: TenantPixelDependencies): TenantPixel {
  const { mine, active, explained } = dependencies;

  async function config(destinationId: string): Promise<PixelConfigDocument> {
    const destination = await mine(destinationId);
    const off = await reasonOff(destination);
    if (off) return pixelConfig({ pixelId: destination.pixelId, workflow: undefined, off });
    const plan = await planOf(destinationId);
    return pixelConfig({
      pixelId: destination.pixelId,
      workflow: plan && (plan.destination.workflow as Workflow),
      integration: plan?.prepare.integration,
      limitedUse: plan?.prepare.limitedUse,
      allowFields: plan?.prepare.allowFields,
      scriptOrigin: dependencies.endpoints.pixelScript,
    });
  }

  async function reasonOff({ enabled, deleting, settings }: Destination): Promise<PixelOff | undefined> {
    if ((await dependencies.status()) !== "active") return "tenant_not_active";
    if (!enabled || deleting) return "destination_disabled";
    // The pixel cannot mark a test: a browser's copy would be counted.
    return settings.testEventCode || settings.validateOnly ? "test_mode" : undefined;
  }

  /** None where the workflow cannot be run: its pages send nothing either. */
  async function planOf(destinationId: string): Promise<Plan | undefined> {
    const destination: ActiveDestination | undefined = await active(destinationId);
    // One that is being deleted is not active any more.
    const plan = destination && dependencies.plan(destination);
    return plan && "refused" in plan ? undefined : plan;
  }

  async function identity(destinationId: string, person: PixelPerson): Promise<PixelIdentity> {
    const plan = await planOf(destinationId);
    return pixelIdentity(person, { defaultCountry: plan?.prepare.defaultCountry });
  }

  return {
    config,
    identity,
    async tag(destinationId, { identity: person, ...options } = {}) {
      const document = await config(destinationId);
      const known = person && !document.config.off ? await identity(destinationId, person) : undefined;
      return pixelTag(document.config, { ...options, identity: known });
    },
    async calls(destinationId, event) {
      const { parts } = await explained(destinationId, event);
      return parts.flatMap(({ call }) => (call ? [call] : []));
    },
  };
}
