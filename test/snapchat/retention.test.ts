import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createSnapchat, type Snapchat } from "snapchat-destination";
import { sqlite } from "snapchat-destination/sqlite";
import { createSimulator, type Simulator } from "snapchat-destination/testing";
import { afterEach, beforeEach, expect, it } from "vitest";
import { runningClock } from "../connecting/running-clock.ts";
import { purchase, shopWorkflow } from "./shop.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** What is removed by itself, by what its key begins with, shortest first. */
const KEPT: [what: string, prefix: string, ms: number][] = [
  ["a sign-in that nobody finished", "~state/", 10 * MINUTE],
  ["the digest of a person who asked to be forgotten", "tombstone/", 67 * DAY],
  ["the news of it for other processes", "tombstones/", 67 * DAY],
  ["names of events that are not mapped", "seen/", 90 * DAY],
  ["when something was delivered last", "delivered/", 90 * DAY],
  ["the audit trail", "audit/", 400 * DAY],
];
/** What stays as long as the tenant, the destination or the login; of a person there is nothing in it. */
const STAYS = [
  "connection/",
  "destination/",
  "digest-key/",
  "owner/",
  "segment-backfill/",
  "segment-follow/",
  "stamp/",
  "tenant/",
];
/** Random values. */
const LOCKS = "~lock/";

let clock: ReturnType<typeof runningClock>;
let simulator: Simulator;
let snapchat: Snapchat;
let directory: string;
let file: DatabaseSync;

beforeEach(async () => {
  clock = runningClock();
  directory = mkdtempSync(join(tmpdir(), "retention-"));
  simulator = await createSimulator({ listen: false });
  const { clientId, clientSecret } = simulator.world;
  const path = join(directory, "test.db");
  snapchat = createSnapchat({
    app: { clientId, clientSecret, redirectUri: "https://cdp.example/snapchat/callback" },
    storage: sqlite(path, { clock }),
    encryptionKeys: [randomBytes(32).toString("base64")],
    endpoints: simulator.endpoints,
    allowEndpoints: Object.values(simulator.endpoints),
    fetch: (request) => simulator.fetch(request),
    clock,
  });
  await snapchat.storage.migrate();
  file = new DatabaseSync(path, { readOnly: true });
});
afterEach(async () => {
  file.close();
  await snapchat.close();
  await simulator.close();
  rmSync(directory, { recursive: true });
});

/** Rows that are there, read past the adapter: expired or not. */
const rows = (prefix = "") =>
  file
    .prepare("SELECT key FROM records ORDER BY key")
    .all()
    .map(({ key }) => String(key))
    .filter((key) => key.startsWith(prefix));

it("what is stored is gone from the file when its time is over, and there is nothing that is not said", async () => {
  const acme = snapchat.tenant("acme");
  const { id } = await acme.destinations.create({ name: "Shop" });
  const login = simulator.control.issueToken();
  const { access_token: accessToken, refresh_token: refreshToken, expires_in: seconds } = login;
  const { main } = simulator.world;
  await acme.destinations.update(id, { pixelId: main.pixel.id, workflow: shopWorkflow() });
  await acme.connections.import(id, { accessToken, refreshToken, expiresInMs: 1_000 * seconds });
  await acme.destinations.enable(id);
  await snapchat.oauth.connect(new Request("https://cdp.example/snapchat/connect"), {
    tenantId: "acme",
    destinationId: id,
  });
  await acme.people.forget({ email: "jane@example.com" });
  await acme.track([{ ...purchase("1", "ada@example.com"), event: "Spun a wheel" }, purchase("2", "ada@example.com")]);
  const began = clock.now();
  await snapchat.drain({ maxMs: 2_000 });

  const said = [LOCKS, ...STAYS, ...KEPT.map(([, prefix]) => prefix)];
  expect(rows().filter((key) => !said.some((prefix) => key.startsWith(prefix)))).toEqual([]);
  for (const prefix of said) expect(rows(prefix), prefix).not.toEqual([]);
  const first = new Map(said.map((prefix) => [prefix, rows(prefix)]));
  const left = (prefix: string) => rows(prefix).filter((key) => first.get(prefix)?.includes(key)).length;
  const at = async (ms: number) => {
    clock.forward(began + ms - clock.now());
    await snapchat.drain({ maxMs: 300 });
  };
  for (const time of new Set(KEPT.map(([, , ms]) => ms))) {
    const over = KEPT.filter(([, , ms]) => ms === time);
    await at(time - 5 * MINUTE);
    for (const [what, prefix] of over) expect(left(prefix), what).toBeGreaterThan(0);
    await at(time + HOUR);
    for (const [what, prefix] of over) expect(left(prefix), what).toBe(0);
  }
  for (const prefix of STAYS) expect(left(prefix), prefix).toBeGreaterThan(0);
  await acme.connections.disconnect(id);
  expect(rows("connection/")).toEqual([]);
});
