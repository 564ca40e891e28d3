import { randomBytes } from "node:crypto";
import { createSnapchat, definePlugin, type Snapchat, type SnapchatOptions } from "snapchat-destination";
import { hash } from "snapchat-destination/identity";
import { createSimulator, type Simulator } from "snapchat-destination/testing";
import type { Storage } from "../../../src/storage/ports.ts";
import { NO_LIMITS, shopWorkflow } from "../../snapchat/shop.ts";
import { surface } from "../surface.ts";
import { type Canary, canary } from "./canaries.ts";
import type { Walk } from "./sinks.ts";
import { terminal } from "./terminal.ts";

const CALLBACK = "http://127.0.0.1:8080/snapchat/callback";

const PERSON = {
  mail: "zephyrine.quillfeather@walk-canary.example",
  phone: "+44 7700 900987",
  digits: "7700900987",
  first: "Zephyrine",
  last: "Quillfeather",
  street: "77 Marmalade Lane",
  city: "Canaryville",
  zip: "ZQ7 7QZ",
};

const DEVICE = {
  ip: "203.0.113.77",
  agent: "CanaryBrowser/7.7",
  clickId: "canary-click-id-0123456789",
  cookie: "canary-cookie-0123456789",
  madid: "cafecafe-0123-4567-89ab-cafecafecafe",
  page: "https://shop.example/canary-page",
};

/** What is planted from the beginning; tokens are added as Snapchat gives them. */
export function planted(): Canary[] {
  const { mail, digits, phone, first, last, street, city, zip } = PERSON;
  return [
    canary("mail", "direct", mail),
    canary("phone", "direct", digits),
    canary("phone as written", "direct", phone),
    canary("first name", "direct", first),
    canary("last name", "direct", last),
    canary("street", "direct", street),
    canary("city", "direct", city),
    canary("zip", "direct", zip),
    canary("hash of the mail", "pseudonym", hash("em", mail) ?? ""),
    canary("hash of the phone", "pseudonym", hash("ph", phone) ?? ""),
    ...Object.entries(DEVICE).map(([name, text]) => canary(name, "transport", text)),
  ].flat();
}

function traits(): Record<string, unknown> {
  const { mail, phone, first, last, street, city, zip } = PERSON;
  return { email: mail, phone, first_name: first, last_name: last, street, city, zip, gender: "f" };
}

function bought(id: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    event: "Purchased",
    event_id: id,
    timestamp: new Date().toISOString(),
    context: { ip: DEVICE.ip, userAgent: DEVICE.agent },
    customProperties: {
      value: 20,
      currency: "GBP",
      order_id: id,
      page_url: `${DEVICE.page}?email=${PERSON.mail}&ScCid=${DEVICE.clickId}`,
      user_traits: traits(),
      external_ids: { sc_click_id: DEVICE.clickId, _scid: DEVICE.cookie, customerlabs_user_id: PERSON.mail },
      ip: DEVICE.ip,
      user_agent: DEVICE.agent,
      madid: DEVICE.madid,
      ...more,
    },
  };
}

function entered(event = "added_to_segment"): Record<string, unknown> {
  const properties = { segment_name: "vip", user_traits: traits() };
  return { event, customProperties: { ...properties, external_ids: { customerlabs_user_id: PERSON.mail } } };
}

/** A host, a marketer, shoppers and every kind of trouble; everything that can be heard of it goes to the walk. */
export async function day(walk: Walk, storage: Storage) {
  const canaries = planted();
  const plant = (name: string, text: string | undefined) => {
    if (text) canaries.push(...canary(name, "secret", text));
  };
  const simulator = await createSimulator();
  simulator.knobs.rateLimits = false;
  const { clientId, clientSecret, main } = simulator.world;
  simulator.world.redirectUris.add(CALLBACK);
  const key = randomBytes(32).toString("base64");
  plant("client secret", clientSecret);
  plant("encryption key", key);
  plant("Conversions token", main.conversionsToken);

  const options: SnapchatOptions = {
    app: { clientId, clientSecret, redirectUri: CALLBACK },
    storage: walk.watched(storage),
    acceptLoss: true,
    encryptionKeys: [key],
    endpoints: simulator.endpoints,
    allowEndpoints: [simulator.url],
    delivery: { lingerMs: 0, memberLingerMs: 0 },
    limits: NO_LIMITS,
    onReauthRequired: (event) => walk.record("events", event),
    logger: {
      debug: (...line) => walk.record("logs", ...line),
      info: (...line) => walk.record("logs", ...line),
      warn: (...line) => walk.record("logs", ...line),
      error: (...line) => walk.record("logs", ...line),
    },
    // The host's own `fetch` sees tokens; from here they are known to the walk.
    async fetch(request) {
      const response = await fetch(request);
      if (request.url.startsWith(simulator.endpoints.accounts)) {
        const json = (await response
          .clone()
          .json()
          .catch(() => ({}))) as { access_token?: string; refresh_token?: string };
        plant("access token", json.access_token);
        plant("refresh token", json.refresh_token);
      }
      return response;
    },
    plugins: [
      definePlugin({
        name: "walk",
        notify: (told) => walk.record("events", told),
        audit: (lines) => walk.record("audit", ...lines),
        receipts: (lines) => walk.record("receipts", ...lines),
      }),
      definePlugin({
        name: "clumsy",
        // What a plugin throws is its own text, and may be anything.
        enrich: () => {
          throw new Error(`No profile of ${PERSON.mail}`);
        },
      }),
    ],
  };
  const snapchat = createSnapchat(options);
  const acme = snapchat.tenant("acme");
  const { id } = await acme.destinations.create({ name: "Shop" }, { actor: "user-7" });

  await signIns(walk, snapchat, simulator, id, plant);
  await settings(walk, snapchat, simulator, id);
  await traffic(walk, snapchat, simulator, id);
  await trouble(walk, snapchat, simulator, plant);
  await people(walk, snapchat);
  await everyMethod(walk, snapchat, id);
  await reports(walk, snapchat, id);
  await terminal(walk, snapchat, id);
  await lostLogin(walk, snapchat, simulator, id);
  for (const encryptionKeys of [[`${key}AAAA`], [key.slice(0, -8)], [`${key} ${key}`]]) {
    await walk.trying(() => createSnapchat({ ...options, encryptionKeys }));
  }
  await walk.asking(() => snapchat.tenants.offboard("evil", { actor: "user-7", segments: "delete" }));
  return { canaries, snapchat, simulator, id };
}

type Plant = (name: string, text: string | undefined) => void;

async function signIns(walk: Walk, snapchat: Snapchat, simulator: Simulator, id: string, plant: Plant): Promise<void> {
  for (const end of ["denied", "foreign", "code refused", "server error", "good", "replayed"]) {
    const away = await snapchat.oauth.connect(new Request("http://127.0.0.1:8080/snapchat/connect"), {
      tenantId: "acme",
      destinationId: id,
      ...(end === "denied" ? { returnTo: "/settings" } : {}),
    });
    const cookie = away.headers.getSetCookie()[0]?.split(";", 1)[0] ?? "";
    plant("browser's secret", cookie.split("=")[1]);
    const back = new URL(simulator.consent(away.headers.get("location") ?? "", { allow: end !== "denied" }));
    for (const name of ["code", "state"]) plant(name, back.searchParams.get(name) ?? undefined);
    if (end === "code refused") back.searchParams.set("code", "spent-code-canary-0123456789");
    if (end === "server error") simulator.faults.add({ area: "accounts", status: 400, body: echoed(back), count: 1 });
    const request = () => new Request(back, { headers: end === "foreign" ? {} : { cookie } });
    const come = () => snapchat.oauth.callback(request(), { authorize: () => true, actor: "user-7" });
    const response = await walk.trying(come);
    if (response) await walk.page(response);
    if (end === "replayed") {
      const again = await walk.trying(come);
      if (again) await walk.page(again);
      await walk.trying(() => snapchat.oauth.finish(request(), { authorize: () => true }));
    }
  }
}

/** A gateway that says back what it was sent. */
function echoed(back: URL): string {
  return `<html>Bad gateway: POST grant_type=authorization_code&code=${back.searchParams.get("code")}</html>`;
}

async function settings(walk: Walk, snapchat: Snapchat, simulator: Simulator, id: string): Promise<void> {
  const { destinations, accounts } = snapchat.tenant("acme");
  const { adAccount, pixel, organization, conversionsToken } = simulator.world.main;
  const patch = { organizationId: organization.id, adAccountId: adAccount.id, pixelId: pixel.id };
  await walk.asking(() => destinations.update(id, { ...patch, conversionsToken, workflow: shopWorkflow() }));
  await walk.asking(() => destinations.enable(id));
  for (const wrong of [
    { conversionsToken: `${conversionsToken} ${conversionsToken}` },
    { conversionsToken: "kurz" },
    { settings: { defaultCountry: PERSON.mail } },
    { settings: { [PERSON.mail]: true } },
    { workflow: { format: 1, source: PERSON.mail, rules: [{ event: PERSON.last }] } },
    { workflow: { ...shopWorkflow(), format: PERSON.mail } },
    { pixelId: PERSON.mail },
    { adAccountId: PERSON.phone, organizationId: conversionsToken },
  ]) {
    await walk.trying(() => destinations.update(id, wrong as never));
  }
  for (const status of [401, 403, 404, 418]) {
    simulator.faults.add({ area: "ads", status, body: `refused: Bearer ${conversionsToken}`, count: 4 });
    await walk.trying(() => accounts.tree(id));
    await walk.asking(() => snapchat.tenant("acme").preflight(id));
    simulator.faults.clear();
  }
}

async function traffic(walk: Walk, snapchat: Snapchat, simulator: Simulator, id: string): Promise<void> {
  const acme = snapchat.tenant("acme");
  const events = [
    bought("good-1"),
    bought("good-2", {
      user_traits: { email: `not a mail ${PERSON.mail} at all`, phone: `call ${PERSON.phone} please` },
    }),
    bought("bad-currency", { currency: PERSON.last }),
    bought("bad-value", { value: PERSON.mail }),
    { ...bought("bad-time"), timestamp: PERSON.mail },
    { ...bought("bad-name"), event: PERSON.mail },
    entered(),
    { event: "added_to_segment", customProperties: { user_traits: traits() } },
    PERSON.mail,
    [PERSON.mail],
  ];
  const receipts = await acme.track(events);
  walk.record("receipts", receipts);
  for (const event of events) await walk.trying(() => acme.explain(id, event));
  await walk.asking(() => snapchat.drain({ maxMs: 5_000 }));
  walk.record("receipts", await acme.track([bought("good-1"), entered("removed_from_segment")]));
  await walk.asking(() => snapchat.drain({ maxMs: 5_000 }));
  if (simulator.inspect.events.counted < 2) throw new Error("Nothing was delivered: the walk would prove nothing.");
}

/**
 * Snapchat, or something before it, says back what it was sent: the token and what the event holds in plain. Each kind of
 * trouble has a tenant of its own, for the first would keep the others from being tried.
 */
async function trouble(walk: Walk, snapchat: Snapchat, simulator: Simulator, plant: Plant): Promise<void> {
  const { conversionsToken, organization, adAccount, pixel } = simulator.world.main;
  const words =
    `Rejected /v3/x/events?access_token=${conversionsToken} authorization: Bearer ${conversionsToken} ` +
    `from ${DEVICE.page}?email=${PERSON.mail} ${Object.values(DEVICE).join(" ")} ` +
    `with ${hash("em", PERSON.mail)} and ${hash("ph", PERSON.phone)}`;
  const body = { status: "INVALID", reason: words, errors: { error_msgs: [{ message: words, error_code: "E1" }] } };
  const envelope = { request_status: "ERROR", debug_message: words, error_code: "E1" };
  for (const fault of [
    { status: 400, body, ads: envelope },
    { status: 200, body: words, ads: envelope },
    { status: 500, body: words },
    { reset: true },
    { status: 403, body, ads: envelope },
    { status: 429, body: words },
    { status: 401, body: words },
  ]) {
    const name = `trouble-${fault.status ?? "reset"}`;
    const tenant = snapchat.tenant(name);
    const { id } = await tenant.destinations.create({ name });
    const login = simulator.control.issueToken();
    plant("access token", login.access_token);
    plant("refresh token", login.refresh_token);
    const { access_token: accessToken, refresh_token: refreshToken, scope, expires_in: seconds } = login;
    const imported = { accessToken, refreshToken, scopes: scope.split(" "), expiresInMs: 1_000 * seconds };
    const chosen = { organizationId: organization.id, adAccountId: adAccount.id, pixelId: pixel.id };
    await tenant.destinations.update(id, { ...chosen, conversionsToken, workflow: shopWorkflow() });
    await walk.asking(() => tenant.connections.import(id, imported));
    await tenant.destinations.enable(id);
    const { ads, ...onEvents } = fault as typeof fault & { ads?: object };
    const events = simulator.faults.add({ area: "conversions", ...onEvents });
    const members = simulator.faults.add({ area: "ads", ...onEvents, ...(ads ? { body: ads as never } : {}) });
    walk.record("receipts", await tenant.track([bought(`${name}-1`), entered(), bought(`${name}-2`)]));
    for (let turn = 0; turn < 100 && (events.hits === 0 || members.hits === 0); turn += 1) {
      await walk.asking(() => snapchat.drain({ maxMs: 300 }));
    }
    if (events.hits === 0 || members.hits === 0) throw new Error(`${name} touched nothing: it would prove nothing.`);
    simulator.faults.clear();
    await snapchat.pause({ destinationId: id });
    await walk.asking(() => tenant.deadLetters.list(id));
  }
}

async function people(walk: Walk, snapchat: Snapchat): Promise<void> {
  const acme = snapchat.tenant("acme");
  const person = { email: PERSON.mail, phone: PERSON.phone };
  await walk.asking(() => acme.people.inspect(person));
  // Both wait two seconds for other processes.
  await Promise.all([
    walk.asking(() => acme.people.revokeConsent(person, { actor: "user-7" } as never)),
    walk.asking(() => acme.people.forget(person, { actor: "user-7" } as never)),
  ]);
  await walk.trying(() => acme.people.forget({ email: PERSON.last, phone: PERSON.first }));
}

/** Every method there is, called with what it should not be called with. */
async function everyMethod(walk: Walk, snapchat: Snapchat, id: string): Promise<void> {
  const junk = { name: PERSON.mail, email: PERSON.mail, id: PERSON.mail, organizationId: PERSON.mail, n: 1 };
  const calls = ["acme", "evil"].flatMap((tenantId) =>
    surface(snapchat.tenant(tenantId)).flatMap(([, method]) => [
      walk.trying(() => method(PERSON.mail, junk, junk)),
      ...(tenantId === "evil" ? [walk.trying(() => method(id, junk, junk))] : []),
    ]),
  );
  await Promise.all(calls);
}

async function reports(walk: Walk, snapchat: Snapchat, id: string): Promise<void> {
  const acme = snapchat.tenant("acme");
  const report = await walk.asking(() => acme.verify(id));
  walk.record("answers", report?.text(), report?.markdown());
  await walk.asking(() => acme.preflight(id));
  await walk.asking(() => snapchat.stats());
  await walk.asking(() => snapchat.health());
  await walk.asking(() => snapchat.storage.check());
  await walk.asking(() => snapchat.tenants.list());
  await walk.asking(() => snapchat.keys.rotate());
  await walk.asking(() => snapchat.keys.inUse());
  await walk.asking(() => acme.segments.list(id));
  await walk.asking(() => acme.deadLetters.list(id));
  await walk.asking(() => acme.deadLetters.replay(id));
  const { items } = await acme.audit.list({ limit: 1_000 });
  const lines = await Array.fromAsync(acme.audit.export());
  walk.record("audit", items, lines);
}

async function lostLogin(walk: Walk, snapchat: Snapchat, simulator: Simulator, id: string): Promise<void> {
  const acme = snapchat.tenant("acme");
  simulator.control.revokeAccessTokens();
  simulator.faults.add({ area: "accounts", status: 503, body: "client_secret=… refresh_token=…", count: 3 });
  await walk.trying(() => acme.accounts.tree(id));
  simulator.faults.clear();
  simulator.control.revokeRefreshTokens();
  await walk.trying(() => acme.accounts.me(id));
  walk.record("receipts", await acme.track([entered()]));
  await walk.asking(() => snapchat.drain({ maxMs: 700 }));
  await walk.asking(() => acme.preflight(id));
  await walk.asking(() => acme.destinations.disconnect(id));
}
