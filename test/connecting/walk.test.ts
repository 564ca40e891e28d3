import { metrics } from "@opentelemetry/api";
import { EventEmitter } from "eventemitter3";
import { memory } from "snapchat-destination/memory";
import { createSimulator } from "snapchat-destination/testing";
import { afterEach, describe, expect, it } from "vitest";
import type { Storage } from "../../src/storage/ports.ts";
import { engineUrl, makePlace, openPlace } from "./places.ts";
import { canary } from "./walk/canaries.ts";
import { day } from "./walk/day.ts";
import { countEverything } from "./walk/meters.ts";
import { createWalk, SINKS, type Sink, type Walk } from "./walk/sinks.ts";
import { traceEverything } from "./walk/spans.ts";
import { command } from "./walk/terminal.ts";

const ENGINES = (["sqlite", "postgres", "redis"] as const).map((engine) => ({ engine }));
const there = new Map(await Promise.all(ENGINES.map(async ({ engine }) => [engine, await engineUrl(engine)] as const)));

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
  metrics: (leak) => metrics.getMeter("walk").createCounter("walk.leaks").add(1, { reason: leak }),
  // What a person typed comes back to them.
  terminal: (leak, { walk }) => command(walk, [leak]),
};

/*
 * One day with every kind of trouble, its secrets and people known from the beginning. Under every other test file lies the
 * walk of test/walk, which makes its canaries of whatever the library itself takes for a secret or a person. The terminal
 * and recorded transcripts have more walks in test/cli.
 */
describe("the walk", () => {
  it("finds one leak planted in each sink, and says which", async () => {
    const walk = createWalk();
    const storage = memory();
    const simulator = await createSimulator();
    const tracing = traceEverything();
    const counting = countEverything();
    walk.listenToLogs();
    walk.listenToEvents(EventEmitter);
    const leaks = SINKS.map((sink) => [sink, `leaked~into+${sink}/0123456789`] as const);
    for (const [sink, leak] of leaks) await LEAKS[sink](leak, { walk, storage, url: simulator.url });
    walk.record("spans", ...tracing.read());
    walk.record("metrics", await counting.read());
    walk.stopListening();
    stop = () => Promise.all([simulator.close(), tracing.stop(), counting.stop()]);
    const canaries = leaks.flatMap(([sink, leak]) => canary(sink, "secret", leak));
    const found = walk.sightings(canaries).map((sighting) => `${sighting.canary} in ${sighting.sink}`);
    expect(found.sort()).toEqual(SINKS.map((sink) => `${sink} in ${sink}`).sort());
  });

  for (const { engine } of ENGINES) {
    it.skipIf(!there.get(engine))(`finds a leak in the dump of ${engine}, in the middle of other bytes`, async () => {
      const leaked = "stored.in.plain@walk-canary.example";
      const own = await makePlace(engine);
      const { storage, end } = openPlace(own.place);
      stop = () => end().then(own.remove);
      const walk = createWalk();
      await storage.records.put("one", new TextEncoder().encode(`\u0001{"mail":"${leaked}"}`));
      walk.record("storage", ...(await own.dump()));
      expect(walk.sightings(canary("mail", "direct", leaked))).toHaveLength(1);
    });
  }
});

for (const { engine } of ENGINES) {
  const name = `a day on ${engine} with everything that can go wrong`;
  // A day holds some real waiting, and the machine may be busy.
  describe.skipIf(!there.get(engine))(name, { timeout: 180_000 }, () => {
    it("leaves no secret and no person in what is logged, thrown, emitted, answered, stored and traced", async () => {
      const walk = createWalk();
      const own = await makePlace(engine);
      const { storage, end } = openPlace(own.place);
      const tracing = traceEverything();
      const counting = countEverything();
      walk.listenToLogs();
      walk.listenToEvents(EventEmitter);
      const { canaries, snapchat, simulator } = await day(walk, storage);
      walk.record("storage", ...(await own.dump()));
      walk.record("spans", ...tracing.read());
      walk.record("metrics", await counting.read());
      walk.stopListening();
      stop = async () => {
        await snapchat.close();
        await simulator.close();
        await tracing.stop();
        await counting.stop();
        await end();
        await own.remove();
      };

      for (const sink of SINKS) expect(walk.size(sink), sink).toBeGreaterThan(0);
      const found = walk.sightings(canaries);
      expect(found.filter(({ kind }) => kind === "secret" || kind === "direct")).toEqual([]);
      expect(found.filter(({ kind, sink }) => kind === "pseudonym" && sink !== "storage")).toEqual([]);
      const transport = found
        .filter(({ kind }) => kind === "transport")
        .map((seen) => `${seen.canary} in ${seen.sink}`);
      console.info(`Transport fields seen on ${engine}: ${transport.join(", ") || "none"}.`);
    });
  });
}
