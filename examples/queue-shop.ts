import { type ChildProcess, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSnapchat, presets, type SnapchatOptions, setToggle } from "snapchat-destination";
import { sqlite } from "snapchat-destination/sqlite";
import { createSimulator, type Simulator } from "snapchat-destination/testing";

/** What the processes of one host share: settings, and a database for everything that is not an event. */
export type HostSettings = Pick<SnapchatOptions, "app" | "endpoints" | "allowEndpoints"> & { db: string; key: string };

export function openSnapchat({ db, key, ...settings }: HostSettings) {
  return createSnapchat({ ...settings, storage: sqlite(db), encryptionKeys: [key], integration: "queue-example" });
}

/** One line of the queue. */
export interface QueuedEvent {
  tenantId: string;
  event: Record<string, unknown>;
  /** Recorded once, when the host received it: the time of an event that carries none. */
  receivedAt: number;
}

/** A simulated Snapchat and a connected shop, for the examples with a queue. */
export async function openQueueShop() {
  const folder = mkdtempSync(join(tmpdir(), "queue-shop-"));
  const simulator = await createSimulator();
  const { clientId, clientSecret, main } = simulator.world;
  const redirectUri = "http://127.0.0.1:8080/snapchat/callback";
  simulator.world.redirectUris.add(redirectUri);
  const settings: HostSettings = {
    app: { clientId, clientSecret, redirectUri },
    endpoints: simulator.endpoints,
    allowEndpoints: [simulator.url],
    db: join(folder, "snapchat.db"),
    key: randomBytes(32).toString("base64"),
  };
  const snapchat = openSnapchat(settings);
  const acme = snapchat.tenant("acme");
  const { id } = await acme.destinations.create({ name: "Snapchat" });
  const away = await snapchat.oauth.connect(new Request("http://127.0.0.1:8080/snapchat/connect"), {
    tenantId: "acme",
    destinationId: id,
  });
  const cookie = away.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  const back = simulator.consent(away.headers.get("location") ?? "");
  await snapchat.oauth.callback(new Request(back, { headers: { cookie } }), { authorize: () => true });
  let workflow = setToggle(presets.customerlabs({ defaultCountry: "GB" }), "Purchased", { server: true });
  workflow = setToggle(workflow, "added_to_segment", { server: true });
  await acme.destinations.update(id, {
    organizationId: main.organization.id,
    adAccountId: main.adAccount.id,
    pixelId: main.pixel.id,
    conversionsToken: main.conversionsToken,
    workflow,
  });
  await acme.destinations.enable(id);
  // The segment is there before anything is killed: a worker that dies while it makes one holds its lock for a minute.
  await snapchat.sendNow([membership("added_to_segment", "eve@example.com")], { ordered: true });
  return {
    simulator,
    snapchat,
    acme,
    id,
    settings,
    async close() {
      await snapchat.close();
      await simulator.close();
      rmSync(folder, { recursive: true });
    },
  };
}

export function purchase(n: number): QueuedEvent {
  return {
    tenantId: "acme",
    receivedAt: Date.now(),
    event: {
      event: "Purchased",
      event_id: `order-${n}`,
      customProperties: {
        value: 20,
        currency: "GBP",
        order_id: `SO-${n}`,
        page_url: "https://shop.example/thanks",
        user_traits: { email: `jane${n}@example.com` },
      },
    },
  };
}

export function membership(event: "added_to_segment" | "removed_from_segment", email: string): QueuedEvent {
  return {
    tenantId: "acme",
    receivedAt: Date.now(),
    event: {
      event,
      customProperties: {
        segment_name: "vip",
        user_traits: { email },
        external_ids: { customerlabs_user_id: email },
      },
    },
  };
}

/** Says what Snapchat has in the end, and answers it. */
export function report({ inspect }: Simulator, offered: number, say: (line: string) => void) {
  const { received, counted } = inspect.events;
  const segments = inspect.segments();
  const digests = inspect.members(segments[0]?.id ?? "").EMAIL_SHA256;
  const where = (email: string) =>
    digests.has(createHash("sha256").update(email).digest("hex")) ? "in the segment" : "not in the segment";
  const [ann, bob] = ["ann@example.com", "bob@example.com"].map(where);
  say(`Snapchat received ${received} events and counted ${counted} of ${offered}.`);
  say(`The three memberships: Ann, added, is ${ann}; Bob, added and removed, is ${bob}.`);
  return { offered, received, counted, segments };
}

/** A worker in a process of its own, as in production; it can be killed. */
export function startProcess(script: string, settings: unknown, execArgv: readonly string[]): ChildProcess {
  return spawn(process.execPath, [...execArgv, script, JSON.stringify(settings)], {
    stdio: ["ignore", "inherit", "inherit"],
  });
}

export async function end(child: ChildProcess, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill(signal);
  await gone;
}

/** Looks again until it is so. */
export async function until(so: () => boolean | Promise<boolean>, what: string, withinMs = 30_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await so())) {
    if (performance.now() > deadline) throw new Error(`Not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
