import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GET as callback } from "./app/snapchat/callback/route.ts";
import { GET as connect } from "./app/snapchat/connect/route.ts";
import { snapchat } from "./lib/snapchat.ts";

/** Calls the handlers as Next does, with web-standard requests. Nothing leaves the machine. */
export async function walk(print: (line: string) => void): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "snapchat-next-"));
  Object.assign(process.env, {
    SNAPCHAT_CLIENT_ID: "11111111-2222-4333-8444-555555555555",
    SNAPCHAT_CLIENT_SECRET: "secret",
    SNAPCHAT_REDIRECT_URI: "https://cdp.example/snapchat/callback",
    SNAPCHAT_KEY: randomBytes(32).toString("base64"),
    SNAPCHAT_DB: join(folder, "snapchat.db"),
  });
  const visit = (path: string, session: string) =>
    new Request(`https://cdp.example${path}`, { headers: { cookie: `session=${session}` } });
  try {
    const { id } = await snapchat().tenant("acme").destinations.create({ name: "Snapchat" });
    const path = `/snapchat/connect?tenant=acme&destination=${id}`;

    const away = await connect(visit(path, "acme"));
    const { origin, searchParams } = new URL(away.headers.get("location") ?? "");
    print(`connect, for those who may: ${away.status} to ${origin}, scope ${searchParams.get("scope")}`);
    print(`connect, for others: ${(await connect(visit(path, "other"))).status}`);
    const forged = await callback(visit("/snapchat/callback?code=x&state=forged", "acme"));
    print(`callback that nobody asked for: ${forged.status}`);
  } finally {
    await snapchat().close();
    rmSync(folder, { recursive: true, force: true });
  }
}
