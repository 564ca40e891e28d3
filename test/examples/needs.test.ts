import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { ROOT } from "../docs/shown-code.ts";

const tsx = fileURLToPath(import.meta.resolve("tsx"));

it.each(["pixel", "host-cdp", "express"])(
  "examples/%s says in one line that its port is taken, and leaves nothing behind",
  { timeout: 60_000 },
  async (name) => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    const folder = mkdtempSync(join(tmpdir(), "needs-"));
    const env = { ...process.env, PORT: String(port), TMPDIR: folder };
    const { status, stderr } = spawnSync(process.execPath, ["--import", tsx, `examples/${name}/run.ts`], {
      cwd: ROOT,
      env,
      encoding: "utf8",
    });
    expect([status, stderr]).toEqual([1, `Port ${port} is taken. Set PORT to another one.\n`]);
    expect(readdirSync(folder).filter((entry) => !entry.startsWith("tsx-"))).toEqual([]);
    rmSync(folder, { recursive: true });
    other.close();
  },
);
