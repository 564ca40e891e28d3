import { sha256Hex } from "snapchat-destination/identity";
import { memory } from "snapchat-destination/memory";
import type { FaultAction } from "snapchat-destination/testing";
import { afterEach, describe, expect, it } from "vitest";
import { type ShiftedClock, shiftedClock } from "./shifted-clock.ts";
import { entered, NO_LIMITS, openSnapchat, type Shop, shopWorkflow, signIn } from "./shop.ts";

/** Two tenants with a login of their own each, in businesses of their own. */
interface Market extends Omit<Shop, "close"> {
  clock: ShiftedClock;
  globex: Shop["acme"];
  globexId: string;
}

let market: Market;
afterEach(async () => {
  await market.snapchat.close();
  await market.simulator.close();
});

const MINUTE = 60_000;
const ACCOUNTS = {
  acme: { name: "Acme UK", person: "ada" },
  globex: { name: "Globex US", person: "ben" },
};
const NOT_ALLOWED = {
  code: "access_forbidden",
  message: "The person who connected may not change audiences of this ad account.",
  fix: "Give them the role Data Manager or higher in the ad account, and let an organization admin accept the Customer List terms in Ads Manager.",
};

async function openMarket(): Promise<Market> {
  const clock = shiftedClock();
  const { simulator, snapchat } = await openSnapchat(
    {
      clock,
      storage: memory({ clock }),
      limits: NO_LIMITS,
      delivery: { lingerMs: 0, memberLingerMs: 0, journalShare: 1, retryMinMs: 1, settleDownMs: MINUTE },
    },
    undefined,
    {
      clock,
      people: ["ada", "ben"],
      organizations: Object.values(ACCOUNTS).map(({ name, person }) => ({
        name,
        adAccounts: [{ name, pixels: [name] }],
        roles: { [person]: ["admin"] },
      })),
      knobs: { rateLimits: false },
    },
  );
  const connected = async (tenantId: keyof typeof ACCOUNTS) => {
    const tenant = snapchat.tenant(tenantId);
    const { id } = await tenant.destinations.create({ name: "Snapchat" });
    await signIn({ simulator, snapchat }, tenantId, id, ACCOUNTS[tenantId].person);
    const account = simulator.world.adAccounts.find(({ name }) => name === ACCOUNTS[tenantId].name);
    await tenant.destinations.update(id, {
      organizationId: account?.organizationId ?? "",
      adAccountId: account?.id ?? "",
      pixelId: simulator.world.pixels.find(({ adAccountId }) => adAccountId === account?.id)?.id ?? "",
      workflow: shopWorkflow(),
    });
    await tenant.destinations.enable(id);
    return { tenant, id };
  };
  const acme = await connected("acme");
  const globex = await connected("globex");
  market = {
    clock,
    simulator,
    snapchat,
    acme: acme.tenant,
    id: acme.id,
    globex: globex.tenant,
    globexId: globex.id,
  };
  return market;
}

const drain = () => market.snapchat.drain({ maxMs: 20_000 });
const address = (n: number) => `person-${n}@example.com`;
const digests = (...ns: number[]) => new Set(ns.map((n) => sha256Hex(address(n))));
const accountOf = (tenantId: keyof typeof ACCOUNTS) =>
  market.simulator.world.adAccounts.find(({ name }) => name === ACCOUNTS[tenantId].name) as { id: string };

function views(tenantId: keyof typeof ACCOUNTS, name = "vip") {
  const { id } = accountOf(tenantId);
  return market.simulator.inspect.segments().filter((one) => one.name === name && one.adAccountId === id);
}

function held(tenantId: keyof typeof ACCOUNTS, name?: string) {
  const segment = views(tenantId, name)[0];
  return segment ? market.simulator.inspect.members(segment.id).EMAIL_SHA256 : new Set();
}

/** People enter the segment of both tenants; `n` is also the event's id. */
async function enter(...ns: number[]) {
  const events = ns.map((n) => ({ ...entered("vip", address(n)), event_id: `e${n}` }));
  const { acme, globex, clock } = market;
  for (const tenant of [acme, globex]) {
    const receipts = await tenant.track(events, { receivedAt: clock.now() });
    expect(receipts.map(({ status }) => status)).toEqual(ns.map(() => "queued"));
  }
  await drain();
}

/** What waits is due again, and is tried. */
async function later(ms = 3 * MINUTE) {
  market.clock.advance(ms);
  await drain();
}

const attempts = async (eventId: string) => {
  const { items } = await market.acme.receipts.find(market.id, { eventId });
  return { status: items[0]?.status, attempts: items[0]?.entries.filter(({ type }) => type === "attempt") };
};
const line = async (code: string) => (await market.acme.verify(market.id)).lines.find((one) => one.code === code);
const waiting = async () => (await market.acme.verify(market.id)).queue;

/** A customer list that a person made in Ads Manager. */
async function byHand(...names: string[]): Promise<string[]> {
  const { simulator } = market;
  const { id } = accountOf("acme");
  const token = simulator.control.issueToken({ person: "ada" }).access_token;
  const made: string[] = [];
  for (let from = 0; from < names.length; from += 15) {
    const response = await fetch(`${simulator.endpoints.adsApi}/v1/adaccounts/${id}/segments`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({
        segments: names
          .slice(from, from + 15)
          .map((name) => ({ name, ad_account_id: id, source_type: "FIRST_PARTY", retention_in_days: 180 })),
      }),
    });
    const { segments } = (await response.json()) as { segments: { segment: { id: string } }[] };
    made.push(...segments.map(({ segment }) => segment.id));
  }
  return made;
}

const withdrawn = {
  "terms that nobody accepted": {
    cause: ({ simulator }: Market) => {
      const organization = simulator.world.organizations.find(({ name }) => name === ACCOUNTS.acme.name);
      simulator.control.acceptTerms(organization?.id ?? "", false);
      return () => simulator.control.acceptTerms(organization?.id ?? "");
    },
  },
  "a role that is gone": {
    cause: ({ simulator }: Market) => {
      const organization = simulator.world.organizations.find(({ name }) => name === ACCOUNTS.acme.name);
      simulator.control.setRoles("ada", organization?.id ?? "", ["member"]);
      simulator.control.setRoles("ada", accountOf("acme").id, ["reports"]);
      return () => simulator.control.setRoles("ada", accountOf("acme").id, ["audience"]);
    },
  },
};

describe.each(Object.entries(withdrawn))("%s", (_, { cause }) => {
  it("keeps a segment from being made, says so, and costs nobody else anything; then it is made by itself", async () => {
    const mended = cause(await openMarket());
    const { acme, id, snapchat, clock } = market;
    const forbidden: string[] = [];
    snapchat.on("forbidden", ({ tenantId, message }) => forbidden.push(`${tenantId}: ${message}`));
    await enter(1, 2);
    expect(held("globex")).toEqual(digests(1, 2));
    expect(views("acme")).toEqual([]);
    expect(forbidden).toEqual([`acme: ${NOT_ALLOWED.message}`]);
    expect(await acme.segments.list(id)).toMatchObject([
      { key: "vip", state: "not_made", words: expect.stringContaining(NOT_ALLOWED.message), problem: NOT_ALLOWED },
    ]);
    expect(await line("segment_refused")).toMatchObject({
      status: "problem",
      message: expect.stringContaining(NOT_ALLOWED.message),
      fix: NOT_ALLOWED.fix,
    });
    expect(await attempts("e1")).toMatchObject({
      status: "queued",
      attempts: [{ purpose: "segments/create", answer: "retry", code: NOT_ALLOWED.code, message: NOT_ALLOWED.message }],
    });
    // What one call of track said of the segment.
    expect(await waiting()).toMatchObject({ waiting: 1, deadLetters: {} });
    clock.advance(20 * MINUTE);
    const [late, ...others] = (await snapchat.health()).problems;
    expect(late).toMatchObject({ code: "late", destinationId: id, fix: expect.stringContaining("verify()") });
    expect(others).toEqual([]);

    mended();
    await later();
    expect(held("acme")).toEqual(digests(1, 2));
    expect((await acme.segments.list(id))[0]?.problem).toBeUndefined();
    expect(await line("segment_refused")).toBeUndefined();
    expect(await waiting()).toMatchObject({ waiting: 0, deadLetters: {} });
    expect((await attempts("e1")).status).toBe("delivered");
    expect(await snapchat.health()).toEqual({ ok: true, problems: [] });
  });

  it("keeps a segment that is there from following; then it catches up by itself, removals too", async () => {
    await openMarket();
    const { acme, id } = market;
    await enter(1, 2);
    const mended = cause(market);
    await enter(3);
    await acme.track([{ ...entered("vip", address(1), "removed_from_segment"), event_id: "e4" }]);
    await later();
    expect(held("acme")).toEqual(digests(1, 2));
    expect(held("globex")).toEqual(digests(1, 2, 3));
    expect(await acme.segments.list(id)).toMatchObject([{ state: "processing", problem: NOT_ALLOWED }]);
    expect(await line("segment_refused")).toMatchObject({ status: "problem", fix: NOT_ALLOWED.fix });
    const { status, attempts: seen } = await attempts("e3");
    expect(status).toBe("queued");
    expect(seen?.at(-1)).toMatchObject({ purpose: "members/add", answer: "retry", message: NOT_ALLOWED.message });
    expect(await waiting()).toMatchObject({ waiting: 2, deadLetters: {} });

    mended();
    await later();
    expect(held("acme")).toEqual(digests(2, 3));
    expect((await acme.segments.list(id))[0]?.problem).toBeUndefined();
    expect(await waiting()).toMatchObject({ waiting: 0, deadLetters: {} });
  });
});

it("an account with a thousand audiences takes no more, says so, and takes it once one is deleted", async () => {
  await openMarket();
  const { acme, id, simulator } = market;
  const [oldest = ""] = await byHand(...Array.from({ length: 1_000 }, (_, n) => `List ${n}`));
  await enter(1, 2);
  const full = {
    code: "segment_limit_reached",
    message: "The ad account holds 1000 audiences; Snapchat allows 1000.",
    fix: "Delete audiences in Ads Manager that no campaign uses.",
  };
  expect(held("globex")).toEqual(digests(1, 2));
  expect(await acme.segments.list(id)).toMatchObject([{ state: "not_made", problem: full, advice: full.fix }]);
  expect(await line("segment_refused")).toMatchObject({ status: "problem", fix: full.fix });
  expect((await attempts("e1")).attempts).toMatchObject([{ purpose: "segments/create", code: full.code }]);
  expect(await waiting()).toMatchObject({ waiting: 1, deadLetters: {} });
  simulator.control.deleteSegment(oldest);
  await later();
  expect(held("acme")).toEqual(digests(1, 2));
  expect(await line("segment_refused")).toBeUndefined();
});

it("a name that a person has given away already is said, and the members arrive in the list that is linked", async () => {
  await openMarket();
  const { acme, id, simulator } = market;
  simulator.knobs.duplicateSegmentNames = "reject";
  const [theirs = ""] = await byHand("vip");
  await enter(1, 2);
  const taken = { code: "segment_name_taken", fix: "Link the existing audience, or choose another name." };
  expect(await acme.segments.list(id)).toMatchObject([{ state: "not_made", problem: taken }]);
  expect(await line("segment_refused")).toMatchObject({ status: "problem", fix: taken.fix });
  expect(held("globex")).toEqual(digests(1, 2));
  expect(held("acme").size).toBe(0);
  await acme.segments.link(id, "vip", theirs);
  await later();
  expect(views("acme")).toMatchObject([{ id: theirs }]);
  expect(held("acme")).toEqual(digests(1, 2));
  expect(await waiting()).toMatchObject({ waiting: 0, deadLetters: {} });
});

it("another name is the other way out of one that is taken", async () => {
  await openMarket();
  const { acme, id, simulator } = market;
  simulator.knobs.duplicateSegmentNames = "reject";
  await byHand("vip");
  await enter(1, 2);
  await acme.segments.update(id, "vip", { name: "VIP of the shop" });
  await later();
  expect(held("acme", "VIP of the shop")).toEqual(digests(1, 2));
  expect((await acme.segments.list(id))[0]?.problem).toBeUndefined();
});

it("a segment that was deleted meanwhile waits with all that came since, and is whole once it is made again", async () => {
  await openMarket();
  const { acme, id, simulator, snapchat } = market;
  await enter(1, 2);
  simulator.control.deleteSegment(views("acme")[0]?.id ?? "");
  await enter(3);
  await acme.track([{ ...entered("vip", address(1), "removed_from_segment"), event_id: "e4" }]);
  await later();
  expect(held("globex")).toEqual(digests(1, 2, 3));
  expect(views("acme")).toEqual([]);
  expect(await acme.segments.list(id)).toMatchObject([{ state: "deleted", advice: expect.stringContaining("again") }]);
  expect(await line("segment_deleted")).toMatchObject({ status: "problem" });
  expect((await snapchat.health()).problems).toMatchObject([{ code: "segment_deleted", destinationId: id }]);
  const { attempts: seen } = await attempts("e3");
  expect(seen?.at(-1)).toMatchObject({ purpose: "members/add", code: "entity_not_found" });
  expect(await waiting()).toMatchObject({ waiting: 2, deadLetters: {} });
  await acme.segments.recreate(id, "vip");
  await later();
  expect(held("acme")).toEqual(digests(2, 3));
  expect(await snapchat.health()).toEqual({ ok: true, problems: [] });
});

it("a count below what was sent is told as what it is, and is no success of all", async () => {
  await openMarket();
  const { acme, id, simulator, snapchat } = market;
  const sent: unknown[] = [];
  snapchat.on("members_sent", ({ tenantId, added, accepted }) => sent.push([tenantId, added, accepted]));
  simulator.knobs.uploadedShare = 0.5;
  await enter(1, 2, 3, 4);
  expect(sent).toEqual(
    expect.arrayContaining([
      ["acme", 4, 2],
      ["globex", 4, 2],
    ]),
  );
  const took = "Snapchat says that it took 2 of 4 identifiers.";
  expect(await acme.segments.list(id)).toMatchObject([{ problem: { code: "identifiers_not_taken", message: took } }]);
  expect(await line("segment_not_all_taken")).toMatchObject({ status: "warning" });
  const { attempts: seen } = await attempts("e1");
  expect(seen?.at(-1)).toMatchObject({ purpose: "members/add", code: "identifiers_not_taken", message: took });
  const { counters } = await snapchat.stats();
  expect(counters).toMatchObject({ membersAdded: 8, membersAccepted: 4 });
});

const LOST = ["creation", "upload"] as const;
it.each(LOST)("the %s whose answer was lost is neither made twice nor forgotten", async (what) => {
  await openMarket();
  const { simulator, acme, id } = market;
  const path = what === "creation" ? new RegExp(`/adaccounts/${accountOf("acme").id}/segments$`) : /\/users$/;
  const lost = simulator.faults.add({ method: "POST", path, count: 1, timeoutAfterAcceptance: true });
  await enter(1, 2);
  expect(lost.hits).toBe(1);
  // Said after a late request could have landed, whatever came since.
  for (const tenant of [acme, market.globex]) {
    await tenant.track([{ ...entered("vip", address(1), "removed_from_segment"), event_id: "e3" }]);
  }
  for (let n = 0; n < 3; n++) await later();
  for (const tenantId of ["acme", "globex"] as const) {
    expect(views(tenantId)).toHaveLength(1);
    expect(held(tenantId)).toEqual(digests(2));
  }
  expect((await acme.segments.list(id))[0]?.problem).toBeUndefined();
  expect(await waiting()).toMatchObject({ waiting: 0, deadLetters: {} });
});

const inside = (reason: string): FaultAction => ({
  status: 200,
  body: {
    request_status: "ERROR",
    request_id: "r-1",
    segments: [{ sub_request_status: "ERROR", sub_request_error_reason: reason }],
    users: [{ sub_request_status: "ERROR", sub_request_error_reason: reason }],
  },
});
const SHAPES: Record<string, FaultAction> = {
  "inside a 200: forbidden": inside("Error code: E3002, message: Caller does not have permission"),
  "inside a 200: refused": inside("Error code: E2002, message: Property value is not allowed : [x]"),
  "inside a 200: of no kind that is known": inside("Something else"),
  "inside a 400": { ...inside("Error code: E2002, message: Property value is not allowed"), status: 400 },
  "a 200 that says ERROR": { status: 200, body: { request_status: "ERROR" } },
  "a 200 without JSON": { status: 200, body: "<html>ok</html>" },
  "a 200 of another shape": { status: 200, body: { users: "none", segments: "none", request_status: 7 } },
  "the bare word of a 401": { status: 401, body: "unauthorized" },
  "a 403 in an envelope": { status: 403, body: { request_status: "ERROR", error_code: "E3002" } },
  "a 429": { status: 429, headers: { "retry-after": "1" } },
  "a gateway's page": { status: 502, body: "<html>Bad gateway</html>" },
  "a connection that breaks": { reset: true },
};

describe.each(["segments", "users"])("a failure of a request to %s", (child) => {
  it.each(Object.entries(SHAPES))("%s loses nobody", async (_, action) => {
    await openMarket();
    const { simulator, acme, id } = market;
    const fault = simulator.faults.add({ method: "POST", path: new RegExp(`/${child}$`), count: 1, ...action });
    await enter(1, 2);
    expect(fault.hits).toBe(1);
    for (let n = 0; n < 3; n++) await later();
    for (const tenantId of ["acme", "globex"] as const) {
      expect(views(tenantId)).toHaveLength(1);
      expect(held(tenantId)).toEqual(digests(1, 2));
    }
    expect((await acme.segments.list(id))[0]?.problem).toBeUndefined();
    expect(await waiting()).toMatchObject({ waiting: 0, deadLetters: {} });
  });
});
