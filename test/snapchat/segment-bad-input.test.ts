import { csvMembers } from "snapchat-destination/audiences";
import { sha256Hex } from "snapchat-destination/identity";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { entered, openShop, type Shop } from "./shop.ts";

let shop: Shop;
let worker: ReturnType<Shop["snapchat"]["startWorker"]>;
beforeAll(async () => {
  shop = await openShop();
  worker = shop.snapchat.startWorker();
});
afterAll(async () => {
  await worker.stop();
  await shop.close();
});

const address = (n: number) => `person-${n}@example.com`;
const held = (name: string) => {
  const segment = shop.simulator.inspect.segments().find((one) => one.name === name);
  return segment ? shop.simulator.inspect.members(segment.id).EMAIL_SHA256 : new Set();
};

/** As a file comes: in pieces that end anywhere. */
async function* file(bytes: Buffer) {
  for (let from = 0; from < bytes.length; from += 1_000) yield bytes.subarray(from, from + 1_000);
}

const LINES = 1_000;
const UNUSABLE = ["nobody", "@example.com", "a@b@c", "jo hn@example.com", "-"];

/** A mark, lines of two encodings, empty lines, and one line in twenty without an address in it. */
function handled(): { bytes: Buffer; good: Set<string>; bad: number; foreign: number } {
  const parts = [Buffer.from("\ufeffE-mail,City,Customer ID\r\n")];
  const good = new Set<string>();
  let bad = 0;
  let foreign = 0;
  for (let n = 0; n < LINES; n++) {
    if (n % 20 === 7) {
      parts.push(Buffer.from(`${UNUSABLE[bad++ % UNUSABLE.length]},Bath,${n}\r\n`));
      continue;
    }
    // Whoever joined the files wrote this one in Latin-1.
    const latin = n % 10 === 3;
    parts.push(Buffer.from(`${address(n)},Zürich,${n}\r\n`, latin ? "latin1" : "utf8"));
    good.add(sha256Hex(address(n)));
    if (n % 100 === 0) parts.push(Buffer.from("\r\n  \r\n,,\r\n"));
    if (n % 250 === 1) {
      foreign++;
      parts.push(Buffer.from(`jürg-${n}@example.com,Zürich,${n}x\r\n`, "latin1"));
    }
  }
  return { bytes: Buffer.concat(parts), good, bad, foreign };
}

describe("a CSV that people have handled", () => {
  it("with a mark, two encodings, empty lines and 5 % of no use is synced but for those, which are counted", async () => {
    const { acme, id } = shop;
    const { bytes, good, bad, foreign } = handled();
    const done = await acme.segments.sync(id, "export", csvMembers(file(bytes)), { runId: "export" });
    expect(bad).toBe(LINES / 20);
    expect(held("export")).toEqual(good);
    expect(done).toMatchObject({ phase: "done", identifiers: good.size, sent: good.size, accepted: good.size });
    const { row_empty: empty = 0, ...others } = done.unusable;
    expect(empty).toBe(LINES / 100);
    expect(Object.values(others).reduce((sum, count) => sum + count, 0)).toBe(bad + foreign);
    expect(Object.keys(others)).toEqual(["not_an_email"]);
  });

  it("without a header that is known ends at once, names nobody, and the right file goes on under the same run", async () => {
    const { acme, id } = shop;
    const wrong = `${address(1)},Bath\r\n${address(2)},York\r\n`;
    const failed = await acme.segments
      .sync(id, "headless", csvMembers(file(Buffer.from(wrong))), { runId: "a" })
      .catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: "csv_header_unknown", kind: "fix_data", fix: expect.any(String) });
    expect(JSON.stringify(failed)).not.toContain("person");
    expect(held("headless").size).toBe(0);
    const right = csvMembers(file(Buffer.from(`email,city\r\n${wrong}`)));
    expect(await acme.segments.sync(id, "headless", right, { runId: "a" })).toMatchObject({ phase: "done", sent: 2 });
    expect(held("headless")).toEqual(new Set([1, 2].map((n) => sha256Hex(address(n)))));
  });
});

describe("a segment's key", () => {
  const LONG = "k".repeat(10_240);

  it.each([
    ["of 10 kB", LONG, "segment_key_too_long", 1],
    ["that is empty", "", "segment_missing", 2],
    ["of spaces", "   ", "segment_missing", 3],
  ])("%s rejects the event that names it, and only it", async (_, key, reason, n) => {
    const { acme } = shop;
    const before = shop.simulator.inspect.segments().length;
    const [bad, good] = await acme.track([entered(key), entered("export", address(n))]);
    expect(bad).toMatchObject({ status: "rejected", parts: [{ reason, words: { fix: expect.stringMatching(/\w/) } }] });
    expect(good).toMatchObject({ status: "queued" });
    expect(shop.simulator.inspect.segments()).toHaveLength(before);
  });

  it.each([
    ["of 10 kB", LONG],
    ["that is empty", ""],
    ["that is a number", 7 as never],
  ])("%s is refused by every call, and stores nothing", async (_, key) => {
    const { segments } = shop.acme;
    const { id } = shop;
    const listed = await segments.list(id, { live: false });
    for (const call of [
      () => segments.sync(id, key, []),
      () => segments.update(id, key, { name: "A" }),
      () => segments.link(id, key, "1"),
      () => segments.recreate(id, key),
      () => segments.stop(id, key),
      () => segments.remove(id, key),
    ]) {
      await expect(call(), call.toString()).rejects.toMatchObject({ code: "segment_key_invalid", kind: "fix_data" });
    }
    expect(await segments.list(id, { live: false })).toEqual(listed);
  });
});

it("an unknown mode is refused with those there are", async () => {
  const { acme, id } = shop;
  await expect(acme.segments.sync(id, "export", [], { mode: "replace" as never })).rejects.toMatchObject({
    code: "sync_mode_invalid",
    message: "A list's mode is mirror, add or remove.",
  });
});
