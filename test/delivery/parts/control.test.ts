import { describe, expect, it } from "vitest";
import { createControl } from "../../../src/delivery/control.ts";
import { storageError } from "../../../src/storage/errors.ts";
import { memory } from "../../../src/storage/memory/index.ts";
import type { Records } from "../../../src/storage/ports.ts";
import { createFakeClock } from "../../../src/testing/clock.ts";

const KEY = "delivery/control";
const HOUR = 3_600_000;

function world() {
  const clock = createFakeClock();
  const { records: inner } = memory({ clock });
  const calls = { get: 0, now: 0 };
  const records: Records = {
    ...inner,
    get(key) {
      calls.get++;
      return inner.get(key);
    },
    now() {
      calls.now++;
      return inner.now();
    },
  };
  const process = () => createControl(records, { clock });
  return { clock, records, inner, calls, process };
}

describe("the pause of everything", () => {
  it("is a set of reasons, known to every process within two seconds", async () => {
    const { clock, process } = world();
    const [one, other] = [process(), process()];
    expect([await other.paused(), await other.pausedMs()]).toEqual([[], 0]);
    await one.pauseAll("lunch");
    await one.pauseAll("operator");
    await one.pauseAll("lunch");
    expect([await one.paused(), await one.pausedMs()]).toEqual([["lunch", "operator"], 2_000]);
    await clock.advance(1_999);
    expect([await other.paused(), await other.pausedMs()]).toEqual([[], 0]);
    await clock.advance(1);
    expect(await other.paused()).toEqual(["lunch", "operator"]);
    await one.resumeAll("lunch");
    await one.resumeAll("never given");
    expect([await one.paused(), await one.pausedMs()]).toEqual([["operator"], 2_000]);
    await one.resumeAll("operator");
    expect([await one.paused(), await one.pausedMs()]).toEqual([[], 0]);
  });

  it("is read every two seconds at most, however often it is asked about", async () => {
    const { clock, calls, process } = world();
    const control = process();
    for (let n = 0; n < 41; n++) {
      await control.pausedMs();
      await control.paused();
      await clock.advance(100);
    }
    expect(calls).toEqual({ get: 3, now: 0 });
  });

  it("loses no reason where two processes write at the same time", async () => {
    const { process, records, inner } = world();
    const one = process();
    const other = createControl(inner, { clock: createFakeClock() });
    const get = records.get;
    let raced = false;
    records.get = async (key) => {
      const found = await get(key);
      if (!raced) {
        raced = true;
        await other.pauseAll("theirs");
      }
      return found;
    };
    await one.pauseAll("ours");
    expect(await one.paused()).toEqual(["theirs", "ours"]);
  });

  it("says so where it could not be stored", async () => {
    const { process, records } = world();
    records.put = () => Promise.reject(storageError("unavailable", "The engine is away.", "Wait."));
    await expect(process().pauseAll("lunch")).rejects.toMatchObject({ code: "unavailable" });
  });

  it("that a newer version stored is not read, and is overwritten at its version", async () => {
    const { inner, process } = world();
    await inner.put(KEY, Buffer.from('\u0002{"paused":["theirs"]}'));
    const control = process();
    expect(await control.paused()).toEqual([]);
    await control.pauseAll("ours");
    expect(await control.paused()).toEqual(["ours"]);
    expect((await inner.get(KEY))?.value[0]).toBe(1);
  });
});

describe("a database from a backup", () => {
  it("is how old since the backup and since it came back, on the engine's clock", async () => {
    const { clock, process } = world();
    const [one, other] = [process(), process()];
    await other.paused();
    expect(other.restored()).toBeUndefined();
    const takenAtMs = clock.now() - 5 * HOUR;
    await one.markRestored(takenAtMs);
    await clock.advance(HOUR);
    expect(other.restored()).toBeUndefined();
    for (const control of [one, other]) {
      await control.paused();
      expect(control.restored()).toEqual({ backupAgeMs: 6 * HOUR, restoredAgeMs: HOUR });
    }
    await clock.advance(1_000);
    expect(one.restored()).toEqual({ backupAgeMs: 6 * HOUR + 1_000, restoredAgeMs: HOUR + 1_000 });
  });

  it("is never younger than nothing, whatever the operator's clock said", async () => {
    const { clock, process } = world();
    const control = process();
    await control.markRestored(clock.now() + HOUR);
    await control.paused();
    expect(control.restored()).toEqual({ backupAgeMs: 0, restoredAgeMs: 0 });
    clock.jump(-HOUR);
    await clock.advance(2_000);
    await control.paused();
    expect(control.restored()).toEqual({ backupAgeMs: 0, restoredAgeMs: 0 });
  });

  it("keeps what is paused, and a pause keeps it", async () => {
    const { clock, process } = world();
    const control = process();
    await control.pauseAll("lunch");
    await control.markRestored(clock.now());
    await control.resumeAll("lunch");
    await control.pauseAll("dinner");
    expect(await control.paused()).toEqual(["dinner"]);
    expect(control.restored()).toEqual({ backupAgeMs: 0, restoredAgeMs: 0 });
  });
});
