import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { GET as callback } from "../../examples/next-route-handlers/app/snapchat/callback/route.ts";
import { GET as connect } from "../../examples/next-route-handlers/app/snapchat/connect/route.ts";
import { snapchat } from "../../examples/next-route-handlers/lib/snapchat.ts";

const folder = mkdtempSync(join(tmpdir(), "snapchat-next-"));

beforeAll(() => {
  vi.stubEnv("SNAPCHAT_CLIENT_ID", "11111111-2222-4333-8444-555555555555");
  vi.stubEnv("SNAPCHAT_CLIENT_SECRET", "secret");
  vi.stubEnv("SNAPCHAT_REDIRECT_URI", "https://cdp.example/snapchat/callback");
  vi.stubEnv("SNAPCHAT_KEY", randomBytes(32).toString("base64"));
  vi.stubEnv("SNAPCHAT_DB", join(folder, "snapchat.db"));
});
afterAll(async () => {
  await snapchat().close();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

const visit = (path: string, cookie: string) => new Request(`https://cdp.example${path}`, { headers: { cookie } });

it("examples/next-route-handlers sends those who may to Snapchat, and believes no answer it did not ask for", async () => {
  const { id } = await snapchat().tenant("acme").destinations.create({ name: "Snapchat" });
  const path = `/snapchat/connect?tenant=acme&destination=${id}`;
  const away = await connect(visit(path, "session=acme"));
  expect(away.status).toBe(302);
  expect(away.headers.get("location")).toContain("client_id=11111111-2222-4333-8444-555555555555");
  expect((await connect(visit(path, "session=other"))).status).toBe(403);
  const forged = await callback(visit("/snapchat/callback?code=x&state=forged", "session=acme"));
  expect(forged.status).toBeGreaterThanOrEqual(400);
});
