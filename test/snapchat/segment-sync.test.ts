import { csvMembers, ndjsonMembers } from "snapchat-destination/audiences";
import { sha256Hex } from "snapchat-destination/identity";
import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/clock.ts";
import type { SnapchatOptions } from "../../src/index.ts";
import { definePlugin } from "../../src/plugins/index.ts";
import { entered, openShop, type Shop, shopWorkflow } from "./shop.ts";

let shop: Shop;
afterEach(() => shop.close());

async function open(options: Partial<SnapchatOptions> = {}) {
  shop = await openShop(options);
  const worker = shop.snapchat.startWorker();
  return { ...shop, worker };
}

const address = (n: number) => `person-${n}@example.com`;
const people = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, n) => ({ email: address(from + n), personKey: address(from + n) }));

/** Who is in the simulator's list, by e-mail. */
function held(name: string): Set<string> {
  const segment = shop.simulator.inspect.segments().find((one) => one.name === name);
  return segment ? shop.simulator.inspect.members(segment.id).EMAIL_SHA256 : new Set();
}

const digests = (from: number, to: number) => new Set(people(from, to).map(({ email }) => sha256Hex(email)));

describe("a whole list", () => {
  it("is mirrored: who is new enters, who is missing leaves, who stays is not sent again", async () => {
    const { acme, id } = await open();
    const first = await acme.segments.sync(id, "vip", people(0, 100), { runId: "monday" });
    expect(first).toMatchObject({
      phase: "done",
      read: 100,
      new: 100,
      removed: 0,
      sent: 100,
      accepted: 100,
      requests: 1,
    });
    expect(held("vip")).toEqual(digests(0, 100));

    const second = await acme.segments.sync(id, "vip", people(10, 110), { runId: "tuesday" });
    expect(second).toMatchObject({ read: 100, new: 10, removed: 10, sent: 20, accepted: 20, requests: 2 });
    expect(held("vip")).toEqual(digests(10, 110));
  });

  it("answers a finished run without reading the list or sending anything", async () => {
    const { acme, id, simulator } = await open();
    await acme.segments.sync(id, "vip", people(0, 5), { runId: "one" });
    const before = simulator.inspect.requests.length;
    const unread = {
      [Symbol.asyncIterator]: () => {
        throw new Error("read");
      },
    };
    expect(await acme.segments.sync(id, "vip", unread, { runId: "one" })).toMatchObject({ phase: "done", read: 5 });
    expect(simulator.inspect.requests.length).toBe(before);
  });

  it("stops before it removes more than may leave, and goes on when told to, without the list", async () => {
    const { acme, id } = await open();
    await acme.segments.sync(id, "vip", people(0, 10), { runId: "a" });
    const short = acme.segments.sync(id, "vip", people(0, 4), { runId: "b" });
    await expect(short).rejects.toMatchObject({ code: "mirror_removes_too_many", details: { leaving: 6, held: 10 } });
    expect(held("vip").size).toBe(10);
    const told = await acme.segments.sync(id, "vip", [], { runId: "b", maxRemovedShare: 1 });
    expect(told).toMatchObject({ phase: "done", removed: 6 });
    expect(held("vip")).toEqual(digests(0, 4));
  });

  it("says that nobody delivers, and goes on under the same run once somebody does", async () => {
    // A clock of sixty seconds a second.
    const clock = {
      now: () => Date.now(),
      monotonic: () => performance.now() * 60,
      sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms / 60, signal),
    };
    shop = await openShop({ clock });
    const { acme, id, snapchat } = shop;
    const alone = acme.segments.sync(id, "vip", people(0, 3), { runId: "a" });
    await expect(alone).rejects.toMatchObject({ code: "nobody_delivers", kind: "fix_configuration" });
    snapchat.startWorker();
    expect(await acme.segments.sync(id, "vip", people(0, 3), { runId: "a" })).toMatchObject({ phase: "done", sent: 3 });
    expect(held("vip")).toEqual(digests(0, 3));
  });

  it("gives way to what events say while it runs", async () => {
    const { acme, id } = await open();
    await acme.segments.sync(id, "vip", people(0, 3), { runId: "a" });
    async function* slow() {
      yield* people(0, 2);
      // After the run has begun, and before its list has come to an end.
      await acme.track([{ ...entered("vip", address(0), "removed_from_segment") }, { ...entered("vip", address(7)) }]);
    }
    await acme.segments.sync(id, "vip", slow(), { runId: "b" });
    await expect
      .poll(() => held("vip"), { timeout: 60_000 })
      .toEqual(new Set([1, 7].map((n) => sha256Hex(address(n)))));
  });

  it("adds and removes without touching others", async () => {
    const { acme, id } = await open();
    await acme.segments.sync(id, "vip", people(0, 4), { mode: "add", runId: "a" });
    await acme.segments.sync(id, "vip", [{ email: address(1) }], { mode: "remove", runId: "b" });
    await acme.segments.sync(id, "vip", people(9, 10), { mode: "add", runId: "c" });
    expect(held("vip")).toEqual(new Set([0, 2, 3, 9].map((n) => sha256Hex(address(n)))));
  });

  it("is read from CSV and NDJSON, and says what could not be used", async () => {
    const { acme, id } = await open();
    const csv =
      '\ufeffE-mail;Phone;Note\r\n"a@example.com";"+44 7911 123456";x\r\n\r\nnonsense;;\r\n;"";\r\nb@example.com;123;y\r\n';
    const done = await acme.segments.sync(id, "csv", csvMembers(csv), { runId: "a" });
    expect(done).toMatchObject({ read: 4, identifiers: 3, unusable: { not_an_email: 1, row_empty: 1 } });
    expect(held("csv")).toEqual(new Set(["a@example.com", "b@example.com"].map(sha256Hex)));

    const lines = ['{"email":"c@example.com"}', "", "{broken", '["no object"]', '{"phone":"+447911123457"}'].join("\n");
    const more = await acme.segments.sync(id, "csv", ndjsonMembers([Buffer.from(lines)]), { mode: "add", runId: "b" });
    expect(more).toMatchObject({ read: 4, new: 2, unusable: { row_malformed: 2 } });
  });

  it("reports progress as events", async () => {
    const { acme, id, snapchat } = await open();
    const seen: string[] = [];
    snapchat.on("segment_sync", ({ key, phase, read, sent, etaMs, size }) => {
      seen.push(`${key} ${phase} ${read}/${size} ${sent} ${etaMs}`);
    });
    await acme.segments.sync(id, "vip", people(0, 3), { runId: "a", size: 3 });
    expect(seen.at(-1)).toBe("vip done 3/3 3 0");
    expect(seen.some((line) => line.startsWith("vip reading"))).toBe(true);
  });

  it.each([
    ["an empty key", "", {}, "segment_key_invalid"],
    ["a key of 10 kB", "k".repeat(10_240), {}, "segment_key_invalid"],
    ["an unknown mode", "vip", { mode: "replace" }, "sync_mode_invalid"],
    ["an empty run id", "vip", { runId: "" }, "run_id_invalid"],
    ["a share that is none", "vip", { maxRemovedShare: 50 }, "removed_share_invalid"],
  ])("refuses %s with a clear error", async (_, key, options, code) => {
    const { acme, id } = await open();
    await expect(acme.segments.sync(id, key, [], options as object)).rejects.toMatchObject({ code });
  });
});

describe("existing members", () => {
  it("come when added_to_segment is switched on, a segment without members too", async () => {
    const lists: Record<string, { email: string; personKey: string }[]> = {
      big: people(0, 500),
      small: people(500, 520),
      none: [],
    };
    const plugin = definePlugin({
      name: "host-segments",
      segments: {
        list: () => Object.keys(lists).map((key) => ({ key, name: `The ${key}` })),
        members: (key) => lists[key],
      },
    });
    shop = await openShop({ plugins: [plugin] });
    const { acme, id, snapchat } = shop;
    await acme.destinations.update(id, { workflow: shopWorkflow() });
    const report = await snapchat.drain({ maxMs: 20_000 });
    expect(report.left).toBe(0);
    expect(held("The big")).toEqual(digests(0, 500));
    expect(held("The small")).toEqual(digests(500, 520));
    expect(shop.simulator.inspect.segments().map(({ name }) => name)).toContain("The none");
  });
});
