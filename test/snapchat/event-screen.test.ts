import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { definePlugin, type EventScreen, type Receipt, setToggle } from "snapchat-destination";
import { memory } from "snapchat-destination/memory";
import { presets, reasonWords, type Workflow } from "snapchat-destination/workflow";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { entered, openShop, purchase, type Shop } from "./shop.ts";

const day = readFileSync(new URL("../../examples/data/shop-day.ndjson", import.meta.url), "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as { event: Record<string, unknown>; received_at: string });

describe("the event screen after the demo's day", () => {
  let shop: Shop;
  let screen: EventScreen;
  const receipts: Receipt[] = [];
  const offered = new Map<string, number>();

  beforeAll(async () => {
    shop = await openShop();
    let workflow = presets.customerlabs({ defaultCountry: "GB", consent: { names: ["ad_storage"], absent: "allow" } });
    for (const on of ["Purchased", "Added to cart", "Product viewed"])
      workflow = setToggle(workflow, on, { server: true });
    workflow = setToggle(workflow, "Page viewed", { client: true });
    workflow = setToggle(workflow, "added_to_segment", { server: true });
    await shop.acme.destinations.update(shop.id, { workflow });
    const shift = Date.now() - Date.parse(day.at(-1)?.received_at ?? "") - 60_000;
    for (let from = 0; from < day.length; from += 500) {
      const part = day.slice(from, from + 500);
      receipts.push(
        ...(await shop.snapchat.track(
          part.map(({ event, received_at }) => ({
            tenantId: "acme",
            event: moved(event, shift),
            receivedAt: Date.parse(received_at) + shift,
          })),
        )),
      );
    }
    for (const { event } of day) offered.set(folded(event.event), (offered.get(folded(event.event)) ?? 0) + 1);
    await shop.snapchat.drain({ maxMs: 60_000 });
    screen = await shop.acme.events.list(shop.id);
  }, 120_000);
  afterAll(() => shop.close());

  /** The day as if it had been today. */
  function moved(event: Record<string, unknown>, shift: number): Record<string, unknown> {
    const { timestamp } = event;
    if (typeof timestamp !== "string" || Number.isNaN(Date.parse(timestamp))) return event;
    return { ...event, timestamp: new Date(Date.parse(timestamp) + shift).toISOString() };
  }
  const folded = (name: unknown) =>
    String(name)
      .toLowerCase()
      .replace(/[\s_.-]+/g, "");
  const partsOf = (rule: string) => receipts.flatMap(({ parts }) => parts.filter((part) => part.rule === rule));

  it("has every row of the preset, with its toggles as they are set", async () => {
    const { workflow } = await shop.acme.destinations.get(shop.id);
    const { rules } = workflow as Workflow;
    const own = screen.rows.filter(({ origin }) => origin === "workflow");
    expect(own.map(({ rule, server, client }) => [rule, server.on, client.on])).toEqual(
      rules.map(({ id, server, client }) => [id, server, client]),
    );
    expect(screen.preset).toEqual({ available: false, current: 1, latest: 1 });
  });

  it("counts what was seen, the events nobody mapped included, as often as they were offered", () => {
    const unknown = new Set(
      receipts.flatMap(({ parts }, i) =>
        parts.some(({ reason }) => reason === "unknown_event") ? [folded(day[i]?.event.event)] : [],
      ),
    );
    const seen = screen.rows.filter(({ origin }) => origin === "seen");
    expect(seen.length).toBeGreaterThan(0);
    expect(new Set(seen.map(({ event }) => folded(event)))).toEqual(unknown);
    for (const row of seen) {
      expect(row.seen, row.event).toBe(offered.get(folded(row.event)));
      expect(row.server).toMatchObject({ on: false, available: false, reason: "not_in_workflow" });
    }
    for (const row of screen.rows.filter(({ rule }) => rule === "purchased" || rule === "added_to_cart")) {
      expect(row.seen, row.event).toBe(
        partsOf(row.rule as string).filter(({ channel }) => channel === "server").length,
      );
    }
  });

  it("says of each row what the receipts say: sent, off, or not to be had, and why", () => {
    for (const { rule = "", server, client, lastDeliveredMs } of screen.rows.filter(
      ({ origin }) => origin === "workflow",
    )) {
      const parts = partsOf(rule);
      const sent = parts.filter(({ status, channel }) => status === "queued" && channel !== "client");
      expect(lastDeliveredMs !== undefined, rule).toBe(sent.length > 0);
      if (!server.on && !client.on) {
        for (const part of parts) expect([rule, part.status, part.reason]).toEqual([rule, "skipped", "rule_disabled"]);
      }
      if (server.on) expect(server.available, rule).toBe(true);
      if (!client.available) expect(client.words, rule).toEqual(reasonWords(client.reason ?? ""));
      if (client.on && !server.on) {
        for (const part of parts.filter(({ channel }) => channel === "server")) {
          expect(["client_only", "consent_denied", "consent_absent"]).toContain(part.reason);
        }
      }
    }
    const delivered = receipts.flatMap(({ parts }) => parts).filter(({ status }) => status === "queued").length;
    expect(delivered).toBeGreaterThan(1_000);
  });

  it("keeps names, counts and times only, at most 500, and no name that may be a person's", async () => {
    const strange = [
      ...Array.from({ length: 700 }, (_, n) => ({ event: `made up ${String.fromCharCode(97 + (n % 26))}${n}` })),
      { event: "mail jane@example.com" },
      { event: "call 07700 900123" },
    ];
    await shop.acme.track(strange);
    const { rows } = await shop.acme.events.list(shop.id);
    expect(rows.length).toBeLessThanOrEqual(500);
    expect(JSON.stringify(rows)).not.toMatch(/jane|900123/);
    expect(rows.find(({ rule }) => rule === "purchased")?.seen).toBeGreaterThan(10);
  });
});

describe("the event screen", () => {
  it("outlives the process, and a destination without a workflow has no rows", async () => {
    const storage = memory();
    const keep = Object.assign(Object.create(storage), { close: async () => {} }) as typeof storage;
    const encryptionKeys = [randomBytes(32).toString("base64")];
    const first = await openShop({ storage: keep, encryptionKeys });
    await first.acme.track([purchase("a"), entered("vip"), { event: "wheel_spun" }]);
    await first.snapchat.drain({ maxMs: 10_000 });
    const { id: bare } = await first.acme.destinations.create({ name: "bare" });
    expect(await first.acme.events.list(bare)).toEqual({ rows: [], preset: { available: false } });
    const before = await first.acme.events.list(first.id);
    await first.close();

    const second = await openShop({ storage: keep, encryptionKeys });
    const after = await second.acme.events.list(first.id);
    expect(after.rows.map(({ event, seen, lastDeliveredMs }) => [event, seen, lastDeliveredMs])).toEqual(
      before.rows.map(({ event, seen, lastDeliveredMs }) => [event, seen, lastDeliveredMs]),
    );
    expect(after.rows.find(({ rule }) => rule === "added_to_segment")?.lastDeliveredMs).toEqual(expect.any(Number));
    expect(after.rows.find(({ event }) => event === "wheel_spun")).toMatchObject({ origin: "seen", seen: 1 });
    await second.close();
  });

  it("lists the host's own catalogue, and says which preset the workflow was born from", async () => {
    const catalogue = definePlugin({
      name: "schema",
      catalogue: () => ["Chat opened", { name: "quiz_done", label: "Quiz finished" }, "Purchased"],
    });
    const shop = await openShop({ plugins: [catalogue] });
    const { rows, preset } = await shop.acme.events.list(shop.id);
    expect(rows.filter(({ origin }) => origin === "catalogue").map(({ event, label }) => [event, label])).toEqual([
      ["Chat opened", "Chat opened"],
      ["quiz_done", "Quiz finished"],
    ]);
    expect(preset).toEqual({ available: false, current: 1, latest: 1 });
    await shop.close();
  });
});
