import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sqlite } from "../../src/sqlite/index.ts";
import { createFakeClock } from "../../src/testing/clock.ts";
import { inTurn } from "./checker/engine.ts";
import { event, fakeSegments, linkSegment, member, promisesDone, setup } from "./support.ts";

const HOUR = 3_600_000;
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "backup-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true, maxRetries: 10 }));

/** A file with a queue, backed up; then everything in it is delivered, and hours later the backup comes back. */
async function comeBack(hours: number) {
  let idle = promisesDone;
  const clock = createFakeClock({ idle: () => idle() });
  const open = (path: string) => {
    const calls = inTurn(sqlite(path, { clock }));
    idle = calls.idle;
    return calls.storage;
  };
  const [file, copy] = [join(directory, "live.db"), join(directory, "backup.db")];
  const live = open(file);
  await live.migrate();
  const segments = fakeSegments();
  const settings = { lingerMs: 0, memberLingerMs: 0 };
  const before = await setup({ clock, storage: live, segments, settings });
  await linkSegment(live);
  await before.delivery.append([event(1), event(2)]);
  await before.delivery.append([member(1, "add")]);
  const backupTakenAtMs = clock.now();
  const database = new DatabaseSync(file);
  database.exec(`VACUUM INTO '${copy}'`);
  database.close();
  await clock.run(before.delivery.drain({ maxMs: 2_000 }));
  expect(before.events.sent).toHaveLength(1);
  expect(segments.held.get("seg-1")?.size).toBe(1);
  await live.close();
  await clock.advance(hours * HOUR);

  const storage = open(copy);
  const after = await setup({ clock, storage, segments, settings });
  await after.delivery.restored({ backupTakenAtMs });
  await clock.advance(10);
  await clock.run(after.delivery.drain({ maxMs: 2_000 }), { maxMs: 60_000 });
  const { items } = await after.delivery.deadLetters.list({ destinationId: "d1" });
  await storage.close();
  return { sent: after.events.sent.flatMap(({ eventIds }) => eventIds), dead: items, segments };
}

describe("a file that came back from a backup", () => {
  it("within 48 hours sends again what it does not know to be sent: Snapchat counts it once", async () => {
    const { sent, dead } = await comeBack(5);
    expect(sent).toEqual(["e-1", "e-2"]);
    expect(dead).toEqual([]);
  });

  it("later sends no event twice: each is a dead letter that says so", async () => {
    const { sent, dead } = await comeBack(50);
    expect(sent).toEqual([]);
    expect(dead.map(({ eventId, reason }) => [eventId, reason]).sort()).toEqual([
      ["e-1", "outcome_unknown"],
      ["e-2", "outcome_unknown"],
    ]);
  });

  it("finds the segment that was made since by its marker, and tells it again what it should hold", async () => {
    const { segments } = await comeBack(50);
    expect(segments.made).toHaveLength(1);
    expect(segments.calls.map(({ op }) => op)).toEqual(["create", "add", "list", "add"]);
  });
});
