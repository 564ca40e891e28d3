/**
 * One real process that needs the token: opens the same database as the others and answers each "go" with the token's
 * version. Told to, it kills itself at a point of the refresh.
 */
import { createHash } from "node:crypto";
import { createSealer, createVault, OAuthClient } from "../../../src/auth/index.ts";
import type { Fetch } from "../../../src/http/index.ts";
import type { Records } from "../../../src/storage/ports.ts";
import { openPlace, type Place } from "../../connecting/places.ts";

export interface Task {
  place: Place;
  key: string;
  accounts: string;
  app: { clientId: string; clientSecret: string; redirectUri: string };
  killAt?: "before_request" | "between_answer_and_write" | "after_write";
  /** Where a test has to see a lease run out. */
  lease?: { lockMs: number; requestMs: number };
}

const task = JSON.parse(process.argv[2] ?? "{}") as Task;
const die = () => process.kill(process.pid, "SIGKILL");

const fetchAndMaybeDie: Fetch = async (request) => {
  if (task.killAt === "before_request") die();
  const response = await fetch(request);
  if (task.killAt === "between_answer_and_write") {
    await response.clone().text();
    die();
  }
  return response;
};

const { records: engine } = openPlace(task.place).storage;
const records: Records = {
  get: (key) => engine.get(key),
  delete: (key, o) => engine.delete(key, o),
  list: (prefix, o) => engine.list(prefix, o),
  now: () => engine.now(),
  async put(key, value, o) {
    const version = await engine.put(key, value, o);
    if (task.killAt === "after_write" && key.startsWith("connection/")) die();
    return version;
  },
};

const vault = createVault({
  records,
  sealer: createSealer({ keys: [task.key] }),
  apps: { default: task.app },
  oauthClient: () =>
    new OAuthClient({
      ...task.app,
      endpoints: { accounts: task.accounts },
      fetch: fetchAndMaybeDie,
      retry: { minTimeoutMs: 20 },
    }),
  times: { rereadMs: 0, coolDownMs: 100, ...(task.lease ?? {}) },
});

async function token(): Promise<{ version: number; digest: string } | { code: string }> {
  for (;;) {
    try {
      const { token, version } = await vault.credential("acme", "c1");
      return { version, digest: createHash("sha256").update(token.reveal()).digest("hex") };
    } catch (error) {
      const { kind, code, retryAfterMs = 50 } = error as { kind?: string; code?: string; retryAfterMs?: number };
      if (kind !== "retry") return { code: code ?? String(error) };
      await new Promise((resolve) => setTimeout(resolve, retryAfterMs));
    }
  }
}

process.on("message", async () => {
  process.send?.(await token());
});
process.send?.("ready");
