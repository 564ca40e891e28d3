import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { storageFromRecords } from "../../src/storage/index.ts";
import type { Claim, Records } from "../../src/storage/ports.ts";
import { entered, openShop, purchase } from "../snapchat/shop.ts";
import { mapRecords } from "./map-records.ts";

const page = readFileSync(new URL("../../docs/storage-adapter.md", import.meta.url), "utf8");
const here = (file: string) => fileURLToPath(new URL(`adapter-page/${file}`, import.meta.url));

describe("docs/storage-adapter.md", () => {
  it.each(["my-records.ts", "my-storage.ts", "my-kit.ts", "my-process.ts"])("shows %s to the letter", (file) => {
    const program = readFileSync(here(file), "utf8").replaceAll(
      /"\.\.\/\.\.\/\.\.\/src\/(storage|testing)\/index\.ts"/g,
      '"snapchat-destination/$1"',
    );
    expect(page).toContain(`\`\`\`ts\n${program.trimEnd()}\n\`\`\``);
  });

  it("shows functions that keep what the kit says of records", async () => {
    const only = "--test-name-pattern=^(records|rules):.*test's clock";
    const { stdout } = await promisify(execFile)(process.execPath, [
      "--test",
      "--test-reporter=tap",
      only,
      here("my-kit.ts"),
    ]);
    expect(stdout).toMatch(/^# fail 0$/m);
    expect(Number(/^# pass (\d+)$/m.exec(stdout)?.[1])).toBeGreaterThan(35);
  });

  it("names every code of the port's errors", () => {
    const ports = readFileSync(new URL("../../src/storage/ports.ts", import.meta.url), "utf8");
    const codes = /code:\s*((?:\| "\w+"\s*)+);/.exec(ports)?.[1]?.match(/\w+/g) ?? [];
    expect(codes.length).toBe(8);
    for (const code of codes) expect(page).toContain(`| \`${code}\` |`);
  });

  it("names every kind of key that a shop's life leaves", async () => {
    const kinds = new Set<string>();
    const base = mapRecords();
    const records: Records = {
      ...base,
      put(key, value, o) {
        kinds.add(key.startsWith("$/") ? key.slice(0, 4) : key.slice(0, key.indexOf("/") + 1));
        return base.put(key, value, o);
      },
    };
    const o = { name: "map", durability: "process", shared: "process", maxValueBytes: 400_000 } as const;
    const shop = await openShop({ storage: storageFromRecords(records, o) });
    await shop.acme.track([purchase("a"), entered("vip"), { event: "wheel_spun" }]);
    await shop.snapchat.drain({ maxMs: 20_000 });
    await shop.acme.people.forget({ email: "jane@example.com" }, { actor: "test" });
    await shop.snapchat.pause();
    await shop.close();
    expect(kinds.size).toBeGreaterThan(12);
    const unnamed = [...kinds].filter((kind) => !page.includes(`\`${kind}`));
    expect(unnamed, "name new kinds of records in the table of docs/storage-adapter.md").toEqual([]);
  });

  it("says what every call costs", async () => {
    const rows = await costs();
    for (const row of rows) expect(page).toContain(row);
    const table = page.slice(page.indexOf("| call | `get` |"));
    expect(table.slice(0, table.indexOf("\n\n")).split("\n").length - 2).toBe(rows.length);
  });
});

/** Lines of the page's table: calls of the five functions for each call of a port. */
async function costs(): Promise<string[]> {
  const counts = new Map<string, number>();
  const base = mapRecords();
  const counted = Object.fromEntries(
    Object.entries(base).map(([name, call]) => [
      name,
      (...args: never[]) => {
        counts.set(name, (counts.get(name) ?? 0) + 1);
        return (call as (...args: never[]) => unknown)(...args);
      },
    ]),
  ) as unknown as Records;
  const o = { name: "map", durability: "process", shared: "process", maxValueBytes: 400_000 } as const;
  const { outbox, slots, members, journal } = storageFromRecords(counted, o);
  const rows: string[] = [];
  const cost = async <T>(name: string, call: () => Promise<T>): Promise<T> => {
    counts.clear();
    const answer = await call();
    const cells = ["get", "put", "delete", "list", "now"].map((one) => counts.get(one) ?? 0);
    rows.push(`| ${[name, ...cells].join(" | ")} |`);
    return answer;
  };

  const group = { tenantId: "t", destinationId: "d", name: "events/p", exclusive: false, credentialId: "c" };
  const bytes = new Uint8Array(10);
  const entries = (prefix: string, count: number) =>
    Array.from({ length: count }, (_, n) => {
      return { id: prefix + n, group, priority: 0 as const, items: 1, payload: bytes, dedupeMs: 60_000 };
    });
  const claim = async (name: string) => {
    const options = { owner: "test", leaseMs: 60_000, maxItems: 1_000, maxBytes: 1_000_000 };
    return (await cost(name, () => outbox.claim(options))) as Claim;
  };
  const gone = ({ entries }: Claim) => entries.map(({ id }) => ({ id }));
  const scopes = ["token", "app"].map((key) => ({ key, perWindow: 10, windowMs: 1_000 }));
  const segment = { tenantId: "t", destinationId: "d", link: "l" };
  const op = { op: "add", kind: 0, hash: new Uint8Array(32), position: 1 } as const;

  await cost("`open` one group", () => outbox.open([group]));
  await cost("`append` one entry", () => outbox.append(entries("a", 1)));
  await cost("`append` the same again: duplicate", () => outbox.append(entries("a", 1)));
  await cost("`append` ten entries of one group", () => outbox.append(entries("b", 10)));
  await outbox.depth();
  const eleven = await claim("`claim` of eleven entries");
  await cost("`extend`", () => outbox.extend(eleven, 60_000));
  await cost("`settle`, eleven delivered", () => outbox.settle(eleven, gone(eleven)));
  await claim("`claim`, nothing due");
  await outbox.append(entries("c", 1));
  const dead = await claim("`claim` of one entry");
  const letter = { itemIndex: 0, reason: "bad", payload: bytes, detail: bytes };
  await cost("`settle`, one dead", () => outbox.settle(dead, [{ id: "c0", dead: [letter] }]));
  await outbox.append(entries("e", 1));
  const released = (await outbox.claim({ owner: "test", leaseMs: 60_000, maxItems: 1, maxBytes: 1_000 })) as Claim;
  await cost("`release`", () => outbox.release(released));
  await cost("`depth`", () => outbox.depth(["d"]));
  await cost("`dead.list`", () => outbox.dead.list({ destinationId: "d", limit: 10 }));
  await cost("`pause`, one group meant", () => outbox.pause({ destinationId: "d" }, "operator"));
  await cost("`reserve` in two limits", () => slots!.reserve(scopes, 1));
  await cost("`diff` of one operation", () => members!.diff(segment, [op]));
  await cost("`commit` of one operation", () =>
    members!.commit(segment, [op], { fence: 1, sent: new Uint8Array([1]) }),
  );
  await cost("`journal.write`", () => journal!.write([{ destinationId: "d", ids: ["a"], data: bytes }]));
  await cost("`journal.find`, one page", () =>
    journal!.find({ destinationId: "d", id: "a", fromAgeMs: 0, toAgeMs: 60_000, limit: 10 }),
  );
  if (process.env.SHOW_COSTS) console.log(rows.join("\n"));
  return rows;
}
