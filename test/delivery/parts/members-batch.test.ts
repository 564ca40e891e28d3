import { describe, expect, it } from "vitest";
import type { Consent } from "../../../src/delivery/interfaces.ts";
import { decodeLine, type RequestLine } from "../../../src/delivery/journal-line.ts";
import type { ListPage } from "../../../src/delivery/list-payload.ts";
import { changeSegmentLink } from "../../../src/delivery/segment-link.ts";
import type { Members } from "../../../src/storage/ports.ts";
import { failure, hashOf, member, setupSegment } from "../support.ts";

const READY = { state: "ready", segmentId: "s1" } as const;
const NO_ANSWER = failure("request_timeout", { sent: "maybe" });
const NOTHING = { added: 0, removed: 0, accepted: 0, requests: 0 };

const page = (hashes: number[], more: Partial<ListPage> = {}): Omit<ListPage, "type"> => ({
  ...{ op: "add", kind: 0, persons: undefined, acceptedAtMs: 9 },
  hashes: Buffer.from(hashes.map(hashOf).join(""), "hex"),
  ...more,
});

async function setup(options: Parameters<typeof setupSegment>[0] & { lostAnswers?: number } = {}) {
  let { lostAnswers = 0 } = options;
  const one = await setupSegment({
    fault(_, when) {
      if (when === "after" && lostAnswers-- > 0) throw NO_ANSWER;
    },
    ...options,
    link: { ...READY, ...options.link },
  });
  const { segments, storage, delivery, ref } = one;
  return {
    ...one,
    /** Requests as `add email 2`. */
    told: () =>
      segments.calls.map(({ op, kind, hashes }) =>
        [op, kind, ...hashes.map((hash) => Number.parseInt(hash, 16))].join(" "),
      ),
    held: (filter = {}) => (storage.members as Members).count(ref, filter),
    queue: (content: Omit<ListPage, "type">, position = 1_000) => delivery.lists.page(ref, "p", content, position),
    done: () => delivery.lists.done(ref, "p"),
    async lines() {
      const found = await storage.journal?.find({ destinationId: "d1", fromAgeMs: 0, toAgeMs: 1e12, limit: 100 });
      return (found?.items ?? []).toReversed().map((data) => decodeLine(data) as RequestLine);
    },
  };
}

describe("single changes of a batch", () => {
  const phone = (n: number) => ({ identifiers: [{ kind: 1 as const, hash: hashOf(n) }] });

  it("enter with the kinds that the segment takes, and leave with all", async () => {
    const { delivery, work, told } = await setup({ link: { identifiers: ["phone"] } });
    await delivery.append([member(1, "add"), member(2, "add", phone(2)), member(3, "remove")]);
    const both = [...member(4, "add").identifiers, ...phone(5).identifiers];
    await delivery.append([member(4, "add", { identifiers: both })]);
    await work(1_000);
    expect(told()).toEqual(["add phone 2 5"]);
    const all = await setup();
    await all.delivery.append([member(1, "add"), member(2, "add", phone(2))]);
    await all.work(1_000);
    expect(all.told()).toEqual(["add email 1", "add phone 2"]);
  });

  it("leave with a kind that the segment took before", async () => {
    const { delivery, storage, ref, work, told } = await setup({ link: { identifiers: ["phone"] } });
    const { person } = member(1, "add") as { person: Uint8Array };
    const row = { op: "add" as const, kind: 0 as const, hash: Buffer.from(hashOf(1), "hex"), person, position: 0 };
    await storage.members?.commit(ref, [row], { fence: 0, sent: Uint8Array.of(1) });
    await delivery.append([member(1, "remove")]);
    await work(1_000);
    expect(told()).toEqual(["remove email 1"]);
  });

  it("that a whole list has overtaken say nothing any more", async () => {
    const { delivery, work, told, storage } = await setup({ link: { mirroredAt: 1_000 } });
    await delivery.append([member(1, "add"), member(2, "remove")]);
    await work(1_000);
    expect([told(), delivery.counters.delivered]).toEqual([[], 2]);
    expect(await storage.outbox.depth(["d1"])).toMatchObject([{ entries: 0 }]);
  });

  it("that stand at the list's own position are not overtaken", async () => {
    const { delivery, work, told } = await setup({ link: { mirroredAt: 1 } });
    await delivery.append([member(1, "add")]);
    await work(1_000);
    expect(told()).toEqual(["add email 1"]);
  });

  it("that may have been sent before the list overtook them are told again as Snapchat should hold them", async () => {
    const { delivery, work, told, storage, ref, segments, clock } = await setup({ lostAnswers: 1 });
    await delivery.append([member(1, "add")]);
    await work(500);
    await changeSegmentLink(storage.records, ref, (link) => ({ ...link, mirroredAt: 1_000 }));
    await clock.advance(40_000);
    await work(1_000);
    expect(told()).toEqual(["add email 1", "remove email 1"]);
    expect([...(segments.held.get("s1") ?? [])]).toEqual([]);
  });

  it("stand in the journal with the events that asked for each, once", async () => {
    const { delivery, work, lines } = await setup({ settings: { journalShare: 1 } });
    await delivery.append([member(1, "add", { eventId: "a" }), member(2, "add", { eventId: "a" })]);
    await delivery.append([member(3, "add", { eventId: "b" }), member(4, "add")]);
    await work(500);
    await delivery.append([member(1, "remove", { eventId: "c" }), member(5, "add", { eventId: "d" })]);
    await work(500);
    const written = (await lines()).map(({ purpose, answers }) => [purpose, answers[0]?.items, answers[0]?.eventIds]);
    expect(written).toEqual([
      ["members/add", 4, ["a", "b"]],
      ["members/remove", 1, ["c"]],
      ["members/add", 1, ["d"]],
    ]);
  });

  it("stand there too where nothing at Snapchat had to change", async () => {
    const { delivery, work, lines } = await setup({ settings: { journalShare: 1 } });
    await delivery.append([member(1, "remove", { eventId: "a" }), member(2, "remove")]);
    await work(500);
    expect(await lines()).toMatchObject([{ type: "end", outcome: "unchanged", eventIds: ["a"] }]);
  });
});

describe("a page of a list", () => {
  it("is told and written down as seen by its run, and who waits for it learns so", async () => {
    const { work, told, held, queue, done } = await setup();
    await queue(page([1, 2]));
    await work(1_000);
    expect([told(), await held(), await held({ run: 1_000 })]).toEqual([["add email 1 2"], 2, 2]);
    expect(await done()).toEqual({ added: 2, removed: 0, accepted: 2, requests: 1 });
  });

  it("takes out whom it names, also of a kind that does not enter any more", async () => {
    const { delivery, work, told, queue, done } = await setup();
    await delivery.append([member(1, "add"), member(2, "add")]);
    await work(500);
    await queue(page([1, 3], { op: "remove" }));
    await work(500);
    expect([told().slice(1), await done()]).toEqual([
      ["remove email 1"],
      { added: 0, removed: 1, accepted: 1, requests: 1 },
    ]);
    const other = await setup({ link: { identifiers: ["phone"] } });
    const unnamed = { op: "add" as const, kind: 0 as const, hash: Buffer.from(hashOf(1), "hex"), position: 0 };
    await other.storage.members?.commit(other.ref, [unnamed], { fence: 0, sent: Uint8Array.of(1) });
    await other.queue(page([1], { op: "remove" }));
    await other.work(500);
    expect(other.told()).toEqual(["remove email 1"]);
  });

  it("of what Snapchat holds already is written down, and nothing is sent", async () => {
    const { work, told, held, queue, done } = await setup();
    await queue(page([1, 2], { op: "hold" }));
    await work(500);
    expect([told(), await held({ run: 1_000 }), await done()]).toEqual([[], 2, NOTHING]);
  });

  it.each<[string, object, Partial<ListPage>, boolean]>([
    ["a kind that the segment does not take", { identifiers: ["email"] }, { kind: 1 }, false],
    ["a kind that the segment takes", { identifiers: ["email", "phone"] }, { kind: 1 }, true],
    ["a list that a later one has overtaken", { mirroredAt: 1_001 }, {}, false],
    ["the last list", { mirroredAt: 1_000 }, {}, true],
    ["people held already, on a list that a later one has overtaken", { mirroredAt: 1_001 }, { op: "hold" }, false],
  ])("of %s enters: %#", async (_, link, content, enters) => {
    const { work, held, queue, done } = await setup({ link });
    await queue(page([1], content));
    await work(500);
    expect([await held(), (await done())?.added]).toEqual(enters ? [1, 1] : [0, 0]);
  });

  it("leaves out who withdrew after the run had begun", async () => {
    const asked: unknown[] = [];
    const consent: Consent = {
      allowed: () => true,
      deniedMembers: async (...of) => {
        asked.push(of);
        return new Set([1]);
      },
    };
    const { work, told, held, queue } = await setup({ consent });
    const content = page([1, 2, 3]);
    await queue(content);
    await work(500);
    expect([told(), await held({ run: 1_000 })]).toEqual([["add email 1 3"], 2]);
    expect(asked).toEqual([["acme", "d1", 0, content.hashes, 9]]);
  });

  it.each<[string, object, Partial<ListPage>]>([
    ["leave", {}, { op: "remove" }],
    ["are held already", {}, { op: "hold" }],
    ["do not enter, since a later list has overtaken this one", { mirroredAt: 1_001 }, {}],
  ])("asks nothing about people who %s", async (_, link, content) => {
    let asked = 0;
    const consent: Consent = { allowed: () => true, deniedMembers: async () => void asked++ };
    const { work, queue, done } = await setup({ link, consent });
    await queue(page([1], content));
    await work(500);
    expect([asked, await done()]).toEqual([0, NOTHING]);
  });

  it("enters whole where nobody is denied", async () => {
    const { work, told, queue } = await setup({
      consent: { allowed: () => false, deniedMembers: async () => undefined },
    });
    await queue(page([1, 2]));
    await work(500);
    expect(told()).toEqual(["add email 1 2"]);
  });

  it("that may have been sent before is told again as it should be held: who was denied meanwhile leaves", async () => {
    let denied: ReadonlySet<number> | undefined;
    const consent: Consent = { allowed: () => true, deniedMembers: async () => denied };
    const { work, told, queue, segments, held, clock, done } = await setup({ consent, lostAnswers: 1 });
    await queue(page([1, 2, 3]));
    await work(500);
    denied = new Set([0]);
    await clock.advance(40_000);
    await work(500);
    expect(told()).toEqual(["add email 1 2 3", "add email 2 3", "remove email 1"]);
    expect([...(segments.held.get("s1") ?? [])]).toHaveLength(2);
    expect([await held(), await done()]).toEqual([2, { added: 2, removed: 1, accepted: 3, requests: 2 }]);
  });

  it("that may have been sent before and is overtaken now is told again as it should be held", async () => {
    const { work, told, queue, held, clock, storage, ref } = await setup({ lostAnswers: 1 });
    await queue(page([1, 2]));
    await work(500);
    await changeSegmentLink(storage.records, ref, (link) => ({ ...link, mirroredAt: 1_001 }));
    await clock.advance(40_000);
    await work(500);
    expect([told(), await held()]).toEqual([["add email 1 2", "remove email 1 2"], 0]);
  });

  it("that was told and does not change is told again where it is in doubt", async () => {
    const { work, told, queue, clock, storage, ref } = await setup({ lostAnswers: 1 });
    await queue(page([1]));
    await work(500);
    const unnamed = { op: "add" as const, kind: 0 as const, hash: Buffer.from(hashOf(1), "hex"), position: 0 };
    await storage.members?.commit(ref, [unnamed], { fence: 0, sent: Uint8Array.of(1) });
    await clock.advance(40_000);
    await work(500);
    expect(told()).toEqual(["add email 1", "add email 1"]);
  });

  it("whose claim was lost is not done", async () => {
    const { work, queue, done, storage, ref, delivery } = await setup();
    await storage.members?.commit(ref, [], { fence: 1e6, sent: new Uint8Array() });
    await queue(page([1]));
    await work(500);
    expect([await done(), delivery.counters.lost]).toEqual([undefined, 1]);
  });
});

describe("a task", () => {
  it("is done once its turn has come, and who waits for it learns so", async () => {
    const { delivery, ref, work, told } = await setup();
    await delivery.append([member(1, "add")]);
    await work(500);
    await delivery.lists.task(ref, "again", { task: "refill" });
    await work(500);
    expect(told()).toEqual(["add email 1", "add email 1"]);
    expect(await delivery.lists.done(ref, "again")).toEqual({ added: 1, removed: 0, accepted: 1, requests: 1 });
  });

  it("that a whole list has overtaken does nothing, and is done", async () => {
    const { delivery, ref, work, told, held } = await setup();
    await delivery.append([member(1, "add")]);
    await work(500);
    await delivery.lists.task(ref, "sweep", { task: "sweep" }, { position: 900 });
    await work(500);
    expect([told(), await held()]).toEqual([["add email 1", "remove email 1"], 0]);
    await delivery.lists.task(ref, "late", { task: "refill" }, { position: 899 });
    await delivery.append([member(2, "add")]);
    await work(500);
    expect(await delivery.lists.done(ref, "late")).toEqual(NOTHING);
  });
});
