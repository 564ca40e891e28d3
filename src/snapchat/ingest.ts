import type { DeliveryItem, Queued } from "../delivery/index.ts";
import type { ActiveDestination, ActiveTenant } from "../destinations/index.ts";
import { identityReady } from "../identity/index.ts";
import type { Subjects } from "../people/index.ts";
import type { CanonicalEvent, RouteResult } from "../rules/event.ts";
import { type Decided, decide } from "./decide.ts";
import type { Observed } from "./event-activity.ts";
import { type IngestJournal, writeIngestLines } from "./ingest-lines.ts";
import type { NoPlan, Plan } from "./plan.ts";
import type { PluginStage } from "./plugin-stage.ts";
import { unreadable } from "./readable.ts";
import { because, overallStatus, type Receipt, type ReceiptPart, wholePart } from "./receipt.ts";
import { createTurns } from "./turns.ts";

/** One host event offered to a tenant's destinations. */
export interface Offer {
  tenantId: string;
  event: unknown;
  /** When the host received it: the time of an event that carries none. */
  receivedAtMs: number | undefined;
  /** Ids of the destinations it is offered to. Absent: all that are enabled. */
  destinations: readonly string[] | undefined;
}

export interface IngestDependencies {
  tenant(tenantId: string): ActiveTenant | Promise<ActiveTenant>;
  plan(destination: ActiveDestination): Plan | NoPlan;
  /** Makes a segment's queue known before its first item is stored. `stopped`: it is not kept in step any more. */
  ensureSegment(
    destination: ActiveDestination,
    segment: NonNullable<Decided["segment"]>,
  ): "open" | "stopped" | Promise<"open" | "stopped">;
  /** Hooks that look at events; absent without such plugins. */
  plugins: PluginStage | undefined;
  /** A tenant's digests of people. */
  subjects(tenantId: string): Subjects | Promise<Subjects>;
  append(items: readonly DeliveryItem[], options: { tx?: unknown }): Promise<readonly Queued[]>;
  now(): number;
  /** Absent where neither the storage nor a plugin keeps receipts. */
  journal: IngestJournal | undefined;
  /** Hears of every event at every destination that read it. */
  observe?(observed: Observed): void;
}

/** What all calls together may take of one turn of the event loop, and how many events pass between two looks. */
const TURN_MS = 4;
const EVENTS_PER_LOOK = 8;

interface Tenant {
  /** The enabled destinations, also of a suspended tenant. */
  enabled: readonly ActiveDestination[];
  all: readonly ActiveDestination[];
  suspended: boolean;
  subjects: Subjects;
}

/** One event on its way to one destination. */
interface Job {
  destination: ActiveDestination;
  offer: Offer;
  plan: Plan;
  receipt: Receipt;
  subjects: Subjects;
  event: CanonicalEvent;
}

/** An item that is to go out, and the line of its receipt. */
export interface Waiting {
  item: DeliveryItem;
  part: ReceiptPart;
}

/** Offers after every decision: what the receipts say so far, and the items that are to go out, each with its part. */
export interface Ingested {
  receipts: Receipt[];
  waiting: Waiting[];
  /** For the journal: an event is looked up by its order too. */
  orderIds: ReadonlyMap<Receipt, string>;
}

/** Events that come out of a queue of the host's own: accepted when the host received them. */
export interface HostQueue {
  /** The host keeps the order of memberships; without that they are refused. */
  ordered: boolean;
}

export interface Ingest {
  /** The way of an event up to the outbox. `hostQueue`: it goes to Snapchat from a queue of the host's instead. */
  prepare(offers: readonly Offer[], options?: { hostQueue?: HostQueue }): Promise<Ingested>;
  /** The same and into it. Resolves when everything is stored. */
  track(offers: readonly Offer[], options?: { tx?: unknown }): Promise<Receipt[]>;
}

export function createIngest(dependencies: IngestDependencies): Ingest {
  const turn = createTurns(TURN_MS);
  return { prepare, track };

  async function track(offers: readonly Offer[], options: { tx?: unknown } = {}): Promise<Receipt[]> {
    const { receipts, waiting, orderIds } = await prepare(offers);
    if (waiting.length > 0) {
      const statuses = await dependencies.append(
        waiting.map(({ item }) => item),
        options,
      );
      for (const [i, { part }] of waiting.entries()) {
        if (statuses[i] === "duplicate") because(part, "duplicate", "already_stored");
        if (statuses[i] === "too_large") because(part, "rejected", "event_too_large");
      }
    }
    for (const receipt of receipts) receipt.status = overallStatus(receipt.parts);
    if (dependencies.journal) {
      writeIngestLines(dependencies.journal, receipts, orderIds, options.tx !== undefined);
    }
    return receipts;
  }

  async function prepare(offers: readonly Offer[], { hostQueue }: { hostQueue?: HostQueue } = {}): Promise<Ingested> {
    const tenants = await tenantsOf(offers);
    // Where nothing can be loaded on demand, in a bundle for one, the first call waits for the phone rules.
    await identityReady();
    const nowMs = dependencies.now();
    const receipts: Receipt[] = [];
    const waiting: Waiting[] = [];
    const segments: Promise<void>[] = [];
    const stopped = new Set<ReceiptPart>();
    const seen = new Set<string>();
    const orderIds = new Map<Receipt, string>();

    const jobs: Job[] = [];

    for (const [index, offer] of offers.entries()) {
      const wait = index % EVENTS_PER_LOOK === 0 ? turn() : undefined;
      if (wait) await wait;
      const receipt: Receipt = { eventId: undefined, status: "skipped", parts: [] };
      receipts.push(receipt);
      const read = reader(offer.event);
      const tenant = tenants.get(offer.tenantId) as Tenant;
      let offered = false;
      for (const destination of tenant.enabled) {
        if (offer.destinations && !offer.destinations.includes(destination.id)) continue;
        offered = true;
        const job = start(destination, offer, read, receipt, tenant);
        if (!job) continue;
        if (dependencies.plugins) jobs.push(job);
        else take(job, job.plan.router.route(job.event, routeOptions(offer)));
      }
      if (!offered) receipt.parts.push(...nobody(tenant, offer));
    }
    if (dependencies.plugins) await throughPlugins(dependencies.plugins, jobs, take);
    await Promise.all(segments);
    const going = stopped.size === 0 ? waiting : waiting.filter(({ part }) => !stopped.has(part));
    return { receipts, waiting: going, orderIds };

    /** The job of one event at one destination, or a refusal on its receipt. */
    function start(
      destination: ActiveDestination,
      offer: Offer,
      read: (plan: Plan) => CanonicalEvent,
      receipt: Receipt,
      { suspended, subjects }: Tenant,
    ): Job | undefined {
      const refuse = (status: "skipped" | "rejected", reason: string) => {
        receipt.parts.push(wholePart(destination.id, status, reason));
        return undefined;
      };
      if (suspended) return refuse("skipped", "tenant_suspended");
      const plan = dependencies.plan(destination);
      if ("refused" in plan) return refuse("skipped", plan.refused);
      const why = unreadable(offer.event);
      if (why !== undefined) return refuse("rejected", why);
      return { destination, offer, plan, receipt, subjects, event: read(plan) };
    }

    function take({ destination, offer, plan, receipt, subjects, event }: Job, routed: RouteResult): void {
      const first = receipt.eventId === undefined;
      const from = receipt.parts.length;
      receipt.eventId ??= routed.eventId;
      const { receivedAtMs } = offer;
      const acceptedAtMs = hostQueue ? Math.min(receivedAtMs ?? nowMs, nowMs) : nowMs;
      const context = { nowMs, receivedAtMs, acceptedAtMs, eventId: routed.eventId, subjects };
      const accepted: Observed["accepted"][number][] = [];
      for (const decision of routed.decisions) {
        const { part, item, segment, prepared } = decide(decision, event, plan, context);
        receipt.parts.push(part);
        if (!item) continue;
        if (prepared && decision.event) accepted.push({ input: decision.event, prepared });
        if (item.type === "event" && item.orderId !== undefined) orderIds.set(receipt, item.orderId);
        if (item.type === "event" && repeated(item.destinationId, item.eventId, item.eventName)) {
          because(part, "duplicate", "twice_in_this_call");
          continue;
        }
        if (item.type === "member" && hostQueue?.ordered === false) {
          because(part, "rejected", "order_not_promised");
          continue;
        }
        if (segment) {
          const judge = (state: "open" | "stopped") => {
            if (state === "open") return;
            stopped.add(part);
            because(part, "skipped", "segment_stopped");
          };
          const known = dependencies.ensureSegment(destination, segment);
          if (known instanceof Promise) segments.push(known.then(judge));
          else judge(known);
        }
        waiting.push({ item, part });
      }
      dependencies.observe?.({
        destination,
        event,
        parts: receipt.parts.slice(from),
        accepted,
        eventId: routed.eventId,
        first,
      });
    }

    function repeated(destinationId: string, eventId: string, eventName: string): boolean {
      const key = `${destinationId} ${eventName} ${eventId}`;
      if (seen.has(key)) return true;
      seen.add(key);
      return false;
    }
  }

  async function tenantsOf(offers: readonly Offer[]): Promise<Map<string, Tenant>> {
    const found = new Map<string, Tenant>();
    for (const { tenantId } of offers) {
      if (found.has(tenantId)) continue;
      const known = dependencies.tenant(tenantId);
      const subjects = dependencies.subjects(tenantId);
      // Awaited only where it is not known yet: under traffic nothing here waits.
      const { status, enabled, all } = known instanceof Promise ? await known : known;
      found.set(tenantId, {
        enabled: status === "active" ? enabled : all.filter((destination) => destination.enabled),
        all,
        suspended: status !== "active",
        subjects: subjects instanceof Promise ? await subjects : subjects,
      });
    }
    return found;
  }
}

/** Why an event is offered to no destination: all are off, or there is none. Another tenant's id is answered like no id. */
function nobody({ all }: Tenant, { destinations }: Offer): ReceiptPart[] {
  const off = destinations ? all.filter(({ id }) => destinations.includes(id)) : all;
  if (off.length === 0) return [wholePart("", "skipped", "no_destination")];
  return off.map(({ id }) => wholePart(id, "skipped", "destination_disabled"));
}

/** Reads an event once per source, however many destinations it is offered to. */
function reader(event: unknown): (plan: Plan) => CanonicalEvent {
  let source: Plan["source"] | undefined;
  let canonical: CanonicalEvent | undefined;
  return (plan) => {
    if (source !== plan.source || !canonical) {
      source = plan.source;
      canonical = plan.source.read(event);
    }
    return canonical;
  };
}

function routeOptions({ receivedAtMs }: Offer): { receivedAtMs?: number } {
  return receivedAtMs === undefined ? {} : { receivedAtMs };
}

/** The same way with the hooks that look at events. The id is that of the event as it came, whatever plugins add. */
async function throughPlugins(
  plugins: PluginStage,
  jobs: readonly Job[],
  take: (job: Job, routed: RouteResult) => void,
): Promise<void> {
  const byTenant = Map.groupBy(jobs, ({ destination }) => destination.tenantId);
  const enriched = new Map<CanonicalEvent, CanonicalEvent>();
  for (const [tenantId, own] of byTenant) {
    const events = [...new Set(own.map(({ event }) => event))];
    const answers = await plugins.enrich(events, tenantId);
    for (const [i, event] of events.entries()) enriched.set(event, answers.events[i] ?? event);
  }
  for (const job of jobs) {
    const { plan, offer, destination } = job;
    const { eventId } = plan.router.route(job.event, routeOptions(offer));
    const event = enriched.get(job.event) ?? job.event;
    const routed = plan.router.route(event, { ...routeOptions(offer), eventId });
    const scope = { tenantId: destination.tenantId, destinationId: destination.id };
    const decisions = await plugins.decisions(routed.decisions, event, scope);
    take({ ...job, event }, { eventId, decisions });
  }
}
