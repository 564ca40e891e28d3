import { systemClock } from "../../../src/clock.ts";
import { segmentGroup, segmentLinkId, writeSegmentLink } from "../../../src/delivery/index.ts";
import { decodeEvents, openPayload, payloadAad } from "../../../src/delivery/payload.ts";
import { storageCall } from "../../../src/delivery/storage-call.ts";
import type { Storage } from "../../../src/storage/ports.ts";
import { createSimulator, type Simulator } from "../../../src/testing/index.ts";
import { createTcpProxy } from "../../tcp-proxy.ts";
import { seeded } from "../support.ts";
import { createCrew } from "./crew.ts";
import type { ProcessEngine } from "./engine.ts";
import { change, purchase } from "./offers.ts";
import { SETTINGS } from "./settings.ts";

export interface ProcessHistory {
  violations: string[];
  counts: Record<string, number>;
  /** What was done to the processes, in order. */
  moves: string[];
}

const PLACE = { tenantId: "acme", destinationId: "d1" };
const MOVES = 10;
const PEOPLE = 8;
/** After the last fault everything is delivered within this time. */
const QUIET_MS = 60_000;

/**
 * Two or three real processes append and deliver while they are killed, stopped and cut off, and while Snapchat and
 * the engine misbehave. Then the counting: what was acknowledged, what Snapchat counted, what is a dead letter.
 */
export async function runProcessHistory({
  seed,
  engine,
  scripts,
}: {
  seed: number;
  engine: ProcessEngine;
  /** What the processes run, in turn: one script for each version of the package. */
  scripts?: readonly string[];
}): Promise<ProcessHistory> {
  const random = seeded(seed * 7_919 + 3);
  const running = await engine();
  const simulator = await createSimulator({ seed, knobs: { conversionsTokenPerSecond: 100_000 } });
  const wire = await createTcpProxy({ port: Number(new URL(simulator.url).port) });
  const { main } = simulator.world;
  const link = segmentLinkId("vip");
  await open(running.storage, main.pixel.id, main.adAccount.id, link);
  const start = {
    place: running.place,
    origin: `http://127.0.0.1:${wire.port}`,
    tokens: { events: main.conversionsToken, segments: simulator.control.issueToken().access_token },
  };
  const crew = createCrew(start, 2 + Math.floor(random() * 2), random, scripts);

  const accepted = new Map<string, { bad: boolean }>();
  const wanted = new Map<number, "add" | "remove">();
  const moves: string[] = [];
  const breaks = Object.entries(running.breaks ?? {});

  async function offer(): Promise<void> {
    const events = Array.from({ length: 1 + Math.floor(random() * 30) }, () => {
      const eventId = `e-${seed}-${accepted.size}`;
      const bad = random() < 0.02;
      accepted.set(eventId, { bad });
      return purchase(PLACE, main.pixel.id, eventId, bad);
    });
    await crew.append(events);
    const people = new Set(Array.from({ length: 1 + Math.floor(random() * 3) }, () => Math.floor(random() * PEOPLE)));
    const changes = [...people].map((n) => {
      const op = random() < 0.6 ? "add" : "remove";
      wanted.set(n, op);
      return change(PLACE, link, n, op, `m-${seed}-${moves.length}-${n}`);
    });
    await crew.append(changes);
  }

  const actions: [share: number, name: string, act: () => Promise<void> | void][] = [
    [0.35, "kill", () => crew.kill()],
    [0.2, "freeze", () => crew.freeze(SETTINGS.leaseMs * (0.3 + random()))],
    [0.12, "cut Snapchat", () => wire.cut()],
    [0.12, "silence Snapchat", () => wire.silence()],
    [0.21, "faults", () => fail(simulator, random)],
  ];

  async function move(): Promise<void> {
    if (breaks.length > 0 && random() < 0.3) {
      const [name, act] = breaks[Math.floor(random() * breaks.length)] as (typeof breaks)[number];
      moves.push(name);
      await act();
      return;
    }
    let dice = random();
    for (const [share, name, act] of actions) {
      dice -= share;
      if (dice >= 0) continue;
      moves.push(name);
      await act();
      return;
    }
  }

  try {
    await offer();
    for (let n = 0; n < MOVES; n++) {
      await offer();
      // The engine's own breaks last; a call that meets one is repeated.
      await move();
      await pause(random() * 300);
    }
    simulator.faults.clear();
    const left = await drained(running.storage);
    await crew.stop();
    const violations = [...crew.violations];
    if (left > 0) violations.push(`${left} entries are still queued: ${JSON.stringify([...crew.troubles])}`);
    const counts = await countEvents(running.storage, simulator, accepted, violations);
    checkMembers(simulator, wanted, violations);
    return { violations, counts: { ...counts, troubles: sum(crew.troubles.values()) }, moves };
  } finally {
    crew.abandon();
    await wire.close();
    await simulator.close();
    await running.stop();
  }
}

async function open(storage: Storage, pixelId: string, adAccountId: string, link: string): Promise<void> {
  const ref = { ...PLACE, link };
  const fresh = { key: "vip", name: "VIP", adAccountId, state: "new" as const, generation: 1 };
  await patiently(() => writeSegmentLink(storage.records, ref, fresh, 0));
  const events = { ...PLACE, name: `events/${pixelId}`, exclusive: false, credentialId: "conversions/acme/d1/1" };
  await patiently(() => storage.outbox.open([events, segmentGroup(ref, "oauth/acme/c1")]));
}

/** The next few requests meet one kind of trouble. */
function fail(simulator: Simulator, random: () => number): void {
  const kinds = [
    { status: 503 },
    { status: 500, delayMs: 400 },
    { reset: true },
    { timeoutAfterAcceptance: "destroy" },
    { timeoutAfterAcceptance: "hang" },
    { delayMs: 1_200 },
    { truncate: 10 },
    { wrongContentType: true },
  ] as const;
  const kind = kinds[Math.floor(random() * kinds.length)] ?? { status: 503 };
  simulator.faults.add({ ...kind, count: 1 + Math.floor(random() * 4) });
}

async function drained(storage: Storage): Promise<number> {
  const end = Date.now() + QUIET_MS;
  for (;;) {
    const depths = await patiently(() => storage.outbox.depth());
    const left = depths.reduce((total, { entries }) => total + entries, 0);
    if (left === 0 || Date.now() > end) return left;
    await pause(200);
  }
}

async function countEvents(
  storage: Storage,
  simulator: Simulator,
  accepted: ReadonlyMap<string, { bad: boolean }>,
  violations: string[],
): Promise<Record<string, number>> {
  const counted = new Map<string, number>();
  for (const { eventId = "", outcome } of simulator.inspect.events.list()) {
    if (outcome === "counted") counted.set(eventId, (counted.get(eventId) ?? 0) + 1);
  }
  const dead = await deadEvents(storage);
  for (const [eventId, { bad }] of accepted) {
    const times = counted.get(eventId) ?? 0;
    if (times > 1) violations.push(`${eventId} was counted ${times} times`);
    if (times === 0 && !dead.has(eventId)) violations.push(`${eventId} is lost: neither counted nor dead`);
    if (times > 0 && dead.has(eventId)) violations.push(`${eventId} was counted and is a dead letter`);
    if (dead.has(eventId) && !bad) violations.push(`${eventId} is a dead letter (${dead.get(eventId)}) and was good`);
  }
  return { accepted: accepted.size, counted: counted.size, dead: dead.size };
}

async function deadEvents(storage: Storage): Promise<Map<string, string>> {
  const dead = new Map<string, string>();
  const { items } = await patiently(() =>
    storage.outbox.dead.list({ destinationId: PLACE.destinationId, limit: 1_000 }),
  );
  for (const { group, payload, reason } of items) {
    if (!group.name.startsWith("events/")) throw new Error(`A membership entry died: ${reason}`);
    const aad = payloadAad(group.tenantId, group.destinationId, group.name);
    for (const { eventId } of decodeEvents(await openPayload(payload, aad, undefined))) dead.set(eventId, reason);
  }
  return dead;
}

/** One segment, and in it those who entered last. */
function checkMembers(simulator: Simulator, wanted: ReadonlyMap<number, "add" | "remove">, violations: string[]): void {
  const segments = simulator.inspect.segments();
  if (segments.length !== 1) violations.push(`${segments.length} segments were made`);
  const held = segments[0] ? simulator.inspect.members(segments[0].id).EMAIL_SHA256 : new Set<string>();
  const expected = [...wanted].filter(([, op]) => op === "add").map(([n]) => n);
  const found = [...held].map((hash) => Number.parseInt(hash, 16));
  if (expected.sort().join() !== found.sort().join()) {
    violations.push(`members: expected ${expected.join()}, Snapchat has ${found.join()}`);
  }
}

/** The engine may be on its way back, from this history's restart or another's. */
const patiently = <T>(call: () => Promise<T>) =>
  storageCall(call, { clock: systemClock, random: Math.random, maxMs: 30_000 });

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);
