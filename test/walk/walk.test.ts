import { EventEmitter } from "eventemitter3";
import { Secret } from "snapchat-destination";
import { normalize } from "snapchat-destination/identity";
import { memory } from "snapchat-destination/memory";
import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { SnapchatError } from "../../src/errors.ts";
import { createHttpClient } from "../../src/http/index.ts";
import { createGuard } from "../../src/plugins/guard.ts";
import { createNotify } from "../../src/plugins/notify.ts";
import { createSink } from "../../src/plugins/sink.ts";
import { createConnectionEvents } from "../../src/snapchat/connection-events.ts";
import { createLog } from "../../src/snapchat/log.ts";
import { createTelemetry } from "../../src/snapchat/telemetry.ts";
import type { Storage } from "../../src/storage/ports.ts";
import { engineUrl, makePlace, openPlace } from "../connecting/places.ts";
import { openShop, purchase } from "../snapchat/shop.ts";
import { createEar, type Ear } from "./ear.ts";
import { instrument } from "./instrument.ts";
import { verdict } from "./verdict.ts";

const ear = globalThis.snapchatEar as Ear;
const LEAK = "leaked~into+everything/0123456789";
const base64 = new TextEncoder().encode(`xx${Buffer.from(LEAK).toString("base64")}`);

/** What a test planted here is no verdict on this file. */
const taken = () => ear.sightings().map(({ sink, where, kind }) => `${kind} in ${sink} ${where}`.trim());
afterEach(() => void ear.sightings());

const failure = (more: Partial<ConstructorParameters<typeof SnapchatError>[0]>) =>
  new SnapchatError({ code: "planted", kind: "bug", message: "Planted.", fix: "Nothing.", ...more });

const stored = async (storage: Storage) => {
  await storage.records.put("leak", base64);
  await storage.close();
};

/** A leak by each way on which a text leaves the library, and where it has to be seen. */
const LEAKS: readonly (readonly [seen: string, way: string, leak: () => unknown])[] = [
  ["errors planted", "its message", () => failure({ message: `Refused ${LEAK}.` })],
  ["errors planted", "its fix", () => failure({ fix: `Drop ${LEAK}.` })],
  ["errors planted", "its details", () => failure({ details: { said: encodeURIComponent(LEAK) } })],
  ["errors planted", "a cause hung on it later", () => Object.assign(failure({}), { cause: { deep: [[LEAK]] } })],
  ["errors planted", "an error as its cause", () => Object.assign(failure({}), { cause: new Error(LEAK) })],
  ["events", "any emitter", () => new EventEmitter().emit("settled", { message: LEAK })],
  ["events", "plugins' notify", () => createNotify(guard(), [])({ id: "1", type: "x", details: LEAK } as never)],
  ["events", "onReauthRequired", () => lostLogin()],
  ["logs", "the host's logger", () => createLog(undefined).happened({ type: "settled", message: LEAK } as never)],
  ["audit", "a plugin", () => createSink("audit", guard(), [{ name: "p" }], systemClock).push({ a: LEAK } as never)],
  [
    "receipts",
    "a plugin",
    () => createSink("receipts", guard(), [{ name: "p" }], systemClock).push({ a: LEAK } as never),
  ],
  ["metrics events", "a label", () => createTelemetry(async () => ({}) as never).tracked([receipt()])],
  ["storage put", "memory", () => stored(memory())],
  ["spans", "an address", () => asked({})],
];

const guard = () => createGuard(systemClock, undefined);
const receipt = () => ({ status: LEAK, parts: [] }) as never;

async function lostLogin(): Promise<void> {
  const told = createConnectionEvents({ onReauthRequired: undefined, notify: undefined });
  told.use({ connectionChanged: async () => ["d"] } as never);
  await told.lost({ tenantId: LEAK, connectionId: "c", transitionId: "t" } as never);
}

async function asked(o: { untraced?: boolean }): Promise<void> {
  const http = createHttpClient({ origins: ["https://tr.example"], fetch: async () => new Response("{}") });
  await http.request({ method: "GET", url: `https://tr.example/v3?access_token=${LEAK}`, label: "GET /v3", ...o });
}

describe("the walk under the suite", () => {
  it.each(LEAKS)("sees a secret in %s: %s", async (seen, _way, leak) => {
    new Secret(LEAK);
    await leak();
    expect(taken()).toEqual([`secret in ${seen}`]);
  });

  it("sees one in a receipt, and in what is stored of it", async () => {
    new Secret(LEAK);
    const shop = await openShop();
    await shop.acme.track([purchase(LEAK)]);
    await shop.close();
    expect(taken()).toContain("secret in receipts");
  });

  for (const engine of ["sqlite", "postgres", "redis"] as const) {
    it(`sees one in what ${engine} is given`, async ({ skip }) => {
      if (!(await engineUrl(engine))) skip();
      const own = await makePlace(engine);
      const { storage, end } = openPlace(own.place);
      new Secret(LEAK);
      await storage.records.put("leak", base64);
      await end();
      await own.remove();
      expect(taken()).toEqual(["secret in storage put"]);
    });
  }

  it("leaves out what an address holds where the host's tracing is off", async () => {
    new Secret(LEAK);
    await asked({ untraced: true });
    expect(taken()).toEqual([]);
  });

  it("knows a person by whatever was normalised", () => {
    for (const [field, text, seen] of [
      ["em", "Zephyrine@Walk-Canary.example", "zephyrine@walk-canary.example"],
      ["ph", "+44 7700 900987", "447700900987"],
      ["ln", "Quillfeather", "quillfeather"],
    ] as const) {
      normalize(field, text);
      createLog(undefined).happened({ type: "settled", message: seen } as never);
      expect(taken(), field).toEqual(["direct in logs"]);
    }
    normalize("em", "0".repeat(64));
    createLog(undefined).happened({ type: "settled", message: "0".repeat(64) } as never);
    expect(taken()).toEqual([]);
  });

  it("searches many megabytes for thousands of texts, and says what it did not hear", () => {
    const own = createEar();
    for (let n = 0; n < 3_000; n++) own.secret(`secret number ${n};`);
    own.hear("logs", "x".repeat(200_000));
    own.hear("logs", `before secret number 1999; after`);
    for (let n = 0; n < 100; n++) own.hear("logs", "y".repeat(250_000));
    expect(own.sightings()).toHaveLength(1);
    expect(own.bytes().texts).toBe(2_000);
    expect(own.bytes().unheard).toBeGreaterThan(1_000_000);
  });

  it("fails a file by sink, place and canary, and never by the text", () => {
    const sighting = { sink: "logs", where: "", kind: "secret", canary: "a secret of 9 characters" } as const;
    expect(() => verdict("test/x.test.ts", [sighting])).toThrow(/secret in logs \(\): a secret of 9 characters/);
    expect(() => verdict("test/x.test.ts", [{ ...sighting, kind: "transport" }])).not.toThrow();
    new Secret(LEAK);
    failure({ fix: LEAK });
    const seen = ear.sightings();
    expect(seen[0]?.canary).toMatch(/^a secret of 33 characters, made at test\/walk\/walk\.test\.ts:\d+$/);
    expect(() => verdict("test/x.test.ts", seen)).toThrow(/^(?!.*leaked~into)/s);
  });

  it("fails where the library has no longer the place that was heard", () => {
    const { transform } = instrument();
    expect(() => transform("nothing", "/x/src/errors.ts")).toThrow(/errors\.ts has no longer/);
    expect(transform("nothing", "/x/src/clock.ts")).toBeUndefined();
  });
});
