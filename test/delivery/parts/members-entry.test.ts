import { describe, expect, it } from "vitest";
import type { SettledItem } from "../../../src/delivery/emitted.ts";
import type { Consent, Sealer } from "../../../src/delivery/interfaces.ts";
import { batchesOf, type MemberEntry } from "../../../src/delivery/members-entry.ts";
import { failure, member, setupSegment } from "../support.ts";

const READY = { state: "ready", segmentId: "s1" } as const;
const MINUTE = 60_000;

async function setup(options: Parameters<typeof setupSegment>[0] = {}) {
  const settled: SettledItem[] = [];
  const one = await setupSegment({ link: READY, onSettled: ({ items }) => settled.push(...items), ...options });
  const { segments, storage, seen } = one;
  return {
    ...{ ...one, settled },
    /** Requests as `add 2`. */
    told: () =>
      segments.calls.map(({ op, hashes }) => [op, ...hashes.map((hash) => Number.parseInt(hash, 16))].join(" ")),
    emitted: (type: string) => seen.filter((event) => event.type === type),
    entries: async () => (await storage.outbox.depth(["d1"]))[0]?.entries,
  };
}

describe("entries of a claim", () => {
  const entry = (list?: "page" | "task") => ({ list: list && { type: list } }) as MemberEntry;

  it.each<[string, number[]]>([
    ["", []],
    ["s", [1]],
    ["sss", [3]],
    ["p", [1]],
    ["pp", [1, 1]],
    ["sspsst", [2, 1, 2, 1]],
    ["tsps", [1, 1, 1, 1]],
  ])("'%s' are told in batches of %j: single changes together, a page or a task alone", (kinds, sizes) => {
    const entries = Array.from(kinds, (kind) => entry(kind === "s" ? undefined : kind === "p" ? "page" : "task"));
    const batches = batchesOf(entries);
    expect(batches.map(({ length }) => length)).toEqual(sizes);
    expect(batches.flat()).toEqual(entries);
  });
});

describe("an entry that does not open", () => {
  /** Bytes that another key sealed. */
  const sealer: Sealer = {
    seal: (plain, aad) => Buffer.concat([Buffer.from(aad.length.toString().padStart(4)), plain]),
    open(sealed, aad) {
      if (Number(Buffer.from(sealed.subarray(0, 4)).toString()) !== aad.length) throw new Error("another key");
      return sealed.subarray(4);
    },
  };

  async function withUnreadable(before: number[], options: Parameters<typeof setupSegment>[0] = {}) {
    const one = await setup({ sealer, ...options });
    if (before.length > 0) await one.delivery.append(before.map((n) => member(n, "add")));
    const group = { destinationId: "d1", name: "members/vip" };
    const payload = Uint8Array.of(1, 1, 32, 32, 32, 57, 1);
    await one.storage.outbox.append([{ id: "foreign", group, priority: 1, items: 4, payload }]);
    await one.delivery.append([member(2, "add")]);
    return one;
  }

  it("waits five minutes, is told, and keeps nothing else of its claim from being told", async () => {
    const { work, told, emitted, entries, storage, clock } = await withUnreadable([1]);
    await work(5 * MINUTE - 2_000);
    const event = { type: "entry_unreadable", tenantId: "acme", destinationId: "d1", group: "members/vip" };
    expect([told(), await entries()]).toEqual([["add 1 2"], 1]);
    expect(emitted("entry_unreadable")).toEqual([{ ...event, reason: "payload_unreadable" }]);
    await work(3_000);
    expect(emitted("entry_unreadable")).toHaveLength(2);
    await clock.advance(6 * MINUTE);
    const claim = await storage.outbox.claim({ owner: "t", leaseMs: 1, maxItems: 10, maxBytes: 1e6 });
    expect(claim?.entries).toMatchObject([{ id: "foreign", items: 4, claims: 1 }]);
  });

  it("waits so, too, where nothing of its claim can be told now", async () => {
    const consent: Consent = { allowed: () => Promise.reject(failure("crm_down", {})) };
    const { work, told, emitted } = await withUnreadable([], { consent });
    await work(4 * MINUTE);
    expect([told(), emitted("entry_unreadable").length, emitted("worker_error").length]).toEqual([[], 1, 1]);
  });
});

describe("whether a person may be added", () => {
  it("is asked once more before a request leaves, of who enters alone", async () => {
    const asked: unknown[][] = [];
    const consent: Consent = {
      allowed(...of) {
        asked.push(of);
        return !of[2].includes("subject-2");
      },
    };
    const { delivery, work, told, settled, emitted } = await setup({ consent });
    await delivery.append([1, 2].map((n) => member(n, "add", { eventId: `e-${n}`, acceptedAtMs: n })));
    await delivery.append([member(3, "remove", { eventId: "e-3" })]);
    await work(1_000);
    expect(asked.map((of) => of.slice(0, 4))).toEqual([
      ["acme", "d1", ["subject-1"], 1],
      ["acme", "d1", ["subject-2"], 2],
    ]);
    expect(asked[0]?.[4]).toMatchObject({ identifiers: [{ kind: 0, hash: expect.any(Uint8Array) }] });
    expect(told()).toEqual(["add 1"]);
    expect(settled).toEqual([
      { eventId: "e-1", rule: "segment:add", status: "delivered" },
      { eventId: "e-2", rule: "segment:add", status: "withdrawn" },
      { eventId: "e-3", rule: "segment:remove", status: "delivered" },
    ]);
    expect(emitted("settled")).toMatchObject([{ delivered: 2, withdrawn: 1 }]);
  });

  it.each([
    [true, ["add 1"]],
    [false, []],
  ])("may be answered later: %s", async (answer, expected) => {
    const { delivery, work, told } = await setup({ consent: { allowed: async () => answer } });
    await delivery.append([member(1, "add")]);
    await work(1_000);
    expect(told()).toEqual(expected);
  });

  it("keeps everything waiting for five seconds while there is no answer", async () => {
    let faults = 2;
    const consent: Consent = {
      allowed() {
        if (faults-- > 0) throw failure("crm_down", {});
        return true;
      },
    };
    const { delivery, work, told, emitted } = await setup({ consent });
    await delivery.append([member(1, "add"), member(2, "add")]);
    await work(9_000);
    expect(told()).toEqual([]);
    const error = { type: "worker_error", code: "crm_down", message: "crm_down", destinationId: "d1" };
    expect(emitted("worker_error")).toEqual([error, error]);
    expect(delivery.counters).toMatchObject({ released: 2, claims: 2 });
    await work(3_000);
    expect(told()).toEqual(["add 1 2"]);
  });

  it("that goes after they may have been added takes them out again", async () => {
    let allowed = true;
    let faults = 1;
    const { delivery, work, told, segments } = await setup({
      consent: { allowed: () => allowed },
      fault(_, when) {
        if (when === "after" && faults-- > 0) throw failure("request_timeout", { sent: "maybe" });
      },
    });
    await delivery.append([member(1, "add"), member(2, "remove")]);
    await work(1_000);
    allowed = false;
    await work(40_000);
    expect(told()).toEqual(["add 1", "remove 1 2"]);
    expect([...(segments.held.get("s1") ?? [])]).toEqual([]);
  });
});

describe("after a backup came back", () => {
  it("what came with it is told again as Snapchat should hold it, and what was queued since is not", async () => {
    const { delivery, work, told, clock } = await setup();
    await delivery.append([member(1, "add")]);
    await work(1_000);
    await delivery.append([member(1, "add", { eventId: "with the backup" })]);
    await clock.advance(1_000);
    await delivery.restored({ backupTakenAtMs: clock.now() - 10_000 });
    await delivery.append([member(1, "add", { eventId: "since" })]);
    await work(1_000);
    expect(told()).toEqual(["add 1", "add 1"]);
    await delivery.append([member(1, "add", { eventId: "later" })]);
    await work(1_000);
    expect(told()).toHaveLength(2);
  });

  it("nothing that was queued since is told again", async () => {
    const { delivery, work, told, clock } = await setup();
    await delivery.append([member(1, "add")]);
    await work(1_000);
    await delivery.restored({ backupTakenAtMs: clock.now() - 10_000 });
    await delivery.append([member(1, "add", { eventId: "since" })]);
    await work(1_000);
    expect(told()).toEqual(["add 1"]);
  });
});
