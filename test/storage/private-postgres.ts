import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import pg from "pg";
import { installed } from "../services.ts";

const DEBIAN = "/usr/lib/postgresql";

/** The server's binary, where one is installed; else the rule of `installed`: one line, or a failure. */
export function postgresBinary(): string | undefined {
  return installed(
    "postgres",
    versions().map((version) => join(DEBIAN, version, "bin")),
  );
}

function versions(): string[] {
  try {
    return readdirSync(DEBIAN).sort((a, b) => Number(a) - Number(b));
  } catch {
    return [];
  }
}

export interface PrivatePostgres {
  readonly url: string;
  /** Its data directory. */
  readonly data: string;
  readonly port: number;
  /** Of the server that runs now; its backends are its children. */
  readonly pid: number;
  /** SIGKILL of the server and all its backends: what a crash leaves. */
  kill(): Promise<void>;
  /** SIGINT: connections are cut, the data are written. */
  stop(): Promise<void>;
  /** After kill or stop: the same data, the same port. Resolves when it takes connections. */
  start(): Promise<void>;
  /** Stops the server and removes its data. */
  end(): Promise<void>;
}

/** A Postgres server of the test's own, on a free port, with the durability of a real one. */
export async function startPrivatePostgres(
  settings: Record<string, string> = {},
  binary = postgresBinary(),
): Promise<PrivatePostgres> {
  if (binary === undefined) throw new Error("no postgres is installed");
  const directory = mkdtempSync(join(tmpdir(), "snapchat-postgres-"));
  const data = join(directory, "data");
  // Its binary refuses to run as root.
  const owner = process.getuid?.() === 0 ? userIds("postgres") : undefined;
  if (owner) chownSync(directory, owner.uid, owner.gid);
  chmodSync(directory, 0o700);
  execFileSync(
    join(dirname(binary), "initdb"),
    ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"],
    {
      stdio: "ignore",
      cwd: directory,
      ...owner,
    },
  );
  const port = await freePort();
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  const options = { ...{ listen_addresses: "127.0.0.1", unix_socket_directories: "" }, ...settings };
  let server: ChildProcess | undefined;

  const gone = async (signal: NodeJS.Signals) => {
    const running = server;
    server = undefined;
    if (!running || running.exitCode !== null || running.signalCode !== null) return;
    const exit = once(running, "exit");
    if (signal === "SIGKILL") for (const pid of childrenOf(running.pid)) tryKill(pid);
    running.kill(signal);
    await exit;
  };
  const start = async () => {
    const args = Object.entries({ ...options, port: String(port) }).flatMap(([name, value]) => [
      "-c",
      `${name}=${value}`,
    ]);
    server = spawn(binary, ["-D", data, ...args], { stdio: "ignore", cwd: directory, ...owner });
    await takesConnections(url);
  };
  await start();
  return {
    url,
    data,
    port,
    get pid() {
      return server?.pid ?? 0;
    },
    kill: () => gone("SIGKILL"),
    stop: () => gone("SIGINT"),
    start,
    async end() {
      await gone("SIGINT");
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function userIds(name: string): { uid: number; gid: number } {
  const id = (flag: string) => Number(execFileSync("id", [flag, name]).toString());
  return { uid: id("-u"), gid: id("-g") };
}

/** Its backends outlive a killed postmaster for a moment and would keep the data directory busy. */
function childrenOf(pid: number | undefined): number[] {
  try {
    const list = execFileSync("ps", ["-o", "pid=", "--ppid", String(pid)]).toString();
    return list
      .split("\n")
      .map(Number)
      .filter((child) => child > 0);
  } catch {
    return [];
  }
}

function tryKill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

/** Resolves as soon as a query is answered. */
export async function takesConnections(url: string, withinMs = 120_000): Promise<void> {
  const until = performance.now() + withinMs;
  for (;;) {
    const client = new pg.Client({ connectionString: url });
    client.on("error", () => {});
    try {
      await client.connect();
      await client.query("SELECT 1");
      return;
    } catch (error) {
      if (performance.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    } finally {
      await client.end().catch(() => {});
    }
  }
}
