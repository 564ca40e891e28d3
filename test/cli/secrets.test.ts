import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { main } from "../../src/cli/main.ts";
import { entered, openShop, purchase, type Shop } from "../snapchat/shop.ts";

const MAIL = "canary.person@example.com";
const PHONE = "+447700900123";

let shop: Shop;
let folder: string;
let out: string[];
beforeEach(async () => {
  shop = await openShop({ delivery: { lingerMs: 0, memberLingerMs: 0, journalShare: 1 } });
  folder = mkdtempSync(join(tmpdir(), "cli-secrets-"));
  Object.assign(globalThis, { cliSecretsHost: { ...shop.snapchat, close: async () => {} } });
  writeFileSync(join(folder, "snapchat.config.mjs"), "export default () => globalThis.cliSecretsHost;\n");
  out = [];
});
afterEach(async () => {
  rmSync(folder, { recursive: true });
  await shop.close();
});

async function cli(argv: string[], stdin = ""): Promise<void> {
  const config = ["--config", join(folder, "snapchat.config.mjs")];
  const write = (text: string) => out.push(text);
  await main([...argv, ...config], {
    stdin: (async function* () {
      yield stdin;
    })(),
    stdout: { write, isTTY: true },
    stderr: { write, isTTY: true },
    env: {},
  });
}

/** What no output may hold, and where it was found. */
function leaks(): string[] {
  const { conversionsToken } = shop.simulator.world.main;
  const { clientSecret } = shop.simulator.world;
  const text = out.join("");
  return [MAIL, PHONE, PHONE.slice(1), conversionsToken, clientSecret].filter((secret) => text.includes(secret));
}

it("no command prints a token, a secret, a mail address or a phone number, whatever it is asked", async () => {
  const { acme, snapchat, simulator, id } = shop;
  const sale = purchase("canary", MAIL);
  Object.assign(sale.customProperties as object, { user_traits: { email: MAIL, phone: PHONE } });
  const refused = { ...purchase("refused", MAIL), customProperties: { value: 1, user_traits: { email: MAIL } } };
  simulator.faults.add({
    area: "conversions",
    status: 400,
    count: 1,
    body: { status: "INVALID", reason: `bad ${MAIL}` },
  });
  await acme.track([sale, entered("vip", MAIL), refused], { receivedAt: Date.now() });
  await snapchat.drain({ maxMs: 20_000 });
  const list = join(folder, "vip.csv");
  writeFileSync(list, `email,phone\n${MAIL},${PHONE}\nnot an address ${MAIL},\n`);

  const tenant = ["--tenant", "acme"];
  for (const json of [[], ["--json"]]) {
    await cli(["verify", id, ...tenant, ...json]);
    await cli(["explain", id, ...tenant, ...json], JSON.stringify(sale));
    await cli(["receipts", id, "--order-id", "SO-canary", ...tenant, ...json]);
    await cli(["dead-letters", "list", id, ...tenant, ...json]);
    await cli(["dead-letters", "replay", id, "--dry-run", ...tenant, ...json]);
    await cli(["segments", "sync", id, "vip", list, ...tenant, ...json]);
    await cli(["segments", "list", id, ...tenant, ...json]);
    await cli(["keys", "in-use", ...json]);
    await cli(["storage", "check", ...json]);
  }
  await cli(["receipts", id, "--ndjson", ...tenant]);
  await cli(["explain", id, ...tenant], `{ "email": "${MAIL}"`);
  await cli(["verify", MAIL, ...tenant]);

  expect(out.join("").length).toBeGreaterThan(5_000);
  // What the person typed may come back to them; what the host sent may not.
  expect(leaks()).toEqual([]);
  out.push(MAIL);
  expect(leaks()).toEqual([MAIL]);
});
