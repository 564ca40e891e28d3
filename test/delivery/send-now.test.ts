import { describe, expect, it } from "vitest";
import { credential, event, failure, goodCredentials, setup } from "./support.ts";

const own = async () => ({ credentialId: "conversions/acme/d1/1" });
const statuses = (outcomes: readonly { status: string; known: boolean }[]) =>
  outcomes.map(({ status, known }) => `${status}${known ? "" : "?"}`);

describe("delivery.sendNow", () => {
  it("hears the outcome of every group, whatever happens to one of them", async () => {
    const { delivery, clock, seen } = await setup();
    const items = ["d1", "d2", "d3"].map((destinationId, n) => event(n, { destinationId }));
    const outcomes = await clock.run(
      delivery.sendNow(items, {
        async credentialOf({ destinationId }) {
          if (destinationId === "d2") throw failure("not_found", {}, "fix_configuration");
          return destinationId === "d3" ? { paused: "no_credential" } : own();
        },
      }),
    );
    expect(statuses(outcomes)).toEqual(["delivered", "retry", "paused"]);
    expect(outcomes[1]).toMatchObject({ reason: "not_found", retryAfterMs: 5_000 });
    expect(seen).toContainEqual(expect.objectContaining({ type: "worker_error", destinationId: "d2" }));
  });

  it("is not sure of what was sent where something fails behind it", async () => {
    const { delivery, clock } = await setup({
      answer: () => ({ status: "unauthorized", known: true }),
      credentials: { ...goodCredentials, refused: async () => Promise.reject(new Error("vault is down")) },
    });
    const [outcome] = await clock.run(delivery.sendNow([event(1)], { credentialOf: own }));
    expect(outcome).toMatchObject({ status: "retry", known: false });
  });

  it("leaves an asset alone that fails again and again, and says for how long", async () => {
    const { delivery, clock, events } = await setup({
      answer: () => ({ status: "retry", known: false, code: "http_503" }),
    });
    for (let n = 0; n < 5; n++) await clock.run(delivery.sendNow([event(n)], { credentialOf: own }));
    const sent = events.sent.length;
    const [held] = await clock.run(delivery.sendNow([event(9)], { credentialOf: own }));
    expect(held).toMatchObject({ status: "retry", known: true, reason: "circuit_open" });
    expect(held?.retryAfterMs).toBeGreaterThanOrEqual(5_000);
    expect(events.sent.length).toBe(sent);
  });

  it("takes no slot of a limit that is full within the wait it was given", async () => {
    const narrow = {
      ...credential(),
      limits: { events: [{ key: "t", perWindow: 2, windowMs: 60_000 }], segments: [] },
    };
    const { delivery, clock, events } = await setup({
      credentials: { ...goodCredentials, resolve: async () => narrow },
    });
    const outcomes = [];
    for (let n = 0; n < 4; n++) {
      outcomes.push(...(await clock.run(delivery.sendNow([event(n)], { credentialOf: own, maxWaitMs: 100 }))));
    }
    expect(events.sent.length).toBe(1);
    expect(statuses(outcomes)).toEqual(["delivered", "retry", "retry", "retry"]);
    expect(outcomes[1]).toMatchObject({ reason: "slot_refused" });
  });

  it("has nothing to answer for nothing", async () => {
    const { delivery } = await setup();
    expect(await delivery.sendNow([], { credentialOf: own })).toEqual([]);
  });
});
