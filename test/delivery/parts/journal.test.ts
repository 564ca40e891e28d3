import { describe, expect, it } from "vitest";
import { createJournalWriter } from "../../../src/delivery/journal.ts";
import { decodeLine, type JournalLine } from "../../../src/delivery/journal-line.ts";
import type { Journal } from "../../../src/storage/ports.ts";

const line = (n: number): JournalLine => ({ type: "ingest", id: `l-${n}`, atMs: 0, offered: 1, events: [] });

/** A journal whose writes end when the test says so. */
function slowJournal() {
  const writes: { lines: Parameters<Journal["write"]>[0]; done: () => void; fail: () => void }[] = [];
  const journal = {
    write: (lines: Parameters<Journal["write"]>[0]) =>
      new Promise<void>((done, reject) => {
        writes.push({ lines, done, fail: () => reject(new Error("the journal is away")) });
      }),
  } as Journal;
  return { writes, journal };
}

const idsOf = (lines: { data: Uint8Array }[] = []) => lines.map(({ data }) => decodeLine(data)?.id);
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

describe("the journal's writer", () => {
  it("writes the first line at once and what comes meanwhile together", async () => {
    const { writes, journal } = slowJournal();
    const writer = createJournalWriter(journal);
    expect(writer.active).toBe(true);
    writer.add("d1", ["e-1", "x".repeat(201)], line(1));
    writer.add("d2", [], line(2));
    writer.add("d2", ["e-3"], line(3));
    expect(writes.map(({ lines }) => idsOf(lines))).toEqual([["l-1"]]);
    expect(writes[0]?.lines[0]).toMatchObject({
      destinationId: "d1",
      ids: ["e-1", expect.stringMatching(/^sha256:/)],
    });
    writes[0]?.done();
    await settled();
    expect(writes.map(({ lines }) => idsOf(lines))).toEqual([["l-1"], ["l-2", "l-3"]]);
    writes[1]?.done();
    await settled();
    writer.add("d1", [], line(4));
    expect(idsOf(writes[2]?.lines)).toEqual(["l-4"]);
    expect(writer.dropped).toBe(0);
  });

  it("is flushed once all of it is with the engine", async () => {
    const { writes, journal } = slowJournal();
    const writer = createJournalWriter(journal);
    await writer.flush();
    writer.add("d1", [], line(1));
    writer.add("d1", [], line(2));
    let flushed = false;
    const flushing = writer.flush().then(() => {
      flushed = true;
    });
    writes[0]?.done();
    await settled();
    expect([writes.length, flushed]).toEqual([2, false]);
    writes[1]?.done();
    await flushing;
  });

  it("counts the lines that the engine refused, and goes on", async () => {
    const { writes, journal } = slowJournal();
    const writer = createJournalWriter(journal);
    writer.add("d1", [], line(1));
    writer.add("d1", [], line(2));
    writer.add("d1", [], line(3));
    writes[0]?.done();
    await settled();
    writes[1]?.fail();
    await writer.flush();
    expect(writer.dropped).toBe(2);
    writer.add("d1", [], line(4));
    writes[2]?.done();
    await writer.flush();
    expect(writer.dropped).toBe(2);
  });

  it("keeps 2,000 lines for an engine that is slow, and counts those it drops", async () => {
    const { writes, journal } = slowJournal();
    const writer = createJournalWriter(journal);
    for (let n = 0; n <= 2_003; n++) writer.add("d1", [], line(n));
    expect(writer.dropped).toBe(3);
    writes[0]?.done();
    await settled();
    expect(idsOf(writes[1]?.lines)).toEqual(Array.from({ length: 2_000 }, (_, n) => `l-${n + 1}`));
  });

  it("does nothing where the engine keeps no journal", async () => {
    const writer = createJournalWriter(undefined);
    for (let n = 0; n <= 2_003; n++) writer.add("d1", [], line(n));
    await writer.flush();
    expect([writer.active, writer.dropped]).toEqual([false, 0]);
  });
});
