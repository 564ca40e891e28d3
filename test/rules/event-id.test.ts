import { describe, expect, it } from "vitest";
import { digest, digestOf } from "../../src/rules/digest.ts";
import type { CanonicalEvent } from "../../src/rules/event.ts";
import { eventId } from "../../src/rules/event-id.ts";

const event = (over: Partial<CanonicalEvent> = {}): CanonicalEvent => ({
  source: "customerlabs",
  name: "Purchased",
  kind: "track",
  ids: { external: {}, anonymousId: "cl-1" },
  traits: {},
  properties: { order_id: "SO-1" },
  products: [{ id: "sku-1" }],
  context: {},
  audiences: [],
  issues: [],
  timeMs: 1_795_000_000_000,
  ...over,
});

describe("eventId", () => {
  it("takes the configured paths in order, before everything else", () => {
    const found = event({ id: "own", properties: { uid: "", order_id: "SO-1" } });
    expect(eventId(found, { paths: ["properties.uid", "properties.order_id"] })).toBe("SO-1");
  });

  it("takes the id a browser minted before the one the server's SDK gave later, because a pixel call carries it", () => {
    expect(eventId(event({ id: "own", browserId: "minted" }))).toBe("minted");
  });

  it("takes the source's own id", () => {
    expect(eventId(event({ id: "own" }))).toBe("own");
  });

  it("otherwise digests name, time, person, order, products and segments: any of them makes another id", () => {
    const base = eventId(event());
    expect(base).toMatch(/^[0-9a-f]{32}$/);
    expect(eventId(event())).toBe(base);
    const others = [
      event({ name: "Checkout made" }),
      event({ timeMs: 1_795_000_000_001 }),
      event({ ids: { external: {}, anonymousId: "cl-2" } }),
      event({ properties: { order_id: "SO-2" } }),
      event({ products: [{ id: "sku-2" }] }),
      event({ audiences: [{ key: "vip", op: "add" }] }),
    ].map((other) => eventId(other));
    expect(new Set([base, ...others]).size).toBe(others.length + 1);
  });

  it("is no different for what plugins add to an event", () => {
    const enriched = event({ traits: { email: "a@example.org" }, properties: { order_id: "SO-1", margin: 3 } });
    expect(eventId(enriched)).toBe(eventId(event()));
  });

  it("counts the time of receipt only where the event has none", () => {
    const { timeMs: _, ...timeless } = event();
    expect(eventId(timeless, { receivedAtMs: 1 })).not.toBe(eventId(timeless, { receivedAtMs: 2 }));
    expect(eventId(event(), { receivedAtMs: 1 })).toBe(eventId(event(), { receivedAtMs: 2 }));
  });

  it("keeps ids short: a very long one is replaced by its digest", () => {
    const long = "x".repeat(500);
    expect(eventId(event({ id: long }))).toBe(digest(long));
  });
});

describe("digest", () => {
  it("has no collision in a hundred thousand texts that differ little", () => {
    const seen = new Set<string>();
    for (let n = 0; n < 100_000; n++) seen.add(digest(`["customerlabs","purchased",${n},"cl-1"]`));
    expect(seen.size).toBe(100_000);
  });

  it("changes about half of its bits with any one character", () => {
    const bits = (hex: string) =>
      [...hex].map((digit) => Number.parseInt(digit, 16).toString(2).padStart(4, "0")).join("");
    let changed = 0;
    for (let n = 0; n < 500; n++) {
      const [a, b] = [bits(digest(`event ${n} a`)), bits(digest(`event ${n} b`))];
      changed += [...a].filter((bit, index) => bit !== b[index]).length;
    }
    expect(changed / 500 / 128).toBeGreaterThan(0.45);
    expect(changed / 500 / 128).toBeLessThan(0.55);
  });

  it("of JSON does not depend on the order of keys", () => {
    expect(digestOf({ a: 1, b: { c: [1, 2], d: 2 } })).toBe(digestOf({ b: { d: 2, c: [1, 2] }, a: 1 }));
    expect(digestOf({ a: [1, 2] })).not.toBe(digestOf({ a: [2, 1] }));
  });
});
