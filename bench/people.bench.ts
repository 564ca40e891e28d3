import { randomBytes } from "node:crypto";
import { prepareEvent } from "../src/capi/index.ts";
import { systemClock } from "../src/clock.ts";
import { encode } from "../src/people/codec.ts";
import { createPeople, createSubjects } from "../src/people/index.ts";
import { tombstoneKey } from "../src/people/tombstones.ts";
import { checkConsent } from "../src/rules/consent.ts";
import { createRouter } from "../src/rules/create-router.ts";
import type { Record_, Records } from "../src/storage/ports.ts";
import type { SnapEventInput } from "../src/wire/event.ts";
import { presets } from "../src/workflow/presets/index.ts";
import { sources } from "../src/workflow/sources/index.ts";
import { setToggle } from "../src/workflow/toggle.ts";
import { segmentPurchase } from "./purchases.ts";
import { atMost, type Bench, perSecond, type Row } from "./row.ts";

const TENANT = "acme";
const EVENTS = 2_000;
const NAMES = ["ad_storage", "ad_user_data", "ad_personalization"];

/** What asking about consent costs at ingest and at claim, where a tenant has a million tombstones. */
export const rows: Bench = async ({ smoke }) => {
  const tombstones = smoke ? 10_000 : 1_000_000;
  const nowMs = Date.now();
  const key = randomBytes(32);
  const people = createPeople({
    records: manyTombstones(tombstones, nowMs - 1_000),
    digestKeys: { of: async () => key, destroy: async () => {} },
    clock: systemClock,
    destinations: async () => [],
    removal: { remove: async () => {} },
    audit: async () => {},
    visibleAfterMs: 60_000,
  });
  const subjects = createSubjects(key);
  const workflow = setToggle(presets.segment({ defaultCountry: "GB" }), "Order Completed", { server: true });
  const router = createRouter(workflow);
  const raw = Array.from({ length: EVENTS }, (_, n) => segmentPurchase(n, nowMs - 60_000));
  const prepared = (event: unknown) => {
    const routed = router.route(sources.segment.read(event)).decisions[0]?.event as SnapEventInput;
    const made = prepareEvent(routed, { nowMs, defaultCountry: "GB" });
    return made.ok ? made.json : "";
  };
  const persons = raw.map((event) => subjects.ofEvent(prepared(event)));
  const consent = { names: NAMES, absent: "deny" } as const;
  const given = Object.fromEntries(NAMES.map((name) => [name, true]));

  const started = performance.now();
  await people.consent.allowed(TENANT, "shop", [], nowMs);
  const loadedS = (performance.now() - started) / 1_000;

  let kept = 0;
  const check = () => {
    for (const one of persons) {
      if (people.consent.allowed(TENANT, "shop", one, nowMs) === true) kept++;
      if (checkConsent(consent, given) === undefined) kept++;
    }
  };
  const pipeline = () => {
    for (const event of raw) kept += subjects.ofEvent(prepared(event)).length;
  };
  let [checks, events] = [0, 0];
  for (let round = 0; round < (smoke ? 1 : 5); round++) {
    checks = Math.max(checks, await perSecond(EVENTS, smoke ? 20 : 300, check));
    events = Math.max(events, await perSecond(EVENTS, smoke ? 20 : 300, pipeline));
  }
  if (kept === 0) throw new Error("nothing was measured");
  const many = tombstones.toLocaleString("en");
  return [
    {
      name: `consent of three names and ${many} tombstones, an event`,
      value: 1_000_000 / checks,
      unit: "µs",
      limit: 1_000_000 / events,
      goals: [atMost(0.1, "limit", "reading, routing and preparing it")],
    },
    { name: `reading ${many} tombstones into memory, once a process`, value: loadedS, unit: "s", goals: [] },
  ] satisfies Row[];
};

/** A tenant's tombstones as an engine that lists them at once: what is measured is the check. */
function manyTombstones(count: number, atMs: number): Records {
  const value = encode({ all: atMs });
  const keys = Array.from({ length: count }, () =>
    tombstoneKey(TENANT, randomBytes(16).toString("base64url").slice(0, 22)),
  ).sort();
  const record = (key: string): Record_ => ({ key, value, version: 1 });
  const at = (after: string): number => {
    let [low, high] = [0, keys.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((keys[middle] ?? "") <= after) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return {
    get: async () => undefined,
    put: async () => 1,
    delete: async () => false,
    list: async (_prefix, { after = "", limit }) => keys.slice(at(after), at(after) + limit).map(record),
    now: async () => Date.now(),
  };
}
