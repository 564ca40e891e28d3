import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EventEmitter } from "eventemitter3";
import { memory } from "snapchat-destination/memory";
import { sqlite } from "snapchat-destination/sqlite";
import { createSimulator } from "snapchat-destination/testing";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import type { Storage } from "../../src/storage/ports.ts";
import { canary } from "./walk/canaries.ts";
import { day } from "./walk/day.ts";
import { createWalk, SINKS, type Sink, type Walk } from "./walk/sinks.ts";
import { traceEverything } from "./walk/spans.ts";

const folder = mkdtempSync(join(tmpdir(), "walk-"));
afterAll(() => rmSync(folder, { recursive: true }));

type Engine = () => { storage: Storage; dump(): Promise<Uint8Array[]> };

/** Each engine, with what somebody who gets hold of its files or tables would read. */
const ENGINES: Record<string, Engine> = {
  memory: () => ({ storage: memory(), dump: async () => [] }),
  sqlite: () => {
    const own = mkdtempSync(join(folder, "sqlite-"));
    return {
      storage: sqlite(join(own, "walk.db")),
      dump: async () => readdirSync(own).map((file) => readFileSync(join(own, file))),
    };
  },
};

const engineOf = (name: string) => (ENGINES[name] as Engine)();

let stop: () => Promise<unknown> = async () => {};
afterEach(() => stop());

/** One leak for each sink, by the way that a real one would take. */
const LEAKS: Record<Sink, (leak: string, on: { walk: Walk; storage: Storage; url: string }) => unknown> = {
  logs: (leak) => console.debug(`refreshing with ${leak}`),
  errors: (leak, { walk }) =>
    walk.trying(() => {
      throw Object.assign(new Error("refused"), { cause: { request: { headers: [`Bearer ${leak}`] } } });
    }),
  events: (leak) => new EventEmitter().emit("settled", { destinationId: "d", message: leak }),
  audit: (leak, { walk }) => walk.record("audit", { actor: "user-7", detail: { token: leak } }),
  receipts: (leak, { walk }) => walk.record("receipts", [{ eventId: Buffer.from(leak).toString("base64") }]),
  answers: (leak, { walk }) => walk.asking(() => ({ stats: new Map([["a", 1]]), url: encodeURIComponent(leak) })),
  pages: (leak, { walk }) => walk.page(new Response(null, { headers: { location: `/d?code=${leak}` } })),
  storage: (leak, { walk, storage }) =>
    walk.watched(storage).records.put("leak", new TextEncoder().encode(`xx${Buffer.from(leak).toString("base64")}`)),
  spans: (leak, { url }) => fetch(`${url}/v3/x/events?access_token=${leak}`),
};

describe("the walk", () => {
  it("finds one leak planted in each sink, and says which", async () => {
    const walk = createWalk();
    const storage = memory();
    const simulator = await createSimulator();
    const tracing = traceEverything();
    walk.listenToLogs();
    walk.listenToEvents(EventEmitter);
    const leaks = SINKS.map((sink) => [sink, `leaked~into+${sink}/0123456789`] as const);
    for (const [sink, leak] of leaks) await LEAKS[sink](leak, { walk, storage, url: simulator.url });
    walk.record("spans", ...tracing.read());
    walk.stopListening();
    stop = () => Promise.all([simulator.close(), tracing.stop()]);
    const canaries = leaks.flatMap(([sink, leak]) => canary(sink, "secret", leak));
    const found = walk.sightings(canaries).map((sighting) => `${sighting.canary} in ${sighting.sink}`);
    expect(found.sort()).toEqual(SINKS.map((sink) => `${sink} in ${sink}`).sort());
  });

  it.each(["sqlite"])("finds a leak in the files of %s, in the middle of others' bytes", async (engine) => {
    const { storage, dump } = engineOf(engine);
    await storage.migrate();
    await storage.records.put("leak", new TextEncoder().encode(`{"mail":"${LEAKED}"}`));
    const walk = createWalk();
    walk.record("storage", ...(await dump()));
    stop = () => storage.close();
    expect(walk.sightings(canary("mail", "direct", LEAKED))).toHaveLength(1);
  });
});

const LEAKED = "stored.in.plain@walk-canary.example";

describe.each(Object.keys(ENGINES))("a day on %s with everything that can go wrong", (engine) => {
  it("leaves no secret and no person in what is logged, thrown, emitted, answered, stored and traced", async () => {
    const walk = createWalk();
    const { storage, dump } = engineOf(engine);
    const tracing = traceEverything();
    walk.listenToLogs();
    walk.listenToEvents(EventEmitter);
    const { canaries, snapchat, simulator } = await day(walk, storage);
    walk.record("storage", ...(await dump()));
    walk.record("spans", ...tracing.read());
    walk.stopListening();
    stop = async () => {
      await snapchat.close();
      await simulator.close();
      await tracing.stop();
    };

    for (const sink of SINKS) if (sink !== "logs") expect(walk.size(sink), sink).toBeGreaterThan(0);
    const found = walk.sightings(canaries);
    expect(found.filter(({ kind }) => kind === "secret" || kind === "direct")).toEqual([]);
    expect(found.filter(({ kind, sink }) => kind === "pseudonym" && sink !== "storage")).toEqual([]);
    const seen = found
      .filter(({ kind }) => kind === "transport")
      .map((sighting) => `${sighting.canary} in ${sighting.sink}`);
    console.info(`Transport fields seen on ${engine}: ${seen.join(", ") || "none"}.`);
  });
});
