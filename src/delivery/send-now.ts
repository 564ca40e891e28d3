import { isSnapchatError } from "../errors.ts";
import { type Context, safeError } from "./context.ts";
import type { Control } from "./control.ts";
import type { SettledItem } from "./emitted.ts";
import { createGate, type Gate } from "./gate.ts";
import { hear } from "./heard.ts";
import type { Credential, EventOutcome } from "./interfaces.ts";
import { type DeliveryItem, type EventItem, groupOf } from "./item.ts";
import { pauseCredential } from "./job.ts";
import { later, type NowOutcome, ofEvent, PAUSED_MS, paused } from "./now-outcome.ts";
import { type NowWork, sendMembersNow } from "./send-now-members.ts";

export interface SendNowOptions {
  /** How long a request may wait for its slot. Milliseconds. Default 10,000. */
  maxWaitMs?: number | undefined;
  signal?: AbortSignal | undefined;
  /** What the work of an item's group leaves with, or why it may not leave. */
  credentialOf(item: DeliveryItem): Promise<{ credentialId: string } | { paused: string }>;
}

/** Groups that are sent side by side. */
const CONCURRENCY = 16;
const DEFAULT_WAIT_MS = 10_000;

interface Batch {
  indexes: number[];
  items: DeliveryItem[];
  group: string;
}

/**
 * Sends items at once, for hosts with a queue of their own: the same limits, credentials, circuits and tombstones as the
 * worker's, and nothing stored. Memberships of a segment are sent in the order they are given; that no other call has
 * older ones is the host's promise.
 */
export function createSendNow(context: Context, control: Pick<Control, "paused">) {
  return async function sendNow(items: readonly DeliveryItem[], options: SendNowOptions): Promise<NowOutcome[]> {
    const outcomes: NowOutcome[] = new Array(items.length);
    const waiting = batchesOf(items);
    const held = await heldDestinations(items);
    const next = async () => {
      for (let batch = waiting.shift(); batch; batch = waiting.shift()) {
        const [first] = batch.items as [DeliveryItem];
        const answers = held(first.destinationId) ? pausedAll(batch, "operator") : await sendBatch(batch, options);
        for (const [at, index] of batch.indexes.entries()) outcomes[index] = answers[at] as NowOutcome;
        tell(batch, answers);
      }
    };
    await Promise.all(Array.from({ length: Math.min(CONCURRENCY, waiting.length) }, next));
    return outcomes;
  };

  /** What somebody has paused by hand. Reasons of groups and logins are asked about where the credential is. */
  async function heldDestinations(items: readonly DeliveryItem[]): Promise<(destinationId: string) => boolean> {
    if ((await control.paused()).length > 0) return () => true;
    const ids = [...new Set(items.map(({ destinationId }) => destinationId))];
    const depths = await context.storage.outbox.depth(ids);
    const held = new Set(depths.filter(({ paused }) => paused.includes("operator")).map((one) => one.destinationId));
    return (destinationId) => held.has(destinationId);
  }

  async function sendBatch(batch: Batch, options: SendNowOptions): Promise<NowOutcome[]> {
    const [first] = batch.items as [DeliveryItem];
    const { tenantId, destinationId } = first;
    const circuit = first.type === "event" ? batch.group : `${destinationId} ${batch.group}`;
    const passage = context.circuits.enter(circuit);
    if (!passage.pass) return retryAll(batch, "circuit_open", passage.retryInMs);
    const group = { tenantId, destinationId, name: batch.group, credentialId: "" };
    let gate: Gate | undefined;
    // Nothing is thrown from here on: other groups of the call may have been sent, and their outcomes have to be heard.
    try {
      const leaves = await options.credentialOf(first);
      if ("paused" in leaves) return pausedAll(batch, leaves.paused);
      group.credentialId = leaves.credentialId;
      const credential = await context.credentials.resolve(leaves.credentialId);
      const scopes = first.type === "event" ? credential.limits.events : credential.limits.segments;
      gate = gateOf(scopes, options);
      const work: NowWork = { batch, group, circuit, credential, gate, options };
      return first.type === "event"
        ? await sendEvents(work)
        : await sendMembersNow(context, work, await allowed(batch));
    } catch (error) {
      if (isSnapchatError(error) && error.kind === "reauthorize") {
        // Told either way: the next call finds the login lost again.
        await pauseCredential(context, group).catch(() => {});
        return pausedAll(batch, "reauth_required");
      }
      context.emit({ type: "worker_error", ...safeError(error), destinationId });
      const retryAfterMs = isSnapchatError(error) ? error.retryAfterMs : undefined;
      const known = (gate?.passed ?? 0) === 0;
      return retryAll(batch, safeError(error).code, retryAfterMs ?? 5_000).map((outcome) => ({ ...outcome, known }));
    } finally {
      context.counters.requests += gate?.passed ?? 0;
      passage.leave();
    }
  }

  function gateOf(scopes: Credential["limits"]["events"], { maxWaitMs, signal }: SendNowOptions): Gate {
    return createGate({
      clock: context.clock,
      limits: context.limits,
      scopes,
      lease: NO_LEASE,
      // Made here: workerd makes none while a module is loaded.
      signal: signal ?? new AbortController().signal,
      deadlineMs: 0,
      patienceMs: maxWaitMs ?? DEFAULT_WAIT_MS,
      slotWithinMs: maxWaitMs ?? DEFAULT_WAIT_MS,
    });
  }

  /** Positions of the items that may be sent still. */
  async function allowed({ items }: NowWork["batch"]): Promise<number[]> {
    const { consent } = context;
    const positions: number[] = [];
    for (const [at, item] of items.entries()) {
      const asked = item.type === "event" || item.op === "add";
      const { tenantId, destinationId, subjects, acceptedAtMs } = item;
      if (!asked || (await (consent?.allowed(tenantId, destinationId, subjects, acceptedAtMs, item) ?? true))) {
        positions.push(at);
      }
    }
    return positions;
  }

  async function sendEvents({ batch, group, credential, gate, options }: NowWork): Promise<NowOutcome[]> {
    const sender = context.events;
    if (!sender) return retryAll(batch, "no_sender", PAUSED_MS);
    const answers: NowOutcome[] = batch.items.map(() => ({ status: "withdrawn", known: true }));
    const calls = Map.groupBy(await allowed(batch), (at) => {
      const { validateOnly, testEventCode } = batch.items[at] as EventItem;
      return validateOnly ? "validate" : `send ${testEventCode ?? ""}`;
    });
    for (const positions of calls.values()) {
      const events = positions.map((at) => batch.items[at] as EventItem);
      const [{ assetId, validateOnly, testEventCode }] = events as [EventItem];
      const sent = await sender.sendPrepared(assetId, events, {
        token: credential.token,
        timeoutMs: context.settings.requestTimeoutMs,
        beforeRequest: () => gate.pass(),
        ...(options.signal ? { signal: options.signal } : {}),
        ...(validateOnly ? { validateOnly } : {}),
        ...(testEventCode === undefined ? {} : { testEventCode }),
      });
      const heard = await hear(context, group, credential, sent);
      for (const [i, at] of positions.entries()) {
        answers[at] = ofEvent(sent.outcomes[i] as EventOutcome, heard, validateOnly === true);
      }
    }
    count(answers);
    return answers;
  }

  function tell({ items, group }: Batch, answers: readonly NowOutcome[]): void {
    const [{ tenantId, destinationId }] = items as [DeliveryItem];
    const settled = items.flatMap((item, at): SettledItem[] => {
      const { status, requestId } = answers[at] as NowOutcome;
      if (status !== "delivered" && status !== "validated" && status !== "withdrawn") return [];
      const about = item.type === "event" ? { orderId: item.orderId, rule: item.rule } : { rule: `segment:${item.op}` };
      return [{ eventId: item.eventId, ...about, status, requestId }];
    });
    if (settled.length > 0) context.onSettled?.({ tenantId, destinationId, group, items: settled });
  }

  function count(answers: readonly NowOutcome[]): void {
    const { counters } = context;
    for (const { status } of answers) {
      if (status === "delivered") counters.delivered++;
      else if (status === "validated") counters.validated++;
      else if (status === "withdrawn") counters.withdrawn++;
      else if (status === "retry") counters.retried++;
    }
  }
}

/** Nothing is claimed, so nothing can be lost to another. */
const NO_LEASE = {
  lost: false,
  remainingMs: () => Number.POSITIVE_INFINITY,
  ensure: async () => true,
  end: () => {},
};

function batchesOf(items: readonly DeliveryItem[]): Batch[] {
  const batches = new Map<string, Batch>();
  for (const [index, item] of items.entries()) {
    const group = groupOf(item);
    const key = `${item.destinationId} ${group}`;
    const batch = batches.get(key) ?? { indexes: [], items: [], group };
    batches.set(key, batch);
    batch.indexes.push(index);
    batch.items.push(item);
  }
  return [...batches.values()];
}

const pausedAll = ({ items }: NowWork["batch"], reason: string) => items.map(() => paused(reason));
const retryAll = ({ items }: NowWork["batch"], reason: string, afterMs: number) =>
  items.map(() => later(reason, afterMs));
