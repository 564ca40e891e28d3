import { AudiencesClient } from "../../../src/audiences/client.ts";
import type { ListRow } from "../../../src/audiences/index.ts";
import type { syncList } from "../../../src/audiences/list/sync.ts";
import type { createDelivery, MemberItem, SegmentLinkRef } from "../../../src/delivery/index.ts";
import { changeSegmentLink, segmentGroup, segmentMarker, writeSegmentLink } from "../../../src/delivery/index.ts";
import { Secret } from "../../../src/errors.ts";
import type { HttpClient } from "../../../src/http/index.ts";
import { memory } from "../../../src/storage/memory/index.ts";
import { createFakeClock } from "../../../src/testing/clock.ts";
import { type Chances, createProcess, type LogicalProcess } from "../../delivery/checker/logical-worker.ts";
import { createSnapchatModel, HOUR } from "../../delivery/checker/snapchat-model.ts";
import { promisesDone, seeded } from "../../delivery/support.ts";
import { createSegmentModel, type Line, type SegmentModel } from "./model.ts";
import type { Snapchat } from "./snapchat.ts";

/** The rooms under test; a test of the checker passes ones with a planted bug. */
export interface Rooms {
  createDelivery: typeof createDelivery;
  syncList: typeof syncList;
}

export interface HistoryOptions {
  seed: number;
  rooms: Rooms;
  /** Snapchat itself; absent: the model of it, which is quicker. */
  snapchat?: (o: Parameters<typeof createSnapchatModel>[0]) => Promise<Snapchat>;
  /** Prints every step. */
  trace?: boolean;
}

interface Segment {
  ref: SegmentLinkRef;
  model: SegmentModel;
  runs: Run[];
}

interface Run {
  runId: string;
  mode: "mirror" | "add" | "remove";
  lines: Line[];
  done: boolean;
  /** The process that reads the list now. */
  reader: LogicalProcess | undefined;
}

const TENANT = "acme";
const DESTINATION = "d1";
const CREDENTIAL = "oauth/acme/c1";
const PEOPLE = 9;
const PAGE = 4;
const MINUTE = 60_000;
const MAX_STEPS = 30_000;

const hex = (n: number) => n.toString(16).padStart(64, "0");
const email = (person: number) => ({ kind: 0 as const, hash: hex(person) });
/** Two people share a phone. */
const phone = (person: number) => ({ kind: 1 as const, hash: hex(100 + (person >> 1)) });
const nameOf = ({ kind, hash }: { kind: number; hash: string }) =>
  `${kind === 0 ? "EMAIL_SHA256" : "PHONE_SHA256"} ${hash}`;
const identifiersOf = (person: number) => [email(person), phone(person)];
const personBytes = (person: number) => Buffer.from((person + 1).toString(16).padStart(32, "0"), "hex");

/**
 * One seeded history of segments: events, whole lists, erasure, deletions in Ads Manager, processes that die at any call,
 * requests that arrive late, on a clock that jumps. Then it is quiet, and Snapchat's members are compared with the model's.
 */
export async function runHistory({ seed, rooms, trace, ...options }: HistoryOptions): Promise<string[]> {
  const random = seeded(seed * 2_654_435_761 + 101);
  let idle = promisesDone;
  const clock = createFakeClock({ idle: () => idle() });
  const violations: string[] = [];
  const note = (text: string) => {
    if (trace) console.log(`${(clock.monotonic() / 1_000).toFixed(2).padStart(10)} ${text}`);
  };
  const some = <T>(list: readonly T[], share: number) => list.filter(() => random() < share);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;

  let quiet = false;
  const calm = random() < 0.2;
  const chances: Chances = {
    crash: calm ? 0 : random() * 0.012,
    freeze: calm ? 0 : random() * 0.002,
    stall: calm ? 0 : random() * 0.002,
    storageFault: calm ? 0 : random() * 0.03,
  };
  const nothing: Chances = { crash: 0, freeze: 0, stall: 0, storageFault: 0 };
  const faultShare = calm ? 0 : random() * 0.3;
  let steps = 0;
  const processes: LogicalProcess[] = [];
  const tick = () => {
    if (++steps < MAX_STEPS) return;
    if (steps === MAX_STEPS) violations.push(`more than ${MAX_STEPS} calls: something spins`);
    for (const process of processes) process.dead = true;
  };

  const inner = memory({ clock });
  await inner.migrate();
  const snapchat = await (options.snapchat ?? modelOf)({
    clock,
    random,
    faults: () => (quiet ? 0 : faultShare),
    accepts: () => true,
    note,
  });

  if (snapchat.idle) idle = snapchat.idle;

  let made = 0;
  function start(name: string): { process: LogicalProcess; delivery: ReturnType<typeof createDelivery> } {
    const process = createProcess(`${name}${made++}`, clock, random, () => (quiet ? nothing : chances), note, tick);
    processes.push(process);
    const delivery = rooms.createDelivery({
      storage: process.reach(inner),
      clock: process.clock,
      random,
      emit: (event) => note(`${process.name} ${JSON.stringify(event)}`),
      settings: { memberLingerMs: 5_000, identifiersPerRequest: PAGE, sweepEveryMs: 24 * HOUR },
      credentials: {
        resolve: async () => ({
          id: CREDENTIAL,
          kind: "oauth",
          token: new Secret("token"),
          version: 1,
          limits: { events: [], segments: [{ key: CREDENTIAL, perWindow: 10, windowMs: 1_000 }] },
        }),
        refused: async () => "retry",
      },
      segments: new AudiencesClient({
        http: through(process, snapchat.client(process.name)),
        maxRetries: 0,
        ...snapchat.options,
      }),
    });
    return { process, delivery };
  }

  // --- workers come and go
  const workers: LogicalProcess[] = [];
  const crew = 1 + Math.floor(random() * 2);
  const replace = () => {
    for (const [at, { dead }] of [...workers.entries()].reverse()) if (dead) workers.splice(at, 1);
    while (workers.length < crew) {
      const { process, delivery } = start("w");
      note(`${process.name} starts`);
      delivery.startWorker({ concurrency: 2 });
      workers.push(process);
    }
  };

  const segments: Segment[] = [];
  for (let n = 0; n < 1 + Math.floor(random() * 2); n++) {
    const ref = { tenantId: TENANT, destinationId: DESTINATION, link: `s${n}` };
    const adAccountId = snapchat.adAccountId;
    await writeSegmentLink(
      inner.records,
      ref,
      { key: `s${n}`, name: `S${n}`, adAccountId, state: "new", generation: 0 },
      0,
    );
    await inner.outbox.open([segmentGroup(ref, CREDENTIAL)]);
    segments.push({ ref, model: createSegmentModel(), runs: [] });
  }
  const host = createProcess(
    "host",
    clock,
    random,
    () => ({ ...(quiet ? nothing : chances), crash: 0, freeze: 0, stall: 0 }),
    note,
    tick,
  );
  const hostRoom = rooms.createDelivery({
    storage: host.reach(inner),
    clock: host.clock,
    random,
    settings: { memberLingerMs: 5_000, identifiersPerRequest: PAGE },
    credentials: { resolve: async () => Promise.reject(new Error("not asked")), refused: async () => "pause" },
  });

  // --- what is said
  let said = 0;
  async function offer(items: MemberItem[]): Promise<void> {
    for (;;) {
      try {
        await hostRoom.append(items);
        return;
      } catch {
        await clock.sleep(300);
      }
    }
  }
  const item = (
    segment: Segment,
    op: "add" | "remove",
    identifiers: MemberItem["identifiers"],
    person?: number,
  ): MemberItem => ({
    type: "member",
    ...segment.ref,
    op,
    identifiers,
    ...(person === undefined ? {} : { person: personBytes(person) }),
    subjects: [],
    acceptedAtMs: clock.now(),
    eventId: `e${said++}`,
  });

  async function event(segment: Segment): Promise<void> {
    const person = Math.floor(random() * PEOPLE);
    const named = random() < 0.8 ? person : undefined;
    const enters = random() < 0.55;
    // While a list is on its way, who leaves names everything: what of them has not come yet could not be known.
    const all = identifiersOf(person);
    const reading = segment.runs.some(({ done }) => !done);
    const part = enters || !reading ? some(all, 0.7) : all;
    const identifiers = part.length > 0 ? part : all;
    note(
      `${segment.ref.link} ${enters ? "enters" : "leaves"} ${named ?? "-"} ${identifiers.map(({ kind }) => kind).join("")}`,
    );
    await offer([item(segment, enters ? "add" : "remove", identifiers, named)]);
    segment.model.say({
      what: enters ? "enter" : "leave",
      line: { person: named, identifiers: identifiers.map(nameOf) },
    });
  }

  async function forget(segment: Segment): Promise<void> {
    const identifiers = identifiersOf(Math.floor(random() * PEOPLE));
    note(`${segment.ref.link} forgets`);
    await offer([item(segment, "remove", identifiers)]);
    segment.model.say({ what: "forget", identifiers: identifiers.map(nameOf) });
  }

  async function* rowsOf(run: Run): AsyncGenerator<ListRow> {
    for (const { person, identifiers } of run.lines) {
      if (random() < 0.15) await clock.sleep(random() * 20_000);
      const digests = (kind: string) =>
        identifiers.filter((one) => one.startsWith(kind)).map((one) => one.split(" ")[1] ?? "");
      const [emails, phones] = [digests("EMAIL"), digests("PHONE")];
      yield {
        ...(emails.length > 0 ? { email: emails } : {}),
        ...(phones.length > 0 ? { phone: phones } : {}),
        ...(person === undefined ? {} : { personKey: String(person) }),
      };
    }
  }

  /** Reads a list in a process of its own, from the beginning or again; resolves once its place in the order is taken. */
  function read(segment: Segment, run: Run): Promise<void> {
    const { process, delivery } = start("r");
    run.reader = process;
    note(`${process.name} ${run.mode} ${segment.ref.link} ${run.runId}: ${run.lines.length} lines`);
    return new Promise((began, failed) => {
      const { lists } = delivery;
      const records = process.reach(inner).records;
      const task = rooms.syncList(
        {
          records: {
            ...records,
            async put(...call) {
              const version = await records.put(...call);
              if (call[0].startsWith("~run/")) began();
              return version;
            },
            async get(key) {
              const found = await records.get(key);
              if (key.startsWith("~run/") && found) began();
              return found;
            },
          },
          lists,
          clock: process.clock,
          membersKept: true,
        },
        {
          segment: segment.ref,
          runId: run.runId,
          mode: run.mode,
          rows: rowsOf(run),
          read: { identifiers: ["email", "phone"], personOf: (key) => personBytes(Number(key)) },
          maxRemovedShare: 1,
        },
      );
      task.then(
        () => {
          note(`${process.name} ${run.runId} is done`);
          run.done = true;
          run.reader = undefined;
        },
        (error: unknown) => {
          note(`${process.name} ${run.runId} failed: ${String(error)}`);
          run.reader = undefined;
          failed(error);
        },
      );
    });
  }

  async function sync(segment: Segment): Promise<void> {
    const named = random() < 0.6;
    const lines = some([...Array(PEOPLE).keys()], random()).map((person): Line => {
      const identifiers = some(identifiersOf(person), 0.8).map(nameOf);
      return { person: named ? person : undefined, identifiers };
    });
    const mode = pick(["mirror", "mirror", "mirror", "add", "remove"] as const);
    const run: Run = { runId: `run-${said++}`, mode, lines, done: false, reader: undefined };
    segment.runs.push(run);
    // Its place is taken by the first call that is not lost; until then nothing else is said.
    for (;;) {
      let began: boolean | undefined;
      read(segment, run).then(
        () => {
          began = true;
        },
        () => {
          began = false;
        },
      );
      const reader = run.reader as LogicalProcess | undefined;
      while (began === undefined && !reader?.dead) await clock.sleep(100);
      if (began) break;
    }
    segment.model.say({ what: "list", mode, lines });
  }

  /** Lists whose reader died or gave up are read again under their run id. */
  function readAgain(): void {
    for (const segment of segments) {
      for (const run of segment.runs) {
        if (run.done || (run.reader && !run.reader.dead)) continue;
        read(segment, run).catch(() => {});
      }
    }
  }

  async function deleteInAdsManager(segment: Segment): Promise<void> {
    if (!snapchat.remove(segmentMarker(segment.ref, await linkOf(segment)))) return;
    note(`${segment.ref.link} is deleted in Ads Manager`);
  }

  const linkOf = async ({ ref }: Segment) => {
    const link = await changeSegmentLink(inner.records, ref, (own) => own);
    if (!link) throw new Error("The link is gone.");
    return link;
  };

  /** The marketer's answer to a deleted segment: make it again. */
  async function recreate(): Promise<void> {
    for (const segment of segments) {
      const { state } = await linkOf(segment);
      if (state !== "deleted") continue;
      note(`${segment.ref.link} is made again`);
      const link = await changeSegmentLink(inner.records, segment.ref, ({ segmentId: _, ...own }) => ({
        ...own,
        state: "new",
        generation: own.generation + 1,
      }));
      for (;;) {
        try {
          await hostRoom.lists.task(segment.ref, `refill ${link?.generation}`, { task: "refill" });
          break;
        } catch {
          await clock.sleep(300);
        }
      }
      await inner.outbox.resume(
        { destinationId: DESTINATION, group: `members/${segment.ref.link}` },
        "segment_deleted",
      );
    }
  }

  replace();
  const script = (async () => {
    const moves = 5 + Math.floor(random() * 12);
    for (let move = 0; move < moves; move++) {
      const segment = pick(segments);
      const dice = random();
      if (dice < 0.5) await event(segment);
      else if (dice < 0.78) await sync(segment);
      else if (dice < 0.84) await forget(segment);
      else if (dice < 0.88) await deleteInAdsManager(segment);
      else if (dice < 0.92) await recreate();
      else if (dice < 0.97) {
        note("everything dies");
        for (const process of processes) process.dead = true;
        if (random() < 0.5) await clock.sleep(random() * 50 * HOUR);
      } else await clock.sleep(random() * 10 * MINUTE);
      await clock.sleep(random() * random() * 60_000);
      replace();
      readAgain();
    }
  })();
  await clock.run(script, { maxMs: 2_000 * HOUR });

  // --- then it is quiet
  quiet = true;
  note("quiet");
  for (const process of processes) process.dead = true;
  replace();
  // A deletion in Ads Manager is noticed by the next request, so there is one.
  for (const segment of segments) {
    const identifiers = [email(PEOPLE)];
    await clock.run(offer([item(segment, "add", identifiers)]), { maxMs: HOUR });
    segment.model.say({ what: "enter", line: { person: undefined, identifiers: identifiers.map(nameOf) } });
  }
  let left = 1;
  for (let minutes = 0; left > 0 && minutes < 180; minutes += 3) {
    readAgain();
    await clock.advance(3 * MINUTE);
    await clock.run(recreate(), { maxMs: HOUR });
    const entries = (await inner.outbox.depth()).reduce((sum, depth) => sum + depth.entries, 0);
    left = entries + segments.flatMap(({ runs }) => runs).filter(({ done }) => !done).length;
  }
  for (const process of processes) process.dead = true;
  if (left > 0) violations.push(`${left} entries and runs are left after a quiet time`);
  for (const segment of segments) {
    const marker = segmentMarker(segment.ref, await linkOf(segment));
    const wanted = [...segment.model.members()].sort();
    const found = [...snapchat.members(marker)].sort();
    if (wanted.join() !== found.join()) {
      violations.push(`${segment.ref.link}: expected [${short(wanted)}], Snapchat holds [${short(found)}]`);
    }
  }
  await snapchat.close?.();
  await inner.close();
  return violations;
}

const short = (names: readonly string[]) =>
  names.map((name) => `${name[0]}${Number.parseInt(name.slice(-4), 16)}`).join(" ");

async function modelOf(o: Parameters<typeof createSnapchatModel>[0]): Promise<Snapchat> {
  const model = createSnapchatModel(o);
  const find = (marker: string) => [...model.segments].filter(([, { description }]) => description.includes(marker));
  return {
    client: (worker) => model.client(worker),
    adAccountId: "a",
    members: (marker) => find(marker)[0]?.[1].members ?? new Set(),
    remove(marker) {
      const [found] = find(marker);
      return found !== undefined && model.segments.delete(found[0]);
    },
  };
}

/** The request is on its way before anything can happen to the process; what comes back may find it gone. */
function through(process: LogicalProcess, http: HttpClient): HttpClient {
  return {
    async request(request) {
      const answer = http.request(request).then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      );
      const settled = await process.step("request", () => answer);
      if ("error" in settled) throw settled.error;
      return settled.value;
    },
  };
}
