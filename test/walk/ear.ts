import { inspect } from "node:util";
import { EventEmitter } from "eventemitter3";
import { type Canary, canary } from "../connecting/walk/canaries.ts";
import { createFinder } from "./finder.ts";

/** What the whole suite is listened to at. */
export const SINKS = ["errors", "events", "logs", "storage", "spans", "audit", "receipts", "metrics"] as const;
export type Sink = (typeof SINKS)[number];

export interface Sighting {
  sink: Sink;
  /** The method of the port, or the error's code. */
  where: string;
  kind: Canary["kind"];
  /** What it is and where it was made; never the text. */
  canary: string;
}

/** Shorter texts are words of any text. */
const SHORTEST = 10;
/** Texts that are looked for in one file; more of them are more of the same. */
const MOST = 2_000;
/** Bytes of one search. */
const BATCH = 1 << 18;
/** Bytes that are searched in one file; a long history says the same again and again. */
const MOST_BYTES = 16 << 20;
/** Elements of one list that are read: a page of a hundred thousand digests is one digest a hundred thousand times. */
const MOST_ELEMENTS = 200;

const DIRECT = new Set(["em", "ph", "fn", "ln", "ct", "zp"]);
const TRANSPORT = new Set(["client_ip_address", "client_user_agent", "sc_click_id", "sc_cookie1", "madid", "idfv"]);
const READS = new Set(["get", "list", "find", "depth", "wait", "watch", "now", "count", "scan", "reserve"]);
const DIGEST = /^[0-9a-f]{64}$/i;

/** Hears one test file: what must not be seen, and everything that leaves the library. */
export function createEar() {
  const finder = createFinder();
  const known = new Set<string>();
  const codes = new Set<string>();
  const errors: { error: Error; from: Sink }[] = [];
  const batch = Buffer.alloc(BATCH);
  const pieces: { at: number; sink: Sink; where: string }[] = [];
  const sightings = new Map<string, Sighting>();
  const heard: Record<Sink, number> = Object.fromEntries(SINKS.map((sink) => [sink, 0])) as never;
  let filled = 0;
  let searched = 0;
  let unheard = 0;

  function plant(kind: Canary["kind"], what: string, text: string): void {
    if (text.length < SHORTEST || known.size >= MOST || known.has(text)) return;
    known.add(text);
    const name = `${what} of ${text.length} characters, made at ${madeAt()}`;
    for (const one of canary(name, kind, text)) finder.add(one);
  }

  function write(sink: Sink, where: string, value: string | Uint8Array): void {
    const size = typeof value === "string" ? Buffer.byteLength(value) : value.byteLength;
    if (searched + filled + size > MOST_BYTES) {
      unheard += size;
      return;
    }
    const fits = Math.min(size, BATCH - 1);
    if (filled + fits + 1 > BATCH) search();
    pieces.push({ at: filled, sink, where });
    if (typeof value === "string") batch.write(value, filled, fits, "utf8");
    else batch.set(value.subarray(0, fits), filled);
    filled += fits;
    batch[filled++] = 0x0a;
    heard[sink] += fits;
  }

  function search(): void {
    finder.search(batch, filled, ({ name, kind }, at) => {
      const piece = pieces.findLast((one) => one.at <= at) as (typeof pieces)[number];
      const sighting: Sighting = { sink: piece.sink, where: piece.where, kind, canary: name };
      sightings.set(JSON.stringify(sighting), sighting);
    });
    searched += filled;
    filled = 0;
    pieces.length = 0;
  }

  function walk(sink: Sink, where: string, value: unknown, seen: Set<unknown>): void {
    if (typeof value === "string" || value instanceof Uint8Array) write(sink, where, value);
    else if (typeof value === "object" && value !== null && !seen.has(value)) {
      seen.add(value);
      if (value instanceof Error) throwing(value, sink);
      else if (Array.isArray(value)) for (const one of value.slice(0, MOST_ELEMENTS)) walk(sink, where, one, seen);
      else if (value instanceof Map || value instanceof Set) walk(sink, where, [...value], seen);
      else {
        for (const key in value) {
          write(sink, where, key);
          walk(sink, where, (value as Record<string, unknown>)[key], seen);
        }
      }
    }
  }

  /** An error is read at the end of a turn: what is hung on it later is a part of it. */
  function throwing(error: Error, from: Sink): void {
    const { code } = error as { code?: unknown };
    if (typeof code === "string") codes.add(code);
    if (errors.push({ error, from }) >= 500) readErrors();
  }

  function readErrors(): void {
    for (const { error, from } of errors.splice(0)) {
      const where = String((error as { code?: unknown }).code ?? error.name);
      for (const key of Reflect.ownKeys(error)) {
        if (key === "stack") continue;
        const value = Reflect.get(error, key) as unknown;
        write(from, where, String(key));
        if (value instanceof Error) write(from, where, inspect(value, { depth: 6, showHidden: true }));
        else walk(from, where, value, new Set([error]));
      }
    }
  }

  const stored = (name: string, args: readonly unknown[]) => {
    if (!READS.has(name)) walk("storage", name, args, new Set());
  };

  function heardPort<T extends object>(port: T): T {
    const heard: Record<string, unknown> = {};
    for (const [name, member] of Object.entries(port)) {
      if (typeof member !== "function") heard[name] = heardPort(member as object);
      else {
        heard[name] = (...args: unknown[]) => {
          stored(name, args);
          return member.apply(port, args) as unknown;
        };
      }
    }
    return heard as T;
  }

  return {
    codes,
    heard,
    secret: (text: unknown) => {
      if (typeof text === "string") plant("secret", "a secret", text);
    },
    person(field: string, value: unknown): void {
      if (typeof value !== "string" || value.length < SHORTEST || known.size >= MOST || known.has(value)) return;
      if (!DIRECT.has(field) || DIGEST.test(value.trim())) return;
      if (field === "em" && !/^\S{3,}@\S{3,}$/.test(value)) return;
      if (field === "ph" && new Set(value.replace(/\D/g, "")).size < 4) return;
      plant("direct", field, value);
      if (field === "ph") plant("direct", "digits of ph", value.replace(/\D/g, ""));
    },
    transport(field: string, value: unknown): void {
      if (typeof value === "string" && TRANSPORT.has(field)) plant("transport", field, value);
    },
    hear(sink: Sink, ...values: unknown[]): void {
      for (const value of values) walk(sink, "", value, new Set());
    },
    stored,
    /** The same port of a storage, heard. */
    port: heardPort,
    /** Runs a count against instruments that keep its labels. */
    counted(work: (instruments: unknown) => void): void {
      const instrument = (name: string) => ({
        add: (_: number, labels: unknown) => walk("metrics", name, labels, new Set()),
        record: (_: number, labels: unknown) => walk("metrics", name, labels, new Set()),
      });
      work(new Proxy({}, { get: (_, name) => instrument(String(name)) }));
    },
    /** What was seen since the last time. */
    sightings(): Sighting[] {
      readErrors();
      search();
      const found = [...sightings.values()];
      sightings.clear();
      return found;
    },
    bytes: () => ({ searched: searched + filled, unheard, texts: known.size }),
  };
}

export type Ear = ReturnType<typeof createEar>;

/** The first place outside of the library's own error and identity files. */
function madeAt(): string {
  const before = Error.stackTraceLimit;
  Error.stackTraceLimit = 8;
  const lines = (new Error().stack ?? "").split("\n").slice(4);
  Error.stackTraceLimit = before;
  const line = lines.find((one) => !/src\/(errors|identity\/)/.test(one)) ?? "";
  return /((?:src|test|examples)\/[^?:)]+).*?(:\d+)/.exec(line)?.slice(1).join("") ?? "an unknown place";
}

/** Hears every event of every emitter, those of tomorrow too. */
export function hearEmitters(ear: () => Ear | undefined): void {
  const before = EventEmitter.prototype.emit;
  EventEmitter.prototype.emit = function emit(this: EventEmitter, name: string, ...given: unknown[]) {
    ear()?.hear("events", name, ...given);
    return before.call(this, name, ...given);
  } as typeof before;
}
