import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Snapchat } from "snapchat-destination";
import { main } from "../../../src/cli/main.ts";
import type { Walk } from "./sinks.ts";

/** Runs a command as at a terminal; what it prints is kept. */
export async function command(walk: Walk, argv: readonly string[]): Promise<void> {
  const write = (text: string) => walk.record("terminal", text);
  await main([...argv], {
    stdin: (async function* () {})(),
    stdout: { write, isTTY: true },
    stderr: { write, isTTY: true },
    env: {},
  });
}

/** What an operator looks at, in words and as JSON. `explain` shows hashes by design, of an event that its reader has. */
export async function terminal(walk: Walk, snapchat: Snapchat, id: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "walk-terminal-"));
  try {
    Object.assign(globalThis, { walkHost: { ...snapchat, close: async () => {} } });
    const config = join(folder, "snapchat.config.mjs");
    writeFileSync(config, "export default () => globalThis.walkHost;\n");
    const tenant = ["--tenant", "acme"];
    for (const json of [[], ["--json"]]) {
      const ask = (argv: string[]) => command(walk, [...argv, ...json, "--config", config]);
      await ask(["tenants"]);
      await ask(["destinations", ...tenant]);
      await ask(["verify", id, ...tenant]);
      await ask(["receipts", id, "--order-id", "good-1", ...tenant]);
      await ask(["dead-letters", "list", id, ...tenant]);
      await ask(["segments", "list", id, ...tenant]);
      await ask(["keys", "in-use"]);
      await ask(["storage", "check"]);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}
