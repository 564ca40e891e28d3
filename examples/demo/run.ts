/**
 * `npm run demo`: the whole job of the product, step by step, on a shop's day of 5,000 events, against a simulated
 * Snapchat in another process, with faults. Ends with a balance of what was offered and what Snapchat has, and exits 0
 * only if it balances.
 *
 * `-- --json`: prints one JSON object as its last line. `-- --serve`: leaves simulator and worker running.
 */
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createSnapchat, presets, type Receipt, setToggle } from "snapchat-destination";
import { sqlite } from "snapchat-destination/sqlite";
import { type ShopEvent, shopDay } from "../../scripts/shop-day.ts";
import { type Balance, balanceOf } from "./balance.ts";
import { FAULT_RULES, FAULTS } from "./faults.ts";
import { createScreen } from "./screen.ts";
import { startSimulator } from "./simulator-process.ts";

const { values: flags } = parseArgs({ options: { json: { type: "boolean" }, serve: { type: "boolean" } } });
const screen = createScreen({ quiet: flags.json === true, terminal: process.stdout.isTTY === true });
const started = performance.now();
const folder = mkdtempSync(join(tmpdir(), "snapchat-demo-"));
/** Between two batches of the day, so that it takes a few seconds instead of one burst. */
const PAUSE_MS = 120;
const redirectUri = "http://127.0.0.1:8080/snapchat/callback";

const simulator = await startSimulator(redirectUri);
const snapchat = createSnapchat({
  app: { clientId: simulator.clientId, clientSecret: simulator.clientSecret, redirectUri },
  storage: sqlite(join(folder, "snapchat.db")),
  encryptionKeys: [randomBytes(32).toString("base64")],
  integration: "demo-cdp",
  endpoints: simulator.endpoints,
  allowEndpoints: [simulator.url],
  // A day in half a minute: short deadlines and short waits.
  delivery: { requestTimeoutMs: 1_500, memberLingerMs: 1_000, settleDownMs: 2_000 },
});
const acme = snapchat.tenant("acme");
const actor = "demo";

screen.say(`A simulated Snapchat listens on ${simulator.url}; everything is kept in one SQLite file.`);

screen.step(1, "Enable the destination");
const shop = await acme.destinations.create({ name: "Snapchat, Acme UK" }, { actor });
screen.say(`"${shop.name}" is in the catalogue, still switched off.`);

screen.step(2, "Sign in at Snapchat");
const away = await snapchat.oauth.connect(
  new Request(`${redirectUri.replace("/callback", "/connect")}?id=${shop.id}`),
  {
    tenantId: "acme",
    destinationId: shop.id,
  },
);
const { redirect } = await simulator.post<{ redirect: string }>("consent", {
  authorizeUrl: away.headers.get("location"),
});
const cookie = away.headers
  .getSetCookie()
  .map((line) => line.split(";")[0])
  .join("; ");
const back = await snapchat.oauth.callback(new Request(redirect, { headers: { cookie } }), { authorize: () => true });
screen.say(`Signed in and sent back (status ${back.status}). The tokens are sealed in the database.`);

screen.step(3, "Choose accounts");
const choices = await acme.accounts.tree(shop.id);
const organization = choices.organizations.find((candidate) => candidate.adAccounts.some(({ available }) => available));
const adAccount = organization?.adAccounts.find((candidate) => candidate.available && candidate.pixels.length > 0);
const pixel = adAccount?.pixels.find(({ available }) => available);
if (!organization || !adAccount || !pixel) throw new Error("There is nothing to choose.");
screen.say(`${organization.name} → ${adAccount.name} → ${pixel.name}`);

screen.step(4, "Paste the Conversions API token, switch server-side on");
let workflow = presets.customerlabs({ defaultCountry: "GB", consent: { names: ["ad_storage"], absent: "deny" } });
const saved = await acme.destinations.update(
  shop.id,
  {
    organizationId: organization.id,
    adAccountId: adAccount.id,
    pixelId: pixel.id,
    conversionsToken: simulator.conversionsToken,
    serverSide: true,
  },
  { actor },
);
screen.say(`Kept as ${saved.conversionsToken?.masked}, ${saved.conversionsToken?.status}. Nobody can read it back.`);

screen.step(5, "Choose events");
const bothSides = ["Product viewed", "Added to cart", "Checkout made", "Purchased"];
const serverOnly = ["Category viewed", "Search made", "Added to wishlist", "AddPaymentInfo", "lead_created"];
for (const event of bothSides) workflow = setToggle(workflow, event, { server: true, client: true });
for (const event of serverOnly) workflow = setToggle(workflow, event, { server: true });
screen.say(`Server and pixel: ${bothSides.join(", ")}.`);
screen.say(`Server only: ${serverOnly.join(", ")}.`);

screen.step(6, "Sync audiences");
workflow = setToggle(workflow, "added_to_segment", { server: true });
screen.say("added_to_segment is on; removed_from_segment came with it.");
await acme.destinations.update(shop.id, { workflow }, { actor });
await acme.destinations.enable(shop.id, { actor });

screen.say("A shop's day arrives. To see that nothing is lost, Snapchat will now fail on purpose:");
for (const words of FAULTS) screen.say(`  · ${words}`);
for (const rule of FAULT_RULES) await simulator.post("faults", rule);
const worker = snapchat.startWorker({ lingerMs: 50, maxBatch: 100 });
const day = arrivingNow(readDay());
const receipts: Receipt[] = [];
for (const batch of day) {
  receipts.push(...(await acme.track(batch.events, { receivedAt: batch.receivedAt })));
  screen.progress("Offered  ", receipts.length, 5_000);
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
}
screen.say(`All ${receipts.length.toLocaleString("en")} are stored; from here a crash loses nothing.`);
await delivered();

screen.step(7, "Verify");
const report = await acme.verify(shop.id);
for (const line of report.lines) screen.say(`${{ ok: "✓", warning: "!", problem: "✗" }[line.status]} ${line.message}`);

const balance = balanceOf({
  receipts,
  expected: shopDay().audiences,
  state: await simulator.get("state"),
  events: await simulator.get("events?channel=server"),
  members: await membersByKey(),
  deadLetters: (await snapchat.stats()).deadLetters,
  faults: FAULT_RULES.length,
});
show(balance);
const ok = balance.wrong.length === 0 && report.ok;
const seconds = Number(((performance.now() - started) / 1_000).toFixed(1));

if (flags.serve) {
  screen.say(`Simulator: ${simulator.url}/__simulator/state. The worker is running. Ctrl+C ends both.`);
  await new Promise((resolve) => process.once("SIGINT", resolve));
}
await worker.stop();
await snapchat.close();
await simulator.stop();
rmSync(folder, { recursive: true, force: true });
if (flags.json && balance.wrong.length > 0) console.error(`It does not balance: ${balance.wrong.join("; ")}`);
if (flags.json) console.log(JSON.stringify({ ...balance.summary, verifyOk: report.ok, seconds }));
process.exitCode = ok ? 0 : 1;

function readDay(): ShopEvent[] {
  const file = new URL("../data/shop-day.ndjson", import.meta.url);
  return readFileSync(file, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as ShopEvent);
}

/** The file's day, moved so that it ends now, in the batches in which a CDP's queue would hand it over. */
function arrivingNow(events: ShopEvent[]): { receivedAt: Date; events: unknown[] }[] {
  const last = Date.parse(events.at(-1)?.received_at ?? "");
  const moved = Date.now() - last;
  const batches: { receivedAt: Date; events: unknown[] }[] = [];
  for (let i = 0; i < events.length; i += 100) {
    const page = events.slice(i, i + 100);
    batches.push({
      receivedAt: new Date(Date.parse(page[0]?.received_at ?? "") + moved),
      events: page.map(({ event }) => withTimeMoved(event, moved)),
    });
  }
  return batches;
}

function withTimeMoved(event: Record<string, unknown>, ms: number): Record<string, unknown> {
  const { timestamp } = event;
  return typeof timestamp === "string"
    ? { ...event, timestamp: new Date(Date.parse(timestamp) + ms).toISOString() }
    : event;
}

async function delivered(): Promise<void> {
  const total = (await snapchat.stats()).waiting;
  for (;;) {
    const { waiting } = await snapchat.stats();
    screen.progress("Delivered of what still waited", Math.max(0, total - waiting), total);
    if (waiting === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

/** What the simulator holds, by the CDP's segment key. */
async function membersByKey(): Promise<Map<string, { email: string[]; phone: string[] }>> {
  const held = new Map<string, { email: string[]; phone: string[] }>();
  for (const { key, segmentId } of await acme.segments.list(shop.id)) {
    if (!segmentId) continue;
    const members = await simulator.get<Record<string, string[]>>(`members?segment=${segmentId}`);
    held.set(key, { email: members.EMAIL_SHA256 ?? [], phone: members.PHONE_SHA256 ?? [] });
  }
  return held;
}

function show({ hostEvents, snapEvents, memberships, faults, wrong }: Balance): void {
  screen.table("Host events, one outcome each", hostEvents);
  screen.table("Snap events", snapEvents);
  screen.table("Memberships", memberships);
  screen.table("Faults that struck", faults);
  screen.say(wrong.length === 0 ? "\n   Everything balances." : `\n   It does not balance: ${wrong.join("; ")}`);
}
