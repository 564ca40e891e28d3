import { AudiencesClient } from "../../../src/audiences/index.ts";
import { ConversionsClient } from "../../../src/capi/index.ts";
import type { createDelivery, DeliveryItem, EventItem, MemberItem } from "../../../src/delivery/index.ts";
import { segmentGroup, segmentLinkId, segmentMarker, writeSegmentLink } from "../../../src/delivery/index.ts";
import { SLOT_VOID_MS } from "../../../src/delivery/limits.ts";
import { decodeEvents, decodeMembers, openPayload, payloadAad } from "../../../src/delivery/payload.ts";
import { Secret, SnapchatError } from "../../../src/errors.ts";
import type { DeadLetter, Storage } from "../../../src/storage/ports.ts";
import { createFakeClock } from "../../../src/testing/clock.ts";
import { seeded } from "../support.ts";
import { type Engine, inTurn, memoryEngine } from "./engine.ts";
import { type Chances, createProcess, type LogicalProcess } from "./logical-worker.ts";
import { watch } from "./oracle.ts";
import { createSnapchatModel, HOUR, MEMORY_MS } from "./snapchat-model.ts";

export interface HistoryOptions {
  seed: number;
  /** The room under test; a test of the checker passes one with a planted bug. */
  create: typeof createDelivery;
  /** Engine under test. Default: memory. */
  engine?: Engine;
  /** Prints every step. */
  trace?: boolean;
}

export interface HistoryResult {
  seed: number;
  violations: string[];
  steps: number;
  counts: Record<string, number>;
}

interface Tenant {
  tenantId: string;
  destinationId: string;
  assetId: string;
  link: string;
  eventsCredential: string;
  segmentCredential: string;
}

const MINUTE = 60_000;
const MAX_STEPS = 40_000;

/** One seeded history: processes that append, deliver, die, stop and come back, on a clock that jumps. Then the counting. */
export async function runHistory({
  seed,
  create,
  engine = memoryEngine,
  trace,
}: HistoryOptions): Promise<HistoryResult> {
  const random = seeded(seed * 2_654_435_761 + 17);
  const clock = createFakeClock({ idle: () => calls.idle() });
  let steps = 0;
  const note = (text: string) => {
    if (trace) console.log(`${(clock.monotonic() / 1_000).toFixed(2).padStart(10)} ${text}`);
  };
  /** Work without an end shows as calls without an end. */
  const tick = () => {
    if (++steps < MAX_STEPS) return;
    if (steps === MAX_STEPS) violations.push(`more than ${MAX_STEPS} calls: something spins`);
    for (const { process } of workers) process.dead = true;
  };
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;

  let quiet = false;
  const calm = random() < 0.2;
  const chances: Chances = {
    crash: calm ? 0 : random() * 0.01,
    freeze: calm ? 0 : random() * 0.002,
    stall: calm ? 0 : random() * 0.002,
    storageFault: calm ? 0 : random() * 0.04,
  };
  const nothing: Chances = { crash: 0, freeze: 0, stall: 0, storageFault: 0 };
  const faultShare = calm ? 0.05 : random() * 0.3;

  const engineClock = { now: () => clock.now() + 700 };
  const opened = await engine(engineClock);
  const calls = inTurn(opened.storage);
  const inner = calls.storage;
  const { storage, violations, slots } = watch(inner, () => clock.monotonic());

  // --- who there is
  const tenants: Tenant[] = Array.from({ length: 1 + Math.floor(random() * 3) }, (_, n) => ({
    tenantId: `t${n}`,
    destinationId: `d${n}`,
    assetId: `pixel-${n}`,
    link: segmentLinkId("vip"),
    eventsCredential: random() < 0.5 ? `conversions/t${n}/d${n}/1` : `oauth/t${n}/c`,
    segmentCredential: `oauth/t${n}/c`,
  }));
  const logins = new Map<string, { version: number; lost: boolean; paused: boolean }>();
  for (const tenant of tenants) {
    for (const id of [tenant.eventsCredential, tenant.segmentCredential]) {
      logins.set(id, { version: 1, lost: false, paused: false });
    }
  }
  const tokenOf = (id: string, version: number) => `${id}@${version}`;
  const limitsOf = (id: string) =>
    id.startsWith("oauth")
      ? [
          { key: id, perWindow: 3, windowMs: 1_000 },
          { key: "app", perWindow: 5, windowMs: 1_000 },
        ]
      : [{ key: id, perWindow: 20, windowMs: 1_000 }];

  const snapchat = createSnapchatModel({
    clock,
    random,
    faults: () => (quiet ? 0 : faultShare),
    accepts(token) {
      const [id = "", version] = token.split("@");
      const login = logins.get(id);
      return login !== undefined && !login.lost && login.version === Number(version);
    },
    note,
  });
  const withdrawn = new Map<string, number>();
  /** What the workers said became of each event, once it was stored. */
  const ends = new Map<string, string>();

  const room = (process: LogicalProcess) =>
    create({
      storage: process.reach(storage),
      clock: process.clock,
      random,
      settings: { lingerMs: 200, memberLingerMs: 20_000, sweepEveryMs: 6 * HOUR },
      credentials: {
        resolve: (id) =>
          process.step("resolve", () => {
            const login = logins.get(id);
            if (!login || login.paused) throw reauthorize();
            const limits = limitsOf(id);
            const token = new Secret(tokenOf(id, login.version));
            return {
              id,
              kind: "oauth" as const,
              token,
              version: login.version,
              limits: { events: limits, segments: limits },
            };
          }),
        refused: ({ id, version }) =>
          process.step("refused", () => {
            const login = logins.get(id);
            if (!login || login.version !== version) return "retry" as const;
            login.paused = true;
            return "pause" as const;
          }),
      },
      consent: {
        allowed: (_tenant, _destination, [subject = ""], acceptedAtMs) => (withdrawn.get(subject) ?? -1) < acceptedAtMs,
      },
      events: new ConversionsClient({ http: httpOf(process), clock: process.clock, random }),
      segments: new AudiencesClient({ http: httpOf(process), maxRetries: 0 }),
      onSettled({ items }) {
        for (const { eventId, status } of items) {
          if (eventId === undefined || eventId.startsWith("m-")) continue;
          const earlier = ends.get(eventId);
          if (earlier !== undefined) violations.push(`${eventId} ended twice: ${earlier}, then ${status}`);
          ends.set(eventId, status);
        }
      },
      emit(event) {
        if (event.type === "worker_error") note(`${process.name} worker_error ${event.code} ${event.message}`);
        else if (event.type !== "settled") note(`${process.name} ${JSON.stringify(event)}`);
      },
    });
  const httpOf = (process: LogicalProcess) => {
    const http = snapchat.client(process.name);
    return {
      // The request is on its way before anything can happen to the process; what comes back may find it gone.
      async request(request: Parameters<typeof http.request>[0]) {
        const answer = http.request(request).then(
          (value) => ({ value }),
          (error: unknown) => ({ error }),
        );
        const settled = await process.step("request", () => answer);
        if ("error" in settled) throw settled.error;
        return settled.value;
      },
    };
  };

  // --- workers come and go
  let count = 0;
  const workers: { process: LogicalProcess; stop(): Promise<void> }[] = [];
  const startWorker = () => {
    const process = createProcess(`w${count++}`, clock, random, () => (quiet ? nothing : chances), note, tick);
    note(`${process.name} starts`);
    const worker = room(process).startWorker({ concurrency: 1 + Math.floor(random() * 3) });
    workers.push({ process, stop: () => worker.stop() });
  };
  const crew = 1 + Math.floor(random() * 3);
  const replace = () => {
    for (const [at, { process }] of [...workers.entries()].reverse()) if (process.dead) workers.splice(at, 1);
    while (workers.length < crew) startWorker();
  };
  replace();

  // --- what is offered
  const offered = new Map<string, EventItem>();
  const accepted = new Set<string>();
  const expected = new Map<string, { op: "add" | "remove"; key: string; tenant: Tenant }>();
  const host = createProcess(
    "host",
    clock,
    random,
    () => ({ ...(quiet ? nothing : chances), crash: 0, freeze: 0, stall: 0 }),
    note,
    tick,
  );
  const hostRoom = room(host);
  for (const tenant of tenants) {
    const { tenantId, destinationId, link, eventsCredential, segmentCredential } = tenant;
    const ref = { tenantId, destinationId, link };
    const newLink = { key: "vip", name: "VIP", adAccountId: "a", state: "new" as const, generation: 1 };
    await writeSegmentLink(inner.records, ref, newLink, 0);
    await inner.outbox.open([
      { tenantId, destinationId, name: `events/${tenant.assetId}`, exclusive: false, credentialId: eventsCredential },
      segmentGroup(ref, segmentCredential),
    ]);
  }
  /** A host repeats a call that failed, whatever became of it. */
  async function offer(items: DeliveryItem[]): Promise<void> {
    for (;;) {
      try {
        await hostRoom.append(items);
        return;
      } catch (error) {
        note(`host append failed: ${String(error)}`);
        await clock.sleep(500);
      }
    }
  }
  let nextEvent = 0;
  async function offerEvents(tenant: Tenant): Promise<void> {
    const items = Array.from({ length: 1 + Math.floor(random() * 6) }, (): EventItem => {
      const eventId = `${tenant.tenantId}-e${nextEvent++}`;
      const bad = random() < 0.06;
      const item: EventItem = {
        type: "event",
        tenantId: tenant.tenantId,
        destinationId: tenant.destinationId,
        assetId: tenant.assetId,
        json: JSON.stringify({ event_id: eventId, ...(bad ? { bad } : {}) }),
        eventId,
        eventName: "PURCHASE",
        eventTime: Math.floor(clock.now() / 1_000),
        subjects: [`s-${eventId}`],
        acceptedAtMs: clock.now(),
        // Goes in a call of its own, so that one entry meets two outcomes.
        ...(random() < 0.1 ? { testEventCode: "trial" } : {}),
      };
      offered.set(eventId, item);
      return item;
    });
    note(`offer ${items.map((item) => item.eventId).join(" ")}`);
    await offer(items);
    for (const { eventId } of items) accepted.add(eventId);
  }
  let nextMember = 0;
  async function offerMembers(tenant: Tenant): Promise<void> {
    const items = Array.from({ length: 1 + Math.floor(random() * 4) }, (): MemberItem => {
      const person = 1 + Math.floor(random() * 6);
      const shared = random() < 0.2;
      const hash = (shared ? 99 : person).toString(16).padStart(64, "0");
      const op = random() < 0.55 ? "add" : "remove";
      expected.set(`${tenant.tenantId} ${hash} ${person}`, { op, key: `EMAIL_SHA256 ${hash}`, tenant });
      // Who leaves takes along every identifier that was added for them.
      if (op === "remove") {
        for (const [id, one] of expected) if (one.tenant === tenant && id.endsWith(` ${person}`)) one.op = "remove";
      }
      return {
        type: "member",
        tenantId: tenant.tenantId,
        destinationId: tenant.destinationId,
        link: tenant.link,
        op,
        identifiers: [{ kind: 0, hash }],
        person: Buffer.from(person.toString(16).padStart(32, "0"), "hex"),
        subjects: [`p-${person}`],
        acceptedAtMs: clock.now(),
        eventId: `m-${nextMember++}`,
      };
    });
    note(
      `members ${items
        .map(
          (item) =>
            `${item.op} ${Buffer.from(item.person ?? [])
              .toString("hex")
              .slice(-2)}/${String(item.identifiers[0]?.hash).slice(-2)}`,
        )
        .join(", ")}`,
    );
    await offer(items);
  }

  // --- the history
  const script = (async () => {
    const moves = 12 + Math.floor(random() * 24);
    let jumps = random() < 0.35 ? 1 + Math.floor(random() * 2) : 0;
    for (let move = 0; move < moves; move++) {
      const dice = random();
      if (dice < 0.45) await offerEvents(pick(tenants));
      else if (dice < 0.75) {
        const tenant = pick(tenants);
        await offerMembers(tenant);
        while (random() < 0.6) {
          await clock.sleep(random() * 40_000);
          await offerMembers(tenant);
        }
      } else if (dice < 0.8) {
        const id = pick([...logins.keys()]);
        const login = logins.get(id);
        if (login && !login.lost) {
          note(`login ${id} is lost`);
          login.lost = true;
        }
      } else if (dice < 0.86) await reconnect(pick([...logins.keys()]));
      else if (dice < 0.9 && offered.size > 0) {
        const subject = `s-${pick([...offered.keys()])}`;
        if (!withdrawn.has(subject)) {
          note(`withdrawn ${subject}`);
          withdrawn.set(subject, clock.now());
        }
      } else if (dice < 0.93 && workers.length > 0) {
        const { stop, process } = pick(workers);
        note(`${process.name} is asked to stop`);
        void stop().then(() => {
          process.dead = true;
        });
      } else if (jumps > 0) {
        jumps--;
        // Everything goes down for two days, often in the middle of a request: what was in the air stays unknown.
        for (const tenant of tenants) await offerEvents(tenant);
        await clock.sleep(200 + random() * 1_500);
        for (const { process } of workers) process.dead = true;
        const ms = MEMORY_MS + (random() - 0.3) * 2 * HOUR;
        note(`all down for ${(ms / HOUR).toFixed(1)} h`);
        await clock.sleep(ms);
      }
      await clock.sleep(random() * random() * 90_000);
      replace();
    }
  })();

  async function reconnect(id: string): Promise<void> {
    const login = logins.get(id);
    if (!login?.lost) return;
    note(`login ${id} is back`);
    logins.set(id, { version: login.version + 1, lost: false, paused: false });
    await inner.outbox.resume({ credentialId: id }, "reauth_required");
  }

  await clock.run(script, { maxMs: 400 * HOUR });

  // --- then it is quiet
  quiet = true;
  note("quiet");
  for (const { process } of workers) process.dead = true;
  workers.length = 0;
  for (const id of logins.keys()) {
    await reconnect(id);
    // A pause that was on its way when the login came back.
    await inner.outbox.resume({ credentialId: id }, "reauth_required");
    const login = logins.get(id);
    if (login) login.paused = false;
  }
  startWorker();
  let left = 1;
  for (let minutes = 0; left > 0 && minutes < 240; minutes++) {
    await clock.advance(MINUTE);
    for (const id of logins.keys()) await inner.outbox.resume({ credentialId: id }, "reauth_required");
    left = (await inner.outbox.depth()).reduce((sum, { entries }) => sum + entries, 0);
  }
  await clock.run(workers[0]?.stop() ?? Promise.resolve());
  // What the dead left on the wire arrives as well.
  await clock.advance(5 * MINUTE);

  // --- and is counted
  if (left > 0) violations.push(`${left} entries are still queued after a quiet time`);
  const dead = await deadItems(inner, tenants);
  const counts = { offered: offered.size, delivered: 0, dead: dead.events.size, withdrawn: 0, members: expected.size };
  for (const [eventId, item] of offered) {
    const known = snapchat.events.get(eventId);
    if (known) counts.delivered++;
    if (known && known.counts > 1) violations.push(`${eventId} was counted ${known.counts} times`);
    if (!accepted.has(eventId) || known || dead.events.has(eventId)) continue;
    if (withdrawn.has(item.subjects[0] ?? "")) counts.withdrawn++;
    else violations.push(`${eventId} is lost: neither counted nor dead`);
  }
  for (const [eventId, atMs] of snapchat.lastLeft) {
    const since = withdrawn.get(`s-${eventId}`);
    if (since !== undefined && atMs > since + 90_000) violations.push(`${eventId} was sent after it was withdrawn`);
  }
  for (const [eventId, reason] of dead.events) {
    const bad = offered.get(eventId)?.json.includes('"bad"');
    if (reason === "rejected" && !bad) violations.push(`${eventId} is a dead letter (rejected) and was good`);
    if (reason === "outcome_unknown" && clock.monotonic() < MEMORY_MS) {
      violations.push(`${eventId} is outcome_unknown although no 48 h have passed`);
    }
  }
  checkMembers(expected, tenants, snapchat, dead.segments, violations);
  checkSlots(snapchat.left, limitsOf, slots, violations);
  checkWindows([...logins.keys()].flatMap(limitsOf), slots, violations);
  await opened.remove();
  return { seed, violations, steps, counts };
}

type Expected = Map<string, { op: "add" | "remove"; key: string; tenant: Tenant }>;

/** Snapchat's members are those that the last operation of somebody put there. */
function checkMembers(
  expected: Expected,
  tenants: readonly Tenant[],
  snapchat: ReturnType<typeof createSnapchatModel>,
  deadSegments: ReadonlySet<string>,
  violations: string[],
): void {
  const segments = [...snapchat.segments];
  for (const tenant of tenants) {
    const wanted = new Set<string>();
    let asked = false;
    for (const { op, key, tenant: of } of expected.values()) {
      if (of !== tenant) continue;
      asked = true;
      if (op === "add") wanted.add(key);
    }
    if (!asked || deadSegments.has(tenant.destinationId)) continue;
    const mine = segments.filter(([, { description }]) => description.includes(markerOf(tenant)));
    if (mine.length > 1) violations.push(`${tenant.destinationId} has ${mine.length} segments`);
    const held = mine[0]?.[1].members ?? new Set<string>();
    const [a, b] = [[...wanted].sort().join(), [...held].sort().join()];
    if (a !== b) violations.push(`members of ${tenant.destinationId}: expected ${short(a)}, Snapchat has ${short(b)}`);
  }
}

const short = (list: string) => `[${list.replaceAll("EMAIL_SHA256 ", "").replaceAll(/0{50,}/g, "")}]`;

function markerOf({ tenantId, destinationId, link }: Tenant): string {
  const made = { key: "vip", name: "VIP", adAccountId: "a", state: "new" as const, generation: 1 };
  return segmentMarker({ tenantId, destinationId, link }, made);
}

/** Every request left within 250 ms of a slot of its own, in each limit it falls under. */
function checkSlots(
  left: readonly { atMs: number; token: string }[],
  limitsOf: (id: string) => { key: string }[],
  slots: ReadonlyMap<string, number[]>,
  violations: string[],
): void {
  const byKey = new Map<string, number[]>();
  for (const { atMs, token } of left) {
    for (const { key } of limitsOf(token.split("@")[0] ?? "")) byKey.set(key, [...(byKey.get(key) ?? []), atMs]);
  }
  for (const [key, times] of byKey) {
    const given = [...(slots.get(key) ?? [])].sort((a, b) => a - b);
    for (const atMs of times.sort((a, b) => a - b)) {
      while (given[0] !== undefined && given[0] + SLOT_VOID_MS < atMs - 1) given.shift();
      const slot = given.shift();
      if (slot !== undefined && slot <= atMs + 1) continue;
      violations.push(`a request left at ${atMs.toFixed(0)} without a slot of ${key}`);
      break;
    }
  }
}

/** No window of a limit holds more slots than the part of it that background work may use. */
function checkWindows(
  limits: readonly { key: string; perWindow: number; windowMs: number }[],
  slots: ReadonlyMap<string, number[]>,
  violations: string[],
): void {
  for (const { key, perWindow, windowMs } of limits) {
    const given = [...(slots.get(key) ?? [])].sort((a, b) => a - b);
    const most = Math.max(1, Math.floor(perWindow * 0.9));
    for (let at = most; at < given.length; at++) {
      const gap = (given[at] ?? 0) - (given[at - most] ?? 0);
      if (gap >= windowMs - 1) continue;
      violations.push(`${most + 1} slots of ${key} within ${gap.toFixed(0)} ms`);
      break;
    }
  }
}

/** Items of all dead letters, by reason. A whole entry counts for each item that was still open in it. */
async function deadItems(storage: Storage, tenants: readonly Tenant[]) {
  const events = new Map<string, string>();
  const segments = new Set<string>();
  for (const { destinationId } of tenants) {
    let after: string | undefined;
    do {
      const page: { items: DeadLetter[]; after?: string } = await storage.outbox.dead.list({
        destinationId,
        limit: 100,
        ...(after === undefined ? {} : { after }),
      });
      for (const letter of page.items) {
        const { group } = letter;
        const aad = payloadAad(group.tenantId, group.destinationId, group.name);
        const content = await openPayload(letter.payload, aad, undefined);
        if (group.name.startsWith("members/")) {
          decodeMembers(content);
          segments.add(destinationId);
        } else for (const { eventId } of decodeEvents(content)) events.set(eventId, letter.reason);
      }
      after = page.after;
    } while (after !== undefined);
  }
  return { events, segments };
}

function reauthorize(): SnapchatError {
  return new SnapchatError({ code: "reauth_required", kind: "reauthorize", message: "signed out", fix: "" });
}
