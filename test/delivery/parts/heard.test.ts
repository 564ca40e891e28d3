import { describe, expect, it } from "vitest";
import type { Context } from "../../../src/delivery/context.ts";
import { newCounters } from "../../../src/delivery/counters.ts";
import { hear } from "../../../src/delivery/heard.ts";
import type { EventOutcome, RequestRecord } from "../../../src/delivery/interfaces.ts";
import { createFakeClock } from "../../../src/testing/clock.ts";
import { credential, DELIVERED, eventsOf } from "../support.ts";

type Told = [string, ...unknown[]];
const GROUP = eventsOf();
const CREDENTIAL = credential();
const [SCOPE] = CREDENTIAL.limits.events;
const outcome = (status: EventOutcome["status"], code?: string, more: Partial<EventOutcome> = {}): EventOutcome => ({
  ...{ status, known: true, code },
  ...more,
});
const request = (more: Partial<RequestRecord> = {}): RequestRecord => ({
  status: 200,
  durationMs: 1,
  items: 1,
  ...more,
});

/** What limits, circuits, credentials, the outbox and the host are told of a call. */
async function told(
  outcomes: EventOutcome[],
  requests: RequestRecord[] = [request()],
  { login = "pause", changed, open = [] }: { login?: string; changed?: string; open?: object[] } = {},
  who = CREDENTIAL,
) {
  const said: Told[] = [];
  const say =
    (name: string, answer?: unknown) =>
    (...args: unknown[]) => {
      said.push([name, ...args]);
      return answer;
    };
  const counters = newCounters();
  const context = {
    clock: createFakeClock(),
    random: () => 0,
    counters,
    emit: say("emit"),
    limits: { observed: say("observed"), refused: say("refused", 2_500) },
    circuits: { report: say("report", changed), open: () => open },
    credentials: { refused: say("login", login) },
    storage: { outbox: { pause: say("pause") } },
  } as unknown as Context;
  const heard = await hear(context, GROUP, who, { outcomes, requests });
  return { heard, said, counters };
}
const NOTHING = { waitMs: 0, login: undefined, holdMs: 0 };

describe("the outcomes of a call say", () => {
  it("that its asset does, where Snapchat took or refused the events", async () => {
    const { heard, said } = await told([DELIVERED, outcome("rejected"), outcome("retry", "aborted")]);
    expect(heard).toEqual(NOTHING);
    expect(said).toEqual([["report", GROUP.name, true]]);
  });

  it.each(["http_503", undefined])("that its asset fails: %s", async (code) => {
    const { said } = await told([DELIVERED, outcome("retry", code)]);
    expect(said).toEqual([["report", GROUP.name, false]]);
  });

  it.each(["slot_refused", "aborted", "isolation_budget_spent"])("nothing of the asset: %s", async (code) => {
    expect((await told([outcome("retry", code)])).said).toEqual([["report", GROUP.name, true]]);
    expect((await told([outcome("retry", code)], [])).said).toEqual([]);
  });

  it("that the limit is full", async () => {
    const limited = outcome("retry", "rate_limited", { retryAfterMs: 700 });
    const { heard, said, counters } = await told([limited, limited, outcome("retry", "rate_limited")]);
    expect(heard).toEqual({ ...NOTHING, waitMs: 2_500 });
    expect(said).toEqual([
      ["refused", CREDENTIAL.limits.events, 700],
      ["emit", { type: "rate_limited", key: SCOPE?.key, forMs: 2_500 }],
    ]);
    expect(counters.rateLimited).toBe(1);
    const without = { ...CREDENTIAL, limits: { events: [], segments: [] } };
    expect((await told([limited], [], {}, without)).said[1]).toEqual([
      ...["emit", { type: "rate_limited", key: CREDENTIAL.id, forMs: 2_500 }],
    ]);
  });

  it("that the token is refused, and whether a person has to act", async () => {
    const lost = await told([DELIVERED, outcome("unauthorized")]);
    expect(lost.heard).toEqual({ ...NOTHING, login: "pause" });
    const { tenantId, destinationId, credentialId } = GROUP;
    expect(lost.said).toEqual([
      ["login", CREDENTIAL],
      ["pause", { credentialId }, "reauth_required"],
      ["emit", { type: "reauth_required", tenantId, destinationId, credentialId }],
    ]);
    const renewed = await told([outcome("unauthorized")], [request()], { login: "retry" });
    expect([renewed.heard, renewed.said]).toEqual([{ ...NOTHING, login: "retry" }, [["login", CREDENTIAL]]]);
  });

  it("that the asset is refused, by the first words", async () => {
    const { heard, said } = await told([
      outcome("forbidden", "E1", { message: "first" }),
      outcome("forbidden", "E1", { message: "second" }),
    ]);
    expect(heard).toEqual({ ...NOTHING, holdMs: 60_000 });
    const { tenantId, destinationId, name } = GROUP;
    expect(said).toEqual([
      ["emit", { type: "forbidden", tenantId, destinationId, group: name, message: "first" }],
      ["report", name, true],
    ]);
  });

  it("all of it at once", async () => {
    const outcomes = [
      outcome("unauthorized"),
      outcome("forbidden"),
      outcome("retry", "rate_limited"),
      outcome("retry"),
    ];
    const { heard, said } = await told(outcomes);
    expect(heard).toEqual({ waitMs: 2_500, login: "pause", holdMs: 60_000 });
    expect(said.map(([name]) => name)).toEqual(["refused", "emit", "login", "pause", "emit", "emit"]);
  });

  it("what the headers leave, but for those of a 429", async () => {
    const rateLimit = { limit: 10, remaining: 1, resetInMs: 500 };
    const requests = [
      request({ rateLimit }),
      request({ status: 429, rateLimit: { ...rateLimit, remaining: 0 } }),
      request(),
    ];
    const { said } = await told([DELIVERED], requests);
    expect(said).toEqual([
      ["observed", CREDENTIAL.limits.events, rateLimit],
      ["report", GROUP.name, true],
    ]);
  });
});

describe("a circuit", () => {
  it.each([
    ["opened", "circuit_opened"],
    ["closed", "circuit_closed"],
  ])("that %s is told of", async (changed, type) => {
    const { said } = await told([outcome("retry")], [request()], { changed });
    expect(said[1]).toEqual(["emit", { type, group: GROUP.name, destinationId: "d1" }]);
  });

  it("that is open holds its own group, and as long as anything asks for", async () => {
    const open = (asset: string, retryInMs: number) => ({ open: [{ asset, retryInMs }] });
    const held = async (outcomes: EventOutcome[], of: object) => (await told(outcomes, [request()], of)).heard.holdMs;
    expect(await held([outcome("retry")], open("events/other", 9_000))).toBe(0);
    expect(await held([outcome("retry")], open(GROUP.name, 9_000))).toBe(9_000);
    expect(await held([outcome("forbidden")], open(GROUP.name, 9_000))).toBe(60_000);
    expect(await held([outcome("forbidden")], open(GROUP.name, 90_000))).toBe(90_000);
  });
});
