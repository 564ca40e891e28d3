import type { Accounts, ImportedConnection, Vault } from "../auth/index.ts";
import type { ConversionsClient, PreparedEvent } from "../capi/index.ts";
import type { Clock } from "../clock.ts";
import type { Credentials, Delivery, LimitScope } from "../delivery/index.ts";
import {
  type ActiveDestination,
  type Context,
  createTenantHandle,
  type Destination,
  type Destinations,
  loginCredential,
  type MutationOptions,
  type PreflightReport,
} from "../destinations/index.ts";
import { isSnapchatError, type Secret } from "../errors.ts";
import type { People } from "../people/index.ts";
import type { Plugins } from "../plugins/index.ts";
import type { Storage } from "../storage/ports.ts";
import type { Endpoints } from "../wire/endpoints.ts";
import type { EventActivity } from "./event-activity.ts";
import { type EventScreen, eventScreen } from "./event-screen.ts";
import { type Explanation, explain } from "./explain.ts";
import type { Offer } from "./ingest.ts";
import { offersOf } from "./offers.ts";
import type { TrackOptions } from "./options.ts";
import type { PixelDomain } from "./pixel-domains.ts";
import type { NoPlan, Plan } from "./plan.ts";
import type { PluginStage } from "./plugin-stage.ts";
import type { Receipt } from "./receipt.ts";
import type { Segments } from "./segments/segments.ts";
import { createTenantSegments, type TenantSegments } from "./segments/tenant-segments.ts";
import { createTenantAccounts, type TenantAccounts } from "./tenant-accounts.ts";
import { createTenantDeadLetters, type TenantDeadLetters } from "./tenant-dead-letters.ts";
import { createTenantPixel, type TenantPixel } from "./tenant-pixel.ts";
import { createTenantReceipts, type TenantReceipts } from "./tenant-receipts.ts";
import { createTenantVerify } from "./tenant-verify.ts";
import type { VerifyReport } from "./verify/verify.ts";
import { hostWords } from "./words.ts";

/**
 * What one tenant of the host may do. Ids of other tenants are answered with `not_found`.
 *
 * @example
 * ```ts
 * const acme = snapchat.tenant("acme");
 *
 * const [receipt] = await acme.track([{ event: "Purchased", id: "order-10442", value: 64.5, currency: "GBP" }]);
 * for (const { destinationId, words } of receipt?.parts ?? []) {
 *   if (words) console.log(destinationId, words.message, words.fix);
 * }
 * ```
 */
export interface Tenant {
  readonly id: string;
  readonly destinations: ReturnType<typeof createTenantHandle>["destinations"];
  readonly audit: ReturnType<typeof createTenantHandle>["audit"];
  /**
   * Offers events to every enabled destination. One receipt per event, in order; durable once resolved.
   *
   * @throws {SnapchatError} `events_not_a_list`, `destinations_not_a_list` (fix_data)
   */
  track(events: readonly unknown[], options?: TrackOptions): Promise<Receipt[]>;
  /** What would happen to an event, and why. Sends and stores nothing. */
  explain(destinationId: string, event: unknown, options?: ExplainOptions): Promise<Explanation>;
  readonly events: {
    /** The event screen: every row with its toggles, what can be switched and why not, last seen, last delivered. */
    list(destinationId: string): Promise<EventScreen>;
  };
  /** Looks at the set-up and says what is missing. */
  preflight(destinationId: string): Promise<PreflightReport>;
  /** Preflight, what Snapchat last saw, and what waits here. Sends no event. */
  verify(destinationId: string): Promise<VerifyReport>;
  readonly accounts: TenantAccounts;
  readonly connections: {
    /** As `destinations.disconnect`. Snapchat documents no way to revoke a token from here. */
    disconnect(destinationId: string, options?: MutationOptions): Promise<Destination>;
    /** Takes over a login made elsewhere. */
    import(destinationId: string, login: ImportedConnection, options?: MutationOptions): Promise<Destination>;
  };
  /** The CDP's segments and their customer lists at Snapchat: `docs/audiences.md`. */
  readonly segments: TenantSegments;
  readonly deadLetters: TenantDeadLetters;
  readonly receipts: TenantReceipts;
  readonly people: {
    /**
     * Stops what was accepted of a person, takes them out of every segment, and says what stays. @throws
     * {SnapchatError} `person_not_identified`
     */
    forget(
      person: Parameters<People["forget"]>[1],
      options?: Parameters<People["forget"]>[2],
    ): ReturnType<People["forget"]>;
    /** The same for one destination or all, as a withdrawn consent. @throws {SnapchatError} `not_found`, `person_not_identified` */
    revokeConsent(
      person: Parameters<People["revokeConsent"]>[1],
      options?: Parameters<People["revokeConsent"]>[2],
    ): ReturnType<People["revokeConsent"]>;
    /** What is known of a person here, without what names them. */
    inspect(person: Parameters<People["inspect"]>[1]): ReturnType<People["inspect"]>;
  };
  readonly pixel: TenantPixel;
}

/** What an explanation may ask. */
export interface ExplainOptions extends Pick<TrackOptions, "receivedAt"> {
  /** Asks Snapchat's validate endpoint as well; it counts nothing. */
  validate?: boolean;
}

export interface TenantDependencies {
  track(offers: readonly Offer[], options: { tx?: unknown }): Promise<Receipt[]>;
  context: Context;
  destinations: Destinations;
  accounts: Accounts;
  vault: Vault;
  people: People;
  segments: Segments;
  conversions: ConversionsClient;
  credentials: Credentials;
  /** A slot of every limit, for what a person waits for. */
  pass(scopes: readonly LimitScope[]): Promise<void>;
  delivery: Pick<Delivery, "deadLetters" | "receipts">;
  storage: Storage;
  endpoints: Endpoints;
  plan(destination: ActiveDestination): Plan | NoPlan;
  plugins: Pick<Plugins, "catalogue" | "messages">;
  pluginStage: PluginStage | undefined;
  activity: EventActivity;
  /** Where a pixel's events came from, as Snapchat counts them. */
  domains(pixelId: string, token: Secret): Promise<readonly PixelDomain[] | undefined>;
  integration: string | undefined;
  clock: Clock;
}

/** What Snapchat is asked with, and the slot that each request takes. */
export interface TokensOf {
  all: Secret[];
  login: Secret | undefined;
  beforeRequest(): Promise<void>;
}

export function createTenant(tenantId: string, dependencies: TenantDependencies): Tenant {
  const { context, destinations, vault, people, segments, delivery, clock } = dependencies;
  const { destinations: own, audit, preflight } = createTenantHandle({ destinations, audit: context.audit }, tenantId);

  /** Asked first by everything below that takes a destination's id. */
  const mine = (destinationId: string): Promise<Destination> => destinations.get(tenantId, destinationId);

  async function active(destinationId: string): Promise<ActiveDestination> {
    await mine(destinationId);
    const tenant = await context.reader.tenant(tenantId);
    const found = tenant.all.find(({ id }) => id === destinationId);
    if (found) return found;
    await context.reader.changed(tenantId);
    return (await context.reader.tenant(tenantId)).all.find(({ id }) => id === destinationId) as ActiveDestination;
  }

  async function explained(destinationId: string, event: unknown, o: ExplainOptions = {}): Promise<Explanation> {
    const destination = await active(destinationId);
    return explain({
      event,
      destination,
      off: await whyOff(destination),
      plan: dependencies.plan(destination),
      pluginStage: dependencies.pluginStage,
      receivedAtMs: msOf(o.receivedAt),
      nowMs: clock.now(),
      subjects: await people.subjects(tenantId),
      validate: o.validate ? await validator(destinationId) : undefined,
      say: hostWords(dependencies.plugins, tenantId),
    });
  }

  /** What `track` says of every event offered now. */
  async function whyOff({
    enabled,
  }: ActiveDestination): Promise<"tenant_suspended" | "destination_disabled" | undefined> {
    if (!enabled) return "destination_disabled";
    return (await context.reader.tenant(tenantId)).status === "active" ? undefined : "tenant_suspended";
  }

  /** Asks Snapchat about one event. */
  async function validator(destinationId: string) {
    const { all: token, beforeRequest } = await tokensOf(await mine(destinationId));
    return async (assetId: string, event: PreparedEvent) => {
      const [validation] = await dependencies.conversions.validate(assetId, [event], { token, beforeRequest });
      return validation?.snapchat;
    };
  }

  return {
    id: tenantId,
    destinations: own,
    audit,
    preflight,
    track: async (events, { tx, ...options } = {}) =>
      dependencies.track(offersOf(tenantId, events, options), tx === undefined ? {} : { tx }),
    explain: explained,
    events: {
      list: async (destinationId) =>
        eventScreen(await mine(destinationId), dependencies.activity, dependencies.plugins),
    },
    verify: createTenantVerify(dependencies, { tenantId, mine, active, preflight, tokensOf }),
    accounts: createTenantAccounts(tenantId, dependencies.accounts, async (id) => (await mine(id)).connection),
    connections: {
      disconnect: (destinationId, o) => own.disconnect(destinationId, o),
      async import(destinationId, login, o) {
        const { connection: before } = await mine(destinationId);
        const id = login.id ?? before?.id;
        const saved = await vault.connections.import(tenantId, id === undefined ? login : { ...login, id });
        const connected = await own.connect(destinationId, saved.id, o);
        await destinations.connectionChanged(tenantId, saved.id);
        return connected;
      },
    },
    segments: createTenantSegments(segments, active, context.audit),
    deadLetters: createTenantDeadLetters({ tenantId, mine, delivery, audit: context.audit }),
    receipts: createTenantReceipts(mine, delivery),
    people: {
      forget: (person, o) => people.forget(tenantId, person, o),
      revokeConsent: (person, o) => people.revokeConsent(tenantId, person, o),
      inspect: (person) => people.inspect(tenantId, person),
    },
    pixel: createTenantPixel({
      mine,
      active,
      explained,
      status: async () => (await context.reader.tenant(tenantId)).status,
      plan: dependencies.plan,
      endpoints: dependencies.endpoints,
    }),
  };

  /** The Conversions token first, then the login: what one of them may not read the other may. */
  async function tokensOf(destination: Destination): Promise<TokensOf> {
    const all: Secret[] = [];
    // A request may go out again with the next token, so it falls under the limits of all of them.
    const scopes: LimitScope[] = [];
    let login: Secret | undefined;
    const own = await destinations.ownCredential(tenantId, destination.id);
    if (own) {
      const found = await dependencies.credentials.resolve(own).catch(ifGone);
      if (found) all.push(found.token);
      scopes.push(...(found?.limits.events ?? []));
    }
    if (destination.connection?.status === "connected") {
      try {
        const id = loginCredential(tenantId, destination.connection.id);
        const { token, limits } = await dependencies.credentials.resolve(id);
        all.push(token);
        scopes.push(...limits.events);
        login = token;
      } catch (error) {
        // Preflight has a line of its own for a login that does not work.
        if (!isSnapchatError(error)) throw error;
      }
    }
    return { all, login, beforeRequest: () => dependencies.pass(scopes) };
  }
}

/** Taken away in this very moment: then there is none. */
function ifGone(error: unknown): undefined {
  if (!isSnapchatError(error) || error.code !== "conversions_token_gone") throw error;
}

const msOf = (time: Date | number | undefined) => (time === undefined ? undefined : Number(time));
