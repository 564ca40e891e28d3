import { inspect } from "node:util";
import type { EventEmitter } from "eventemitter3";
import type { Storage } from "../../../src/storage/ports.ts";
import type { Canary } from "./canaries.ts";

/** Where something may leak to. */
export const SINKS = [
  "logs",
  "errors",
  "events",
  "audit",
  "receipts",
  "answers",
  "pages",
  "storage",
  "spans",
  "metrics",
  "terminal",
] as const;
export type Sink = (typeof SINKS)[number];

export interface Sighting {
  sink: Sink;
  canary: string;
  kind: Canary["kind"];
}

/** Keeps what arrives at each sink, as text. */
export function createWalk() {
  const kept = new Map<Sink, string[]>(SINKS.map((sink) => [sink, []]));
  const undo: (() => void)[] = [];

  function record(sink: Sink, ...values: unknown[]): void {
    for (const value of values) kept.get(sink)?.push(...texts(value));
  }

  /** Runs a call of which only the failure is of interest, or the answer as well. */
  async function calling<T>(call: () => T | Promise<T>, o: { answer: boolean }): Promise<T | undefined> {
    try {
      const answer = await call();
      if (o.answer) record("answers", answer);
      return answer;
    } catch (error) {
      record("errors", error);
      return undefined;
    }
  }

  return {
    record,
    /** Calls, and keeps what is answered and thrown. */
    asking: <T>(call: () => T | Promise<T>) => calling(call, { answer: true }),
    /** Calls what answers personal data by design; keeps what is thrown. */
    trying: <T>(call: () => T | Promise<T>) => calling(call, { answer: false }),
    async page(response: Response): Promise<void> {
      record("pages", [...response.headers], await response.clone().text());
    },
    /** Listens to the console, to both streams and to Node's warnings. */
    listenToLogs(): void {
      for (const name of ["log", "info", "warn", "error", "debug", "trace"] as const) {
        const before = console[name];
        console[name] = (...given: unknown[]) => record("logs", ...given);
        undo.push(() => {
          console[name] = before;
        });
      }
      for (const stream of [process.stdout, process.stderr]) {
        const before = stream.write;
        stream.write = ((text: string | Uint8Array, ...rest: never[]) => {
          record("logs", text);
          return before.call(stream, text, ...rest);
        }) as typeof stream.write;
        undo.push(() => {
          stream.write = before;
        });
      }
      const warned = (warning: Error) => record("logs", warning);
      process.on("warning", warned);
      undo.push(() => process.off("warning", warned));
    },
    /** Hears every event of every emitter, those that are added tomorrow too. */
    listenToEvents(emitter: typeof EventEmitter): void {
      const before = emitter.prototype.emit;
      emitter.prototype.emit = function emit(this: EventEmitter, name: string, ...given: unknown[]) {
        record("events", name, ...given);
        return before.call(this, name, ...given);
      } as typeof before;
      undo.push(() => {
        emitter.prototype.emit = before;
      });
    },
    /** The same storage; whatever is given to it is kept, what is deleted again included. */
    watched(storage: Storage): Storage {
      return new Proxy(storage, {
        get: (target, name) => {
          const port = Reflect.get(target, name) as unknown;
          const isPort = ["records", "outbox", "members", "journal", "slots"].includes(String(name));
          return isPort && typeof port === "object" && port !== null ? watchedPort(port, record) : port;
        },
      });
    },
    sightings(canaries: readonly Canary[]): Sighting[] {
      const found = new Map<string, Sighting>();
      for (const [sink, pieces] of kept) {
        const text = pieces.join("\n");
        for (const { name, kind, forms } of canaries) {
          if (!forms.some((form) => text.includes(form))) continue;
          found.set(`${sink} ${name}`, { sink, canary: name, kind });
        }
      }
      return [...found.values()];
    },
    size: (sink: Sink) => kept.get(sink)?.reduce((sum, text) => sum + text.length, 0) ?? 0,
    stopListening(): void {
      for (const stop of undo.splice(0)) stop();
    },
  };
}

export type Walk = ReturnType<typeof createWalk>;

const READS = new Set(["get", "list", "find", "depth", "wait", "watch", "now", "count", "scan", "diff"]);

function watchedPort(port: object, record: Walk["record"]): object {
  return new Proxy(port, {
    get: (target, name) => {
      const value = Reflect.get(target, name) as unknown;
      if (typeof value === "object" && value !== null) return watchedPort(value, record);
      if (typeof value !== "function") return value;
      return (...given: unknown[]) => {
        if (!READS.has(String(name))) record("storage", given);
        return (value as (...given: unknown[]) => unknown).apply(target, given);
      };
    },
  });
}

/** A value as whoever prints, serializes or dumps it would see it, to any depth. */
function texts(value: unknown, seen = new Set<unknown>()): string[] {
  if (typeof value === "string") return [value];
  if (value instanceof Uint8Array) return [Buffer.from(value).toString("latin1")];
  if (typeof value !== "object" || value === null) return [String(value)];
  if (seen.has(value)) return [];
  seen.add(value);
  const inside = Reflect.ownKeys(value).flatMap((key) => [
    String(key),
    ...texts(Reflect.get(value, key) as unknown, seen),
  ]);
  const shown = value instanceof Error ? [inspect(value, { depth: 9, showHidden: true }), safeJson(value)] : [];
  return [...inside, ...shown];
}

function safeJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? "";
  } catch {
    return "";
  }
}
