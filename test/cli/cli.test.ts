import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Snapchat } from "snapchat-destination";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { main } from "../../src/cli/main.ts";
import { openShop, purchase, type Shop } from "../snapchat/shop.ts";

let shop: Shop;
let folder: string;
const config = () => join(folder, "snapchat.config.mjs");

beforeEach(async () => {
  shop = await openShop({ delivery: { lingerMs: 0, journalShare: 1 } });
  folder = mkdtempSync(join(tmpdir(), "cli-"));
  // The command closes what the configuration made; the test goes on with the same storage.
  const snapchat: Snapchat = { ...shop.snapchat, close: async () => {} };
  Object.assign(globalThis, { cliTestHost: snapchat });
  writeFileSync(config(), "export default () => globalThis.cliTestHost;\n");
});
afterEach(async () => {
  rmSync(folder, { recursive: true });
  await shop.close();
});

/** Runs a command as the terminal would. */
async function cli(argv: string[], { stdin = "", isTTY = false }: { stdin?: string; isTTY?: boolean } = {}) {
  const stdout: string[] = [];
  const stderr: string[] = [];
  const code = await main(argv, {
    stdin: (async function* () {
      yield stdin;
    })(),
    stdout: { isTTY, write: (text) => stdout.push(text) },
    stderr: { write: (text) => stderr.push(text) },
    env: {},
  });
  return { code, stdout: stdout.join(""), stderr: stderr.join("") };
}
const ours = () => ["--config", config(), "--tenant", "acme"];

describe("the terminal", () => {
  it("says what there is, and that a word is off, with exit code 2", async () => {
    expect(await cli(["--help"])).toMatchObject({ code: 0, stdout: expect.stringContaining("dead-letters") });
    expect(await cli([])).toMatchObject({ code: 2 });
    expect(await cli(["__proto__"])).toMatchObject({ code: 2, stderr: expect.stringContaining("no command") });
    for (const command of [
      "tenants",
      "destinations",
      "verify",
      "explain",
      "receipts",
      "dead-letters",
      "keys",
      "segments",
      "storage",
      "doctor",
      "simulator",
    ]) {
      expect(await cli([command, "--help"])).toMatchObject({ code: 0, stdout: expect.stringContaining("Usage:") });
      expect(await cli([command, "--no-such-option"])).toMatchObject({ code: 2, stdout: "" });
    }
    expect(await cli(["verify", "x", "--config", config()])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--tenant is missing"),
    });
    expect(await cli(["verify", "x", "--tenant", "acme", "--config", "nowhere.mjs"])).toMatchObject({ code: 2 });
  });

  it("fails with code, reason and what to do, in one line each", async () => {
    const foreign = await cli(["verify", shop.id, "--config", config(), "--tenant", "other"]);
    expect(foreign.code).toBe(1);
    expect(foreign.stderr).toMatch(
      /^not_found: .+\nTake the id from `snapchat-destination destinations --tenant <id>`\.\n$/,
    );
    writeFileSync(join(folder, "wrong.mjs"), "export default 5;\n");
    const wrong = await cli(["verify", shop.id, "--tenant", "acme", "--config", join(folder, "wrong.mjs")]);
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining("config_invalid") });
  });

  it("says a mistake in a line, with the word that was meant, and where more is told", async () => {
    const said = async (...argv: string[]) => (await cli(argv)).stderr;
    const more = "snapchat-destination verify --help tells more.\n";
    expect(await said("verify", "x", "--tenat", "acme")).toBe(
      `There is no option --tenat. Did you mean --tenant?\n${more}`,
    );
    expect(await said("verify", "x", "--colour")).toBe(`There is no option --colour.\n${more}`);
    expect(await said("verify", "x", "--tenant")).toBe(`--tenant needs a value.\n${more}`);
    expect(await said("verfy")).toBe(
      'There is no command "verfy". Did you mean verify?\nsnapchat-destination --help lists them.\n',
    );
    expect(await said("frobnicate")).toBe(
      'There is no command "frobnicate".\nsnapchat-destination --help lists them.\n',
    );
  });

  it("colours a terminal and nothing else", async () => {
    expect((await cli(["verify", shop.id, ...ours()])).stdout).not.toContain("\u001b");
    expect((await cli(["verify", shop.id, ...ours()], { isTTY: true })).stdout).toContain("\u001b[");
  });
});

describe("tenants and destinations", () => {
  it("lists them with the ids that other commands take", async () => {
    await shop.snapchat.tenant("other").destinations.create({ name: "Theirs" });
    expect((await cli(["tenants", "--config", config()])).stdout).toMatch(
      /^tenant .+\nacme +active .+\nother +active .+\n$/,
    );
    const { pixel } = shop.simulator.world.main;
    const { stdout } = await cli(["destinations", ...ours()]);
    expect(stdout.split("\n")[1]).toMatch(new RegExp(`^${shop.id} +on +${pixel.id} +Snapchat$`));
    expect(JSON.parse((await cli(["destinations", "--json", ...ours()])).stdout)).toMatchObject([{ id: shop.id }]);
    expect((await cli(["destinations", "--config", config(), "--tenant", "acmee"])).stdout).toBe(
      "acmee has no destinations. `snapchat-destination tenants` lists who has.\n",
    );
  });

  it("lists more than a page", async () => {
    for (let n = 0; n < 101; n++) await shop.snapchat.tenant(`t-${n}`).destinations.create({ name: "Theirs" });
    expect(JSON.parse((await cli(["tenants", "--json", "--config", config()])).stdout)).toHaveLength(102);
  });
});

describe("verify", () => {
  it("exits 0 where nothing is wrong, 3 where something is, as text, Markdown and JSON", async () => {
    const good = await cli(["verify", shop.id, ...ours()]);
    expect(good).toMatchObject({ code: 0, stdout: expect.stringContaining("✓ ") });
    expect((await cli(["verify", shop.id, "--markdown", ...ours()])).stdout).toContain("| ok |");
    const nobody = { event: "Purchased", customProperties: { value: 1, currency: "GBP" } };
    await shop.acme.track(
      Array.from({ length: 5 }, (_, i) => ({ ...nobody, event_id: `n-${i}` })),
      { receivedAt: Date.now() },
    );
    const bad = await cli(["verify", shop.id, "--json", ...ours()]);
    expect(bad.code).toBe(3);
    expect(JSON.parse(bad.stdout)).toMatchObject({ ok: false, destinationId: shop.id });
  });
});

describe("explain", () => {
  it("reads one event and shows the JSON and the pixel's call, never the address", async () => {
    const { code, stdout } = await cli(["explain", shop.id, ...ours()], { stdin: JSON.stringify(purchase("a")) });
    expect(code).toBe(0);
    expect(stdout).toContain("server: would be sent as PURCHASE");
    expect(stdout).toContain('snaptr("track"');
    expect(stdout).not.toContain("jane@example.com");
  });

  it("exits 3 for an event that would be rejected, 2 for what is no JSON", async () => {
    const event = { event: "Purchased", event_id: "a", customProperties: { value: 1, currency: "GBP", order_id: "1" } };
    expect(await cli(["explain", shop.id, ...ours()], { stdin: JSON.stringify(event) })).toMatchObject({ code: 3 });
  });

  it("says whether standard input is empty, breaks off or is no JSON, and shows nothing of it", async () => {
    const said = async (stdin: string) => {
      const { code, stderr } = await cli(["explain", shop.id, ...ours()], { stdin });
      expect(code).toBe(2);
      return stderr.split("\n")[0];
    };
    expect(await said(" \n")).toBe("Standard input is empty: pipe one event in, for example `< event.json`.");
    expect(await said('{"a": 1')).toMatch(/^Standard input is not JSON/);
    expect(await said("{bad")).toMatch(/^Standard input is not JSON, from line 1 column 2 on: it takes one event/);
    expect(await said('{"event": jane@example.com}')).not.toContain("jane");
  });

  it("names the event that was meant", async () => {
    const { stdout } = await cli(["explain", shop.id, ...ours()], {
      stdin: JSON.stringify({ ...purchase("a"), event: "Purchasd" }),
    });
    expect(stdout).toContain("→ Did you mean Purchased?\n");
  });
});

describe("receipts", () => {
  it("answers where a purchase is, and exits 3 where nothing is known of it", async () => {
    await shop.acme.track([purchase("a")]);
    await shop.snapchat.drain({ maxMs: 20_000 });
    const found = await cli(["receipts", shop.id, "--order-id", "SO-a", ...ours()]);
    expect(found).toMatchObject({ code: 0, stdout: expect.stringMatching(/^a \(order SO-a\): delivered\n/) });
    expect(await cli(["receipts", shop.id, "--order-id", "SO-z", ...ours()])).toMatchObject({ code: 3 });
    const lines = (await cli(["receipts", shop.id, "--ndjson", ...ours()])).stdout.trim().split("\n");
    expect(lines.map((line) => JSON.parse(line).type).sort()).toEqual(["ingest", "request"]);
  });
});

describe("dead-letters", () => {
  beforeEach(async () => {
    const body = { status: "INVALID", reason: "The event was refused", error_records: [{ error_code: "E1" }] };
    shop.simulator.faults.add({ area: "conversions", count: 1, status: 400, body });
    await shop.acme.track([purchase("a")]);
    await shop.snapchat.drain({ maxMs: 20_000 });
  });

  it("lists, tries, replays", async () => {
    expect((await cli(["dead-letters", "list", shop.id, ...ours()])).stdout).toMatch(/rejected +PURCHASE +a/);
    expect((await cli(["dead-letters", "replay", shop.id, "--dry-run", ...ours()])).stdout).toBe(
      "1 of 1 would be queued again.\n",
    );
    expect((await cli(["dead-letters", "replay", shop.id, ...ours()])).stdout).toBe("1 of 1 queued again.\n");
    await shop.snapchat.drain({ maxMs: 20_000 });
    expect(shop.simulator.inspect.events.counted).toBe(1);
    expect((await cli(["dead-letters", "list", shop.id, ...ours()])).stdout).toBe("There are no dead letters.\n");
  });

  it("removes for good only when told so", async () => {
    expect(await cli(["dead-letters", "purge", shop.id, ...ours()])).toMatchObject({ code: 2 });
    expect((await cli(["dead-letters", "purge", shop.id, "--reason", "no_such", "--yes", ...ours()])).stdout).toBe(
      "Removed 0.\n",
    );
    expect((await cli(["dead-letters", "purge", shop.id, "--yes", ...ours()])).stdout).toBe("Removed 1.\n");
    const { items } = await shop.acme.audit.list({ destinationId: shop.id });
    expect(items.at(-1)).toMatchObject({ action: "dead_letters.purged", detail: { removed: 1 } });
  });
});

describe("segments", () => {
  it("brings a file into a segment and delivers it, once however often it is called", async () => {
    const file = join(folder, "vip.csv");
    writeFileSync(file, "email,phone\nann@example.com,+447700900001\nbob@example.com,\nnot an address,\n");
    const sync = await cli(["segments", "sync", shop.id, "vip", file, "--json", ...ours()]);
    expect(sync).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(sync.stdout)).toMatchObject({ phase: "done", read: 3, identifiers: 3, accepted: 3 });
    const requests = shop.simulator.inspect.requests.length;
    expect(await cli(["segments", "sync", shop.id, "vip", file, ...ours()])).toMatchObject({ code: 0 });
    expect(shop.simulator.inspect.requests.slice(requests).filter(({ method }) => method !== "GET")).toEqual([]);
    expect((await cli(["segments", "list", shop.id, ...ours()])).stdout).toMatch(/vip/);
  });

  it("says what is off", async () => {
    expect(await cli(["segments", "sync", shop.id, "vip", "nowhere.csv", ...ours()])).toMatchObject({ code: 2 });
    expect(await cli(["segments", "sync", shop.id, "vip", ...ours()])).toMatchObject({ code: 2 });
    expect(await cli(["segments", "sync", shop.id, "vip", "x.csv", "--mode", "replace", ...ours()])).toMatchObject({
      code: 2,
    });
  });
});

describe("keys and storage", () => {
  it("rotates, says which keys are in use, checks and migrates", async () => {
    const host = ["--config", config()];
    expect(await cli(["keys", "rotate", ...host])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Sealed \d+ of \d+/),
    });
    expect((await cli(["keys", "in-use", ...host])).stdout).toMatch(/seals +\d+/);
    expect(await cli(["storage", "migrate", ...host])).toMatchObject({ code: 0 });
    const sql = await cli(["storage", "sql", "--schema", "cdp"]);
    expect(sql).toMatchObject({ code: 0, stdout: expect.stringContaining("CREATE TABLE") });
    expect(sql.stdout).toContain("cdp");
    const check = await cli(["storage", "check", "--json", ...host]);
    expect(JSON.parse(check.stdout)).toBeInstanceOf(Array);
  });
});

it("runs as a program: npx snapchat-destination", async () => {
  const bin = new URL("../../src/cli/bin.ts", import.meta.url).pathname;
  const { stdout } = await promisify(execFile)(process.execPath, [bin, "--help"]);
  expect(stdout).toContain("Usage: snapchat-destination <command>");
});
