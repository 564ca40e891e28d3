import type { Clock } from "../../src/clock.ts";
import type { DeliveryEvent, DeliveryOptions, EventItem, MemberItem, SegmentLink } from "../../src/delivery/index.ts";
import {
  changeSegmentLink,
  createDelivery,
  segmentGroup,
  segmentLinkId,
  writeSegmentLink,
} from "../../src/delivery/index.ts";
import type {
  Credential,
  Credentials,
  EventOutcome,
  EventSender,
  EventSendOptions,
  LimitScope,
  SegmentSender,
} from "../../src/delivery/interfaces.ts";
import { Secret, SnapchatError } from "../../src/errors.ts";
import { memory } from "../../src/storage/memory/index.ts";
import type { Group, Outcome, Storage } from "../../src/storage/ports.ts";
import { createFakeClock, type FakeClock } from "../../src/testing/clock.ts";

/** A seeded random number generator (mulberry32): the same seed gives the same history. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/**
 * Resolves when promises alone can do no more: a tick comes after all of them, and unlike an immediate it costs no turn of
 * the event loop.
 */
export const promisesDone = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));

/** The engine under test waits on the test's clock instead of on a timer. */
export function onClock(storage: Storage, clock: Clock, everyMs = 50): Storage {
  const outbox = Object.create(storage.outbox) as Storage["outbox"];
  outbox.wait = ({ maxMs, signal }) => clock.sleep(Math.min(maxMs, everyMs), signal);
  return Object.create(storage, { outbox: { value: outbox } }) as Storage;
}

/** A port with other methods in the place of some. */
export const altered = <T extends object>(port: T, methods: Partial<T> | undefined): T =>
  Object.assign(Object.create(port) as T, methods);

/** An engine that keeps what a worker says of the claims in its hand. */
export function overheard(storage: Storage) {
  const settled: { outcomes: Outcome[]; holdGroupMs?: number }[] = [];
  const released: { holdGroupMs?: number }[] = [];
  const outbox = Object.create(storage.outbox) as Storage["outbox"];
  outbox.settle = (claim, outcomes, hold = {}) => {
    settled.push({ outcomes, ...hold });
    return storage.outbox.settle(claim, outcomes, hold);
  };
  outbox.release = (claim, hold = {}) => {
    released.push(hold);
    return storage.outbox.release(claim, hold);
  };
  return { settled, released, storage: Object.create(storage, { outbox: { value: outbox } }) as Storage };
}

export function credential(id = "conversions/acme/d1/1", version = 1): Credential {
  return {
    id,
    kind: id.startsWith("oauth") ? "oauth" : "conversions_token",
    token: new Secret(`token-of-${id}-v${version}`),
    version,
    limits: {
      events: [{ key: `token/${id}`, perWindow: 1_000, windowMs: 1_000 }],
      segments: [{ key: `token/${id}`, perWindow: 10, windowMs: 1_000 }],
    },
  };
}

export function event(n: number | string, more: Partial<EventItem> = {}): EventItem {
  return {
    type: "event",
    tenantId: "acme",
    destinationId: "d1",
    assetId: "pixel-1",
    json: JSON.stringify({ event_name: "PURCHASE", event_id: `e-${n}`, custom_data: { value: 1, note: "München" } }),
    eventId: `e-${n}`,
    eventName: "PURCHASE",
    eventTime: Date.UTC(2026, 0, 1) / 1_000,
    subjects: [`subject-${n}`],
    acceptedAtMs: Date.UTC(2026, 0, 1),
    ...more,
  };
}

export const hashOf = (n: number): string => n.toString(16).padStart(64, "0");

/** Bytes of a digest, others for every number. */
export function hashBytes(n: number): Uint8Array {
  const hash = new Uint8Array(32);
  new DataView(hash.buffer).setUint32(0, n);
  return hash;
}

export function member(n: number, op: "add" | "remove", more: Partial<MemberItem> = {}): MemberItem {
  return {
    type: "member",
    tenantId: "acme",
    destinationId: "d1",
    link: "vip",
    op,
    identifiers: [{ kind: 0, hash: hashOf(n) }],
    person: Buffer.from(n.toString(16).padStart(32, "0"), "hex"),
    subjects: [`subject-${n}`],
    acceptedAtMs: Date.UTC(2026, 0, 1),
    ...more,
  };
}

export const eventsOf = (more: Partial<Group> = {}): Group => ({
  tenantId: "acme",
  destinationId: "d1",
  name: "events/pixel-1",
  exclusive: false,
  credentialId: "conversions/acme/d1/1",
  ...more,
});

export interface SentRequest {
  assetId: string;
  eventIds: string[];
  token: string;
  atMs: number;
  validateOnly: boolean;
}

/** What Snapchat would say to a request of events; the default takes everything. */
export type Answer = (
  request: SentRequest,
  options: EventSendOptions,
) => Promise<EventOutcome[] | EventOutcome> | EventOutcome[] | EventOutcome;

export const DELIVERED: EventOutcome = { status: "delivered", known: true, requestId: "r-1" };

/** An event sender that keeps what it was given and answers what the test says. */
export function fakeEvents(clock: Clock, answer: Answer = () => DELIVERED): EventSender & { sent: SentRequest[] } {
  const sent: SentRequest[] = [];
  return {
    sent,
    async sendPrepared(assetId, items, options) {
      try {
        await options.beforeRequest?.();
      } catch (error) {
        const wait = error instanceof SnapchatError ? error.retryAfterMs : undefined;
        const outcome: EventOutcome = { status: "retry", known: true, code: "slot_refused", retryAfterMs: wait };
        return { outcomes: items.map(() => outcome), requests: [] };
      }
      const request: SentRequest = {
        assetId,
        eventIds: items.map((item) => (JSON.parse(item.json) as { event_id: string }).event_id),
        token: options.token.reveal(),
        atMs: clock.monotonic(),
        validateOnly: options.validateOnly === true,
      };
      sent.push(request);
      const said = await answer(request, options);
      const outcomes = Array.isArray(said) ? said : items.map(() => said);
      return { outcomes, requests: [{ status: 200, durationMs: 1, items: items.length }] };
    },
  };
}

export type SegmentCall = {
  op: "create" | "list" | "delete" | "add" | "remove";
  segmentId: string;
  kind?: string;
  hashes: string[];
};

export interface FakeSegments extends SegmentSender {
  calls: SegmentCall[];
  /** Members by segment id, as `kind hash`. */
  held: Map<string, Set<string>>;
  made: { id: string; name: string; description: string }[];
}

/** Segments in memory. `fault` may throw or wait before or after a call takes effect. */
export function fakeSegments(
  fault: (call: SegmentCall, when: "before" | "after") => Promise<void> | void = () => {},
): FakeSegments {
  const calls: SegmentCall[] = [];
  const held: FakeSegments["held"] = new Map();
  const made: FakeSegments["made"] = [];
  async function call(one: SegmentCall, effect: () => void): Promise<void> {
    calls.push(one);
    await fault(one, "before");
    effect();
    await fault(one, "after");
  }
  const change = (op: "add" | "remove") => async (segmentId: string, kind: string, hashes: string[]) => {
    await call({ op, segmentId, kind, hashes }, () => {
      const set = held.get(segmentId) ?? new Set();
      held.set(segmentId, set);
      for (const hash of hashes) {
        if (op === "add") set.add(`${kind} ${hash}`);
        else set.delete(`${kind} ${hash}`);
      }
    });
    return { accepted: hashes.length };
  };
  let asked = 0;
  return {
    calls,
    held,
    made,
    members: { add: change("add"), remove: change("remove") },
    segments: {
      async create(_account, { name, description = "" }) {
        const id = `seg-${++asked}`;
        await call({ op: "create", segmentId: id, hashes: [] }, () => {
          made.push({ id, name, description });
        });
        return { id };
      },
      async *list() {
        await call({ op: "list", segmentId: "", hashes: [] }, () => {});
        yield* made;
      },
      async delete(segmentId) {
        await call({ op: "delete", segmentId, hashes: [] }, () => {
          made.splice(
            made.findIndex(({ id }) => id === segmentId),
            1,
          );
          held.delete(segmentId);
        });
      },
    },
  };
}

/** A login for every id, whose requests for events stand under these limits. */
export const loginsUnder = (scopesOf: (id: string) => LimitScope[]): Credentials => ({
  resolve: async (id) => ({
    id,
    kind: "oauth",
    token: new Secret(`token of ${id}`),
    version: 1,
    limits: { events: scopesOf(id), segments: [] },
  }),
  refused: async () => "retry",
});

export const goodCredentials: Credentials = {
  resolve: async (id) => credential(id),
  refused: async () => "pause",
};

/** `lookMs`: how often an idle worker looks for work; over hours, every fiftieth of a second is a long wait for a test. */
export async function setup(
  options: Partial<DeliveryOptions> & { answer?: Answer; clock?: FakeClock; lookMs?: number } = {},
) {
  const { answer, clock = createFakeClock(), lookMs, ...rest } = options;
  const storage = options.storage ?? memory({ clock });
  const events = fakeEvents(clock, answer);
  const seen: DeliveryEvent[] = [];
  const delivery = createDelivery({
    credentials: goodCredentials,
    events,
    emit: (one) => seen.push(one),
    clock,
    random: seeded(7),
    ...rest,
    storage: onClock(storage, clock, lookMs),
  });
  await delivery.open([eventsOf()]);
  return { clock, storage, events, delivery, seen };
}

/** Saves a link and opens its group, as the composition does. */
export async function linkSegment(
  storage: Storage,
  key = "vip",
  more: { tenantId?: string; destinationId?: string } = {},
) {
  const ref = { tenantId: "acme", destinationId: "d1", link: segmentLinkId(key), ...more };
  await writeSegmentLink(
    storage.records,
    ref,
    { key, name: key, adAccountId: "account-1", state: "new", generation: 1 },
    0,
  );
  await storage.outbox.open([segmentGroup(ref, "oauth/acme/c1")]);
  return ref;
}

/** A delivery core with one linked segment, `vip`; changes of membership leave at once. */
export async function setupSegment({
  fault,
  link,
  ...options
}: Parameters<typeof setup>[0] & { fault?: Parameters<typeof fakeSegments>[0]; link?: Partial<SegmentLink> } = {}) {
  const segments = fakeSegments(fault);
  const settings = { memberLingerMs: 0, lingerMs: 0, ...options.settings };
  const rest = await setup({ segments, lookMs: 1_000, ...options, settings });
  const ref = await linkSegment(rest.storage);
  if (link) await changeSegmentLink(rest.storage.records, ref, (before) => ({ ...before, ...link }));
  /** A worker works for so long, then stops. */
  async function work(ms: number): Promise<void> {
    const worker = rest.delivery.startWorker({ concurrency: 1 });
    await rest.clock.advance(ms);
    await rest.clock.run(worker.stop());
  }
  return { ...rest, segments, ref, work };
}

export const failure = (
  code: string,
  details: Record<string, string | number>,
  kind: "retry" | "fix_configuration" | "reauthorize" = "retry",
  retryAfterMs?: number,
) => new SnapchatError({ code, kind, message: code, fix: "", details, ...(retryAfterMs && { retryAfterMs }) });

/** What a port of the host throws, with its kind alone to judge it by. */
export const coded = (kind: "reauthorize" | "retry" | "fix_configuration", retryAfterMs?: number) =>
  new SnapchatError({
    code: "c_1",
    kind,
    message: "It failed.",
    fix: "-",
    ...(retryAfterMs ? { retryAfterMs } : {}),
  });
