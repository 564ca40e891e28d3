import { describe, expect, it } from "vitest";
import { readSegmentLink } from "../../src/delivery/index.ts";
import { memory } from "../../src/storage/memory/index.ts";
import { createFakeClock } from "../../src/testing/clock.ts";
import { altered, failure, fakeSegments, hashOf, linkSegment, member, setup } from "./support.ts";

async function segmentSetup(fault?: Parameters<typeof fakeSegments>[0]) {
  const clock = createFakeClock();
  const storage = memory({ clock });
  const segments = fakeSegments(fault);
  const rest = await setup({ clock, storage, segments });
  const ref = await linkSegment(storage);
  return { ...rest, segments, ref };
}

describe("members", () => {
  it("makes the segment on first use, with its marker, and adds the members once", async () => {
    const { clock, delivery, segments, storage, ref } = await segmentSetup();
    await delivery.append([member(1, "add"), member(2, "add")]);
    const worker = delivery.startWorker();
    await clock.advance(70_000);
    expect(segments.made).toMatchObject([
      { name: "vip", description: expect.stringMatching(/^cdp:vip#[0-9a-f]{16}$/) },
    ]);
    expect([...(segments.held.get("seg-1") ?? [])]).toEqual([`email ${hashOf(1)}`, `email ${hashOf(2)}`]);
    expect((await readSegmentLink(storage.records, ref))?.link).toMatchObject({ state: "ready", segmentId: "seg-1" });

    await delivery.append([member(1, "add", { acceptedAtMs: 5 })]);
    await clock.advance(70_000);
    expect(segments.calls.map((call) => call.op)).toEqual(["create", "add"]);
    await clock.run(worker.stop());
  });

  it("folds a leave and a return within the window to nothing, and the last one wins", async () => {
    const { clock, delivery, segments } = await segmentSetup();
    const worker = delivery.startWorker();
    await delivery.append([member(1, "add"), member(2, "add")]);
    await clock.advance(70_000);
    await delivery.append([member(1, "remove")]);
    await delivery.append([member(1, "add", { eventId: "again" })]);
    await delivery.append([member(2, "remove"), member(3, "add"), member(3, "remove")]);
    await clock.advance(70_000);
    expect(segments.calls.slice(2)).toEqual([{ op: "remove", segmentId: "seg-1", kind: "email", hashes: [hashOf(2)] }]);
    await clock.run(worker.stop());
  });

  it("tells touched identifiers again after a request whose outcome is unknown", async () => {
    let faults = 1;
    const { clock, delivery, segments } = await segmentSetup((call, when) => {
      if (call.op === "add" && when === "after" && faults-- > 0) throw failure("request_timeout", { sent: "maybe" });
    });
    const worker = delivery.startWorker();
    await delivery.append([member(1, "add")]);
    await clock.advance(61_000);
    expect([...(segments.held.get("seg-1") ?? [])]).toHaveLength(1);
    // Not known here as held; without the doubt this would be no change and Snapchat would keep the member.
    await delivery.append([member(1, "remove")]);
    await clock.advance(200_000);
    expect([...(segments.held.get("seg-1") ?? [])]).toEqual([]);
    await clock.run(worker.stop());
  });

  it("keeps an identifier that another person still holds", async () => {
    const { clock, delivery, segments } = await segmentSetup();
    const worker = delivery.startWorker();
    const shared = { identifiers: [{ kind: 1 as const, hash: hashOf(9) }] };
    await delivery.append([member(1, "add", shared), member(2, "add", shared)]);
    await clock.advance(70_000);
    await delivery.append([member(1, "remove", shared)]);
    await clock.advance(70_000);
    expect([...(segments.held.get("seg-1") ?? [])]).toEqual([`phone ${hashOf(9)}`]);
    await delivery.append([member(2, "remove", shared)]);
    await clock.advance(70_000);
    expect([...(segments.held.get("seg-1") ?? [])]).toEqual([]);
    await clock.run(worker.stop());
  });

  it("looks for its marker before it asks for a segment again", async () => {
    let faults = 1;
    const { clock, delivery, segments } = await segmentSetup((call, when) => {
      if (call.op === "create" && when === "after" && faults-- > 0) throw failure("request_timeout", { sent: "maybe" });
    });
    const worker = delivery.startWorker();
    await delivery.append([member(1, "add")]);
    await clock.advance(300_000);
    expect(segments.calls.map((call) => call.op)).toEqual(["create", "list", "add"]);
    expect(segments.made).toHaveLength(1);
    await clock.run(worker.stop());
  });

  it("pauses and asks when the segment was deleted in Ads Manager", async () => {
    let gone = false;
    const { clock, delivery, segments, seen, storage, ref } = await segmentSetup((call) => {
      if (gone && call.op === "add") throw failure("entity_not_found", { status: 404 }, "fix_configuration");
    });
    const worker = delivery.startWorker();
    await delivery.append([member(1, "add")]);
    await clock.advance(70_000);
    gone = true;
    await delivery.append([member(2, "add")]);
    await clock.advance(600_000);
    expect(segments.calls.map((call) => call.op)).toEqual(["create", "add", "add"]);
    expect(seen.filter((one) => one.type === "segment_deleted")).toMatchObject([{ link: "vip", segmentId: "seg-1" }]);
    expect((await readSegmentLink(storage.records, ref))?.link.state).toBe("deleted");
    expect(await storage.outbox.depth(["d1"])).toMatchObject([{ entries: 1, paused: ["segment_deleted"] }]);
    await clock.run(worker.stop());
  });

  for (const { name, late, expected } of [
    {
      name: "deletes the second segment of a process that stood still while another made one",
      late: "seg-1",
      expected: { ops: ["create", "list", "create", "add", "delete"], kept: "seg-2" },
    },
    {
      name: "links one of two segments whose makers disturbed each other, and deletes the other",
      late: "both",
      expected: { ops: ["create", "list", "create", "list", "delete", "add"], kept: "seg-1" },
    },
  ]) {
    it(name, async () => {
      const waiting = new Map<string, () => void>();
      const { clock, delivery, segments, seen, storage, ref } = await segmentSetup(async ({ op, segmentId }, when) => {
        if (op !== "create" || when !== "before") return;
        if (segmentId === "seg-1" || (late === "both" && segmentId === "seg-2"))
          await new Promise<void>((resolve) => waiting.set(segmentId, resolve));
      });
      // It cannot renew its claim, as one that the machine has stopped.
      const outbox = altered(storage.outbox, { extend: () => new Promise(() => {}) });
      const frozen = await setup({ clock, storage: { ...storage, outbox }, segments });
      await delivery.append([member(1, "add")]);
      const first = frozen.delivery.startWorker();
      await clock.advance(61_000);
      expect([...waiting.keys()]).toEqual(["seg-1"]);
      const worker = delivery.startWorker();
      while (segments.calls.filter(({ op }) => op === "create").length < 2) await clock.advance(1_000);
      await clock.advance(5_000);
      waiting.get("seg-1")?.();
      await clock.advance(1_000);
      waiting.get("seg-2")?.();
      await clock.advance(90_000);

      expect(segments.calls.map(({ op }) => op)).toEqual(expected.ops);
      expect(segments.made.map(({ id }) => id)).toEqual([expected.kept]);
      expect(segments.held).toEqual(new Map([[expected.kept, new Set([`email ${hashOf(1)}`])]]));
      const link = (await readSegmentLink(storage.records, ref))?.link;
      expect(link).toMatchObject({ state: "ready", segmentId: expected.kept });
      expect(link).not.toHaveProperty("surplus");
      const deleted = [...seen, ...frozen.seen].filter(({ type }) => type === "segment_surplus_deleted");
      expect(deleted).toHaveLength(1);
      await Promise.all([clock.run(first.stop()), clock.run(worker.stop())]);
    });
  }
});
