import { hash } from "node:crypto";
import { existsSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { brokenBound, ConversionsClient, type PreparedText, prepareEvent } from "../src/capi/index.ts";
import { createRouter } from "../src/rules/create-router.ts";
import { createSimulator } from "../src/testing/simulator/index.ts";
import type { SnapEventInput } from "../src/wire/event.ts";
import { presets } from "../src/workflow/presets/index.ts";
import { sources } from "../src/workflow/sources/index.ts";
import { setToggle } from "../src/workflow/toggle.ts";
import { segmentPurchase } from "./purchases.ts";
import { atLeast, atMost, type Bench, perSecond, type Row } from "./row.ts";

const EVENTS = 5_000;
const NINE = ["em", "ph", "fn", "ln", "ct", "st", "zp", "country", "external_id"] as const;

export const rows: Bench = async ({ smoke }) => [
  ...(await conversion(smoke)),
  await requestsWithOneBad(smoke ? 2_000 : 10_000),
  await memory(smoke ? 20_000 : 1_000_000),
];

/** A purchase with nine identifiers, from the platform's envelope to the JSON text that is sent. */
async function conversion(smoke: boolean): Promise<Row[]> {
  const nowMs = Date.now();
  const workflow = setToggle(presets.segment({ defaultCountry: "GB" }), "Order Completed", { server: true });
  const router = createRouter(workflow);
  const options = { nowMs, defaultCountry: "GB", integration: "bench" };
  const bounded = { ...options, bounded: true };
  const raw = Array.from({ length: EVENTS }, (_, n) => segmentPurchase(n, nowMs - 60_000));
  const route = (event: unknown) => router.route(sources.segment.read(event)).decisions[0]?.event as SnapEventInput;
  // Copies: the engine counts what survives at the place it was made, and would give a later round's events, which die
  // at once as a host's do, to the old generation.
  const events = raw.map((event) => structuredClone(route(event)));
  const sent = events.map((event) => JSON.parse(json(event, options)) as Record<string, unknown>);
  const people = events.map(({ user_data }) => NINE.map((field) => String(user_data?.[field])));

  let kept = 0;
  const limit = () => {
    for (let i = 0; i < EVENTS; i++) {
      for (const identifier of people[i] as string[]) kept += hash("sha256", identifier).length;
      kept += JSON.stringify(sent[i]).length;
    }
  };
  const prepareOnly = () => {
    for (const event of events) kept += flat(json(event, options));
  };
  const whole = () => {
    // As `track` does it: the bounds of the host's event first, once.
    for (const event of raw) {
      if (brokenBound(event) !== undefined) throw new Error("too large");
      kept += flat(json(route(event), bounded));
    }
  };

  const segment = await peer(raw);

  // In turns, so that a neighbour on the machine slows all; the best of each.
  const rounds = smoke ? 1 : 6;
  const ms = smoke ? 20 : 700;
  let [most, prepared, complete, theirs] = [0, 0, 0, 0];
  for (let round = 0; round < rounds; round++) {
    most = Math.max(most, await perSecond(EVENTS, ms, limit));
    prepared = Math.max(prepared, await perSecond(EVENTS, ms, prepareOnly));
    complete = Math.max(complete, await perSecond(EVENTS, ms, whole));
    if (segment) theirs = Math.max(theirs, await perSecond(PEER_EVENTS, ms, segment));
  }
  if (kept === 0) throw new Error("nothing was measured");
  const goal = atLeast(0.5, "limit", "nine hashes + one JSON.stringify");
  return [
    {
      name: "purchase, nine identifiers, Segment's envelope to CAPI JSON",
      value: complete,
      unit: "events/s",
      limit: most,
      ...(segment ? { peer: theirs } : {}),
      profile:
        "flat. Checking, repairing and writing take 34 %, reading the envelope 15 %, identifiers 12 %, hashing 11 %, mapping 9 %, the collector 6 %, joining the text 6 %, the bounds 5 %. The limit alone is some 40 times the peer here.",
      goals: segment ? [goal, atLeast(25, "peer", "@segment/action-destinations, its HTTP stubbed")] : [goal],
    },
    {
      name: "the same purchase from the routed event (prepareEvent)",
      value: prepared,
      unit: "events/s",
      limit: most,
      goals: [goal],
    },
  ];
}

const PEER_EVENTS = 200;

/** Segment's package over the same events, where `npm install --prefix bench/peers --ignore-scripts` was asked for. */
async function peer(raw: readonly unknown[]): Promise<(() => Promise<void>) | undefined> {
  const folder = new URL("./peers/", import.meta.url);
  if (!existsSync(new URL("node_modules/", folder))) return undefined;
  const segment = (await import(`${folder.href}segment.mjs`)) as {
    forSegment(event: unknown): unknown;
    send(event: unknown): Promise<string>;
  };
  const events = raw.slice(0, PEER_EVENTS).map(segment.forSegment);
  return async () => {
    for (const event of events) await segment.send(event);
  };
}

function json(event: SnapEventInput, options: Parameters<typeof prepareEvent>[1]): string {
  const prepared = prepareEvent(event, options);
  if (!prepared.ok) throw new Error(prepared.reason);
  return prepared.json;
}

/** Makes the engine join the pieces of a text, as writing it out would. */
function flat(text: string): number {
  return text.charCodeAt(text.length - 1);
}

async function requestsWithOneBad(count: number): Promise<Row> {
  const simulator = await createSimulator({ listen: false, keep: "counts", knobs: { rateLimits: false } });
  const client = new ConversionsClient({ endpoints: simulator.endpoints, fetch: simulator.fetch });
  const nowMs = Date.now();
  const items: PreparedText[] = Array.from({ length: count }, (_, n) => ({
    json: `{"event_name":"SAVE","event_time":${Math.floor(nowMs / 1_000) - 60},"event_id":"e${n}","action_source":"OFFLINE","user_data":{"em":["${hash("sha256", `${n}`)}"]},"custom_data":{"value":${n === count - 99 ? '"bad"' : 1}}}`,
  }));
  const { pixel, conversionsToken } = simulator.world.main;
  const { outcomes, requests } = await client.send(pixel.id, items, { token: conversionsToken });
  const delivered = outcomes.filter(({ status }) => status === "delivered").length;
  await simulator.close();
  if (delivered !== count - 1) throw new Error(`${delivered} of ${count - 1} good events were delivered.`);
  return {
    name: `requests per ${count.toLocaleString("en")} events, one of them bad`,
    value: requests,
    unit: "requests",
    limit: Math.ceil(count / 2_000),
    peer: count,
    goals: [atMost(8)],
    isCount: true,
  };
}

/** Collects garbage now, so that a heap is compared and not its rubbish. */
function collect(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
}

/** Heap after a million events, over the heap after the first tenth of them. */
async function memory(count: number): Promise<Row> {
  const nowMs = Date.now();
  const options = { nowMs, defaultCountry: "GB" };
  const workflow = setToggle(presets.segment({ defaultCountry: "GB" }), "Order Completed", { server: true });
  const router = createRouter(workflow);
  const heapMb = () => {
    collect();
    return process.memoryUsage().heapUsed / 1_048_576;
  };
  let settled = 0;
  let kept = 0;
  for (let n = 0; n < count; n++) {
    const event = router.route(sources.segment.read(segmentPurchase(n, nowMs - 60_000))).decisions[0]?.event;
    kept += json(event as SnapEventInput, options).length;
    if (n === Math.floor(count / 10)) settled = heapMb();
  }
  if (kept === 0) throw new Error("nothing was measured");
  const value = Math.max(0, heapMb() - settled);
  return {
    name: `heap gained over ${count.toLocaleString("en")} events`,
    value,
    unit: "MB",
    limit: 50,
    goals: [atMost(1, "limit")],
  };
}
