import { AudiencesClient } from "./audiences/index.ts";
import { AccountsClient, createAccounts, createSealer, createVault, type Vault } from "./auth/index.ts";
import { ConversionsClient } from "./capi/index.ts";
import {
  createDelivery,
  DEFAULT_SETTINGS,
  type Delivery,
  type DeliveryStats,
  type DrainReport,
  type Health,
  type Worker,
  type WorkerOptions,
} from "./delivery/index.ts";
import { createContext, createDestinations, createTenants, type Tenants } from "./destinations/index.ts";
import { createHttpClient } from "./http/index.ts";
import { createPeople } from "./people/index.ts";
import { createPlugins } from "./plugins/index.ts";
import { LIBRARY } from "./rules/index.ts";
import { createConnectionEvents } from "./snapchat/connection-events.ts";
import { createCredentials, loginLimits, segmentWrites, tokenLimits } from "./snapchat/credentials.ts";
import { engineTime } from "./snapchat/engine-time.ts";
import { createEventActivity } from "./snapchat/event-activity.ts";
import { createEvents, type SnapchatEvents } from "./snapchat/events.ts";
import { createIngest, type Offer } from "./snapchat/ingest.ts";
import { createReceiptLines } from "./snapchat/ingest-lines.ts";
import { createInteractive, type LoginSlots } from "./snapchat/interactive.ts";
import { createLog } from "./snapchat/log.ts";
import { migrated } from "./snapchat/migrated.ts";
import { mixedOffersOf } from "./snapchat/offers.ts";
import type { SnapchatOptions, TenantEvent, TrackOptions } from "./snapchat/options.ts";
import { pixelDomains } from "./snapchat/pixel-domains.ts";
import { createPlans } from "./snapchat/plan.ts";
import { withPluginConsent } from "./snapchat/plugin-consent.ts";
import { createPluginStage } from "./snapchat/plugin-stage.ts";
import { createPresence } from "./snapchat/presence.ts";
import type { Receipt } from "./snapchat/receipt.ts";
import { resolvePerson } from "./snapchat/resolve-person.ts";
import { drainWithBackfills } from "./snapchat/segments/drain.ts";
import { createMemberRemoval } from "./snapchat/segments/member-removal.ts";
import { createSegmentRoom } from "./snapchat/segments/room.ts";
import { createGroupKey, createSendNow, type SendNowOptions, type SendOutcome } from "./snapchat/send-now.ts";
import { checkOptions } from "./snapchat/settings.ts";
import { createSignIn, type SnapchatOAuth } from "./snapchat/sign-in.ts";
import { createTelemetry } from "./snapchat/telemetry.ts";
import { createTenant, type Tenant } from "./snapchat/tenant.ts";
import { ownNames, toggleCounts } from "./snapchat/toggle-counts.ts";
import { createTokenCheck } from "./snapchat/token-check.ts";
import { createUpkeep, drainWithUpkeep, withUpkeep } from "./snapchat/upkeep.ts";
import type { Finding, Target } from "./storage/ports.ts";
import { recordSlots } from "./storage/record-slots.ts";
import { parseWorkflow } from "./workflow/index.ts";

/** Snapchat as a destination of a host with many tenants. */
export interface Snapchat {
  /** A handle that refuses every id that is not this tenant's. */
  tenant(tenantId: string): Tenant;
  /** A queue consumer's mixed batch: one receipt per event, in order; durable once resolved. */
  track(events: readonly TenantEvent[], options?: Pick<TrackOptions, "tx">): Promise<Receipt[]>;
  /**
   * For hosts with a queue of their own: sends now and stores no event. One outcome per event, in order; the queue acks
   * `delivered`, `skipped` and `rejected`, and offers the others again.
   *
   * @throws {SnapchatError} kind `retry` where nothing could be decided, so that nothing was sent
   */
  sendNow(events: readonly TenantEvent[], options?: SendNowOptions): Promise<SendOutcome[]>;
  /** What to partition that queue by. */
  groupKey(tenantId: string, event: unknown): Promise<string>;
  /** Delivers in the background until stopped. */
  startWorker(options?: WorkerOptions): Worker;
  /** Delivers what is due and what comes due again within a second, a worker's upkeep beside it: for cron and serverless. */
  drain(options: { maxMs: number; signal?: AbortSignal }): Promise<DrainReport>;
  /** Stops delivery of everything, or of one destination or credential, until `resume`. */
  pause(target?: Target): Promise<void>;
  /** Ends a pause of the same target; held work goes on. */
  resume(target?: Target): Promise<void>;
  /** What waits, what failed, and what this process has done. */
  stats(): Promise<DeliveryStats>;
  /** What keeps work from being delivered now, in words. */
  health(): Promise<Health>;
  /** Hears what happens; answers a function that stops it. What a listener throws is dropped. */
  on<N extends keyof SnapchatEvents>(name: N, listener: (event: SnapchatEvents[N]) => void): () => void;
  /** The two addresses of the sign-in, as web-standard requests and responses. */
  readonly oauth: SnapchatOAuth;
  readonly tenants: Tenants;
  readonly keys: Vault["keys"];
  readonly storage: {
    /** Settings of the engine that break a promise, as findings. */
    check(): Promise<Finding[]>;
    /** Creates or migrates the tables. */
    migrate(): Promise<void>;
    /**
     * To be called once after the database was brought back from a backup, before a worker starts: what came with it
     * may have been sent since, so nothing of it is sent again that Snapchat would not recognise any more.
     */
    restored(options: { backupTakenAt: Date | number }): Promise<void>;
  };
  /** Stops workers and closes what this package opened. */
  close(): Promise<void>;
  /** The same as {@link Snapchat.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Composes the rooms for a host with many tenants.
 *
 * @throws {SnapchatError} kind `fix_configuration`: `storage_missing`, `app_missing`, `redirect_uri_insecure`,
 * `encryption_key_missing`, `encryption_key_invalid`, `endpoint_not_allowed`, `loss_not_accepted`
 * @example
 * ```ts
 * import { createSnapchat } from "snapchat-destination";
 * import { sqlite } from "snapchat-destination/sqlite";
 *
 * export const snapchat = createSnapchat({
 *   app: { clientId: "…", clientSecret: "…", redirectUri: "https://cdp.example/snapchat/callback" },
 *   storage: sqlite("snapchat.db"),
 *   encryptionKeys: [process.env.SNAPCHAT_KEY ?? ""],
 * });
 * ```
 */
export function createSnapchat(options: SnapchatOptions): Snapchat {
  const { apps, endpoints } = checkOptions(options);
  const storage = options.autoMigrate === false ? options.storage : migrated(options.storage);
  const { records, outbox } = storage;
  const clock = engineTime(records, options.clock);
  const events = createEvents();
  const log = createLog(options.logger);
  const telemetry = createTelemetry(() => delivery.stats());
  const plugins = createPlugins(options.plugins ?? [], {
    clock,
    onFailure(failure) {
      events.emit("plugin_failed", failure);
      log.pluginFailed(failure);
    },
    reserved: { functions: Object.keys(LIBRARY.functions), operators: Object.keys(LIBRARY.operators) },
  });
  const http = createHttpClient({
    origins: Object.values(endpoints),
    fetch: plugins.fetch?.(options.fetch ?? ((request) => fetch(request))) ?? options.fetch,
    timeoutMs: options.delivery?.requestTimeoutMs ?? DEFAULT_SETTINGS.requestTimeoutMs,
    onAnswer: telemetry.answered,
  });
  const sealer = createSealer({ keys: plugins.keys ?? options.encryptionKeys ?? [] });
  const conversions = new ConversionsClient({ http, endpoints, clock });
  const audiences = new AudiencesClient({ http, endpoints, maxRetries: 0 });
  const accountsClient = new AccountsClient({ http, endpoints, clock });

  const connectionEvents = createConnectionEvents({
    onReauthRequired: options.onReauthRequired,
    notify: plugins.notify,
  });
  const vault = createVault({
    records,
    sealer,
    apps,
    endpoints,
    http,
    clock,
    onReauthRequired: connectionEvents.lost,
    oldestPayloadMs: () => delivery.oldestPayloadMs(),
  });
  const interactive = createInteractive({ slots: storage.slots ?? recordSlots(records), clock });
  const slot: LoginSlots = (login, { writes = false } = {}) =>
    interactive([...loginLimits(login, options.limits), ...(writes ? [segmentWrites(login, options.limits)] : [])]);
  const accounts = createAccounts({ vault, client: accountsClient, slot });
  const presence = createPresence({ records, clock });
  const segments = createSegmentRoom({
    storage,
    vault,
    slot,
    audiences,
    plugins,
    clock,
    emit: (name, event) => events.emit(name, event),
    parts: () => ({ lists: delivery.lists, destinations, activeTenant: context.reader.tenant, plan, people }),
    memberLingerMs: options.delivery?.memberLingerMs ?? DEFAULT_SETTINGS.memberLingerMs,
    delivers: presence.seen,
  });
  const context = createContext({
    records,
    sealer,
    queue: outbox,
    connections: {
      info: (tenantId, connectionId) => vault.connections.get(tenantId, connectionId),
      disconnect: async (tenantId, connectionId) => {
        await vault.connections.disconnect(tenantId, connectionId);
      },
    },
    accounts,
    tokenCheck: createTokenCheck(conversions, (place) => interactive(tokenLimits(place, options.limits))),
    workflowCheck: { parse: (json) => parseWorkflow(json, plugins.library), toggles: toggleCounts, ownNames },
    segments: segments.control,
    clock,
    forget: (tenantId, destinationId) => activity.forget(tenantId, destinationId),
    onAudit: (line) => plugins.audit?.push({ ...line }),
    integration: options.integration,
    visibleAfterMs: storage.capabilities.shared === "process" ? 0 : 2_000,
  });
  const destinations = createDestinations(context);
  connectionEvents.use(destinations);

  const people = createPeople({
    records,
    clock,
    digestKeys: { of: vault.tenantDigestKey, destroy: async () => {} },
    destinations: async (tenantId) =>
      (await context.reader.tenant(tenantId)).all.map(({ id, settings }) => ({
        id,
        defaultCountry: settings.defaultCountry,
      })),
    members: storage.members,
    removal: createMemberRemoval(
      () => delivery,
      () => clock.now(),
    ),
    membersOf: segments.membersOf,
    audit: (entry) => context.audit.record(entry),
    resolve: resolvePerson(plugins.resolveIdentity),
    visibleAfterMs: context.visibleAfterMs,
  });
  const activity = createEventActivity({
    records,
    clock,
    alarm: (alarm) => events.emit("skip_share", { type: "skip_share", ...alarm }),
    notify: plugins.notify,
    windowMs: options.skipShareWindowMs,
  });
  const tenants = createTenants(context, [
    people.tenantData,
    activity.tenantData,
    { name: "connections", purge: async (tenantId) => void (await vault.forgetTenant(tenantId)) },
  ]);

  const credentials = createCredentials({ vault, destinations, limits: options.limits });
  const journalShare = options.delivery?.journalShare ?? DEFAULT_SETTINGS.journalShare;
  const delivery: Delivery = createDelivery({
    storage,
    credentials,
    consent: withPluginConsent(people.consent, plugins.consent),
    events: conversions,
    segments: audiences,
    sealer,
    clock,
    emit(event) {
      events.emit(event.type, event);
      telemetry.happened(event);
      log.happened(event);
    },
    onSettled(settled) {
      activity.settled(settled);
      plugins.receipts?.push({ type: "settled", ...settled });
    },
    settings: options.delivery ?? {},
  });

  const upkeep = createUpkeep({ clock, records, destinations, vault, presence });

  const plan = createPlans({
    sources: Object.values(plugins.sources),
    integration: options.integration,
    library: plugins.library,
  });
  const pluginStage = createPluginStage(plugins);
  const ingest = createIngest({
    tenant: (tenantId) => destinations.activeTenant(tenantId),
    plan,
    plugins: pluginStage,
    subjects: (tenantId) => people.subjects(tenantId),
    ensureSegment: (destination, segment) => segments.links.ensure(destination, segment),
    append: (items, o) => delivery.append(items, o),
    now: () => clock.now(),
    observe: activity.observe,
    journal: createReceiptLines({
      delivery,
      journal: storage.journal,
      sink: plugins.receipts,
      clock,
      share: journalShare,
    }),
  });
  const track = async (offers: readonly Offer[], o: { tx?: unknown }): Promise<Receipt[]> => {
    await clock.ready();
    const receipts = await ingest.track(offers, o);
    telemetry.tracked(receipts);
    return receipts;
  };
  const sendNow = createSendNow({ ingest, delivery, destinations });
  const groupKey = createGroupKey({ enabledDestinations: destinations.enabledDestinations, plan });

  const workers = new Set<Worker>();

  const snapchat: Snapchat = {
    tenant: (tenantId) =>
      createTenant(tenantId, {
        track,
        context,
        destinations,
        accounts,
        vault,
        people,
        segments: segments.segments,
        conversions,
        credentials,
        pass: interactive,
        delivery,
        storage,
        endpoints,
        plan,
        plugins,
        pluginStage,
        activity,
        domains: (pixelId, token) => pixelDomains(http, endpoints.adsApi, pixelId, token),
        integration: options.integration,
        clock,
      }),
    track: async (events, o = {}) => track(mixedOffersOf(events, "track"), o),
    async sendNow(events, o) {
      const offers = mixedOffersOf(events, "sendNow");
      await clock.ready();
      const outcomes = await sendNow(offers, o);
      telemetry.sent(outcomes);
      return outcomes;
    },
    groupKey,
    startWorker(o) {
      const worker = withUpkeep(delivery.startWorker(o), { clock, upkeep, backfills: segments.backfills });
      workers.add(worker);
      return worker;
    },
    drain: (o) =>
      drainWithUpkeep(() => drainWithBackfills({ delivery, backfills: segments.backfills, clock }, o), {
        ...o,
        clock,
        upkeep,
      }),
    pause: (target) => delivery.pause(target),
    resume: (target) => delivery.resume(target),
    stats: () => delivery.stats(),
    health: () => delivery.health(),
    on: (name, listener) => events.on(name, listener),
    oauth: createSignIn({ vault, destinations, accounts: accountsClient, apps, records, clock }),
    tenants,
    keys: vault.keys,
    storage: {
      check: () => storage.check(),
      migrate: () => storage.migrate(),
      restored: ({ backupTakenAt }) => delivery.restored({ backupTakenAtMs: Number(backupTakenAt) }),
    },
    async close() {
      await Promise.all([...workers].map((worker) => worker.stop()));
      await plugins.audit?.flush();
      plugins.audit?.close();
      telemetry.close();
      await plugins.receipts?.flush();
      plugins.receipts?.close();
      await delivery.receipts.flush();
      await activity.flush();
      await vault.close();
      await storage.close();
    },
    [Symbol.asyncDispose]: () => snapchat.close(),
  };
  return snapchat;
}
