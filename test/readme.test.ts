import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Hono } from "hono";
import { createSimulator, type Simulator } from "snapchat-destination/testing";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { firstScreen } from "../examples/first-screen.ts";
import { programOf } from "./docs/shown-code.ts";

let simulator: Simulator;
let folder: string;

// The README speaks to Snapchat's own hosts; here they are the simulator's.
vi.mock("snapchat-destination", async (original) => {
  const real = await original<typeof import("snapchat-destination")>();
  return {
    ...real,
    createSnapchat: (options: Parameters<typeof real.createSnapchat>[0]) =>
      real.createSnapchat({ ...options, endpoints: simulator.endpoints, allowEndpoints: [simulator.url] }),
  };
});

beforeAll(async () => {
  simulator = await createSimulator();
  folder = mkdtempSync(join(tmpdir(), "readme-"));
});
afterAll(async () => {
  await simulator.close();
  rmSync(folder, { recursive: true, force: true });
});

describe("the README", () => {
  it("shows the program that the tests run, to the letter", () => {
    const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
    const program = readFileSync(new URL("../examples/first-screen.ts", import.meta.url), "utf8");
    const shown = /```ts\n(.*?)\n```/s.exec(readme)?.[1];
    expect(shown).toBe(programOf(program));
  });

  it("claims of itself only what a test shows", () => {
    const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
    const section = /^## Why this one\n(.*?)^## /ms.exec(readme)?.[1] ?? "";
    const rows = section.split("\n").filter((line) => line.startsWith("| ") && !line.startsWith("| ---"));
    expect(rows.length).toBeGreaterThan(15);
    for (const row of rows.filter((line) => !line.includes("| this package |"))) {
      const [, file = ""] = /^\| [^|]+ \| \[[^\]]+\]\((test\/[^)]+\.test\.ts)\) \|/.exec(row) ?? [];
      expect(existsSync(new URL(`../${file}`, import.meta.url)) && file !== "", row).toBe(true);
    }
  });

  it("shows a program that connects, tracks and is counted once", async () => {
    process.env.SNAPCHAT_KEY = randomBytes(32).toString("base64");
    const redirectUri = "http://127.0.0.1:8080/snapchat/callback";
    simulator.world.redirectUris.add(redirectUri);
    const { world } = simulator;
    const app = new Hono();

    const { receipts, report } = await firstScreen({
      app,
      clientId: world.clientId,
      clientSecret: world.clientSecret,
      redirectUri,
      database: join(folder, "snapchat.db"),
      mail: () => expect.unreachable("nobody lost a login"),
      mayEdit: (tenantId) => tenantId === "acme",
      async signsIn(id) {
        const away = await app.request(`http://127.0.0.1:8080/snapchat/connect?id=${id}`);
        const cookie = away.headers
          .getSetCookie()
          .map((line) => line.split(";")[0])
          .join("; ");
        const redirect = simulator.consent(away.headers.get("location") ?? "");
        const back = await app.request(redirect, { headers: { cookie } });
        expect(back.status).toBeLessThan(400);
      },
      pasted: `  ${world.main.conversionsToken}\n`,
      events: [
        {
          event: "Purchased",
          event_id: "order-1",
          consent: { ad_storage: "granted" },
          customProperties: {
            value: { t: "number", v: 64.5 },
            currency: { t: "string", v: "GBP" },
            order_id: { t: "string", v: "SO-10442" },
            page_url: { t: "string", v: "https://shop.example/thanks" },
            user_traits: { email: "Jane@Example.com" },
          },
        },
        {
          event: "added_to_segment",
          consent: { ad_storage: "granted" },
          customProperties: { segment_name: "vip", user_traits: { email: "Jane@Example.com" } },
        },
        { event: "Purchased", consent: { ad_storage: "denied" }, customProperties: {} },
      ],
    });

    expect(receipts.map(({ status }) => status)).toEqual(["queued", "queued", "skipped"]);
    expect(simulator.inspect.events.counted).toBe(1);
    expect(report.ok).toBe(true);
  });
});
