import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { installed } from "../services.ts";

/** A Redis of the test's own, which it may kill, stop and fill. */
export interface PrivateRedis {
  url: string;
  port: number;
  directory: string;
  /** A client that gives up at once instead of waiting for a connection. */
  connect(): Redis;
  /** SIGKILL, the way a power cut looks from outside. */
  kill(): Promise<void>;
  /** SIGSTOP: connections stay open and nothing answers. */
  freeze(): void;
  thaw(): void;
  /** Again on the same files. */
  start(): Promise<void>;
  /** Stops it and removes its files. */
  remove(): Promise<void>;
}

export const redisServer = installed("redis-server");

/** Starts the installed server on a free port, every write synced before it is answered. */
export async function startRedis(settings: Record<string, string> = {}): Promise<PrivateRedis> {
  const directory = mkdtempSync(join(tmpdir(), "snapchat-redis-"));
  const port = await freePort();
  const clients = new Set<Redis>();
  let server: ChildProcess | undefined;

  const connect = () => {
    const client = new Redis(port, { maxRetriesPerRequest: 0, retryStrategy: () => 20 });
    client.on("error", () => {});
    clients.add(client);
    return client;
  };
  const self: PrivateRedis = {
    url: `redis://127.0.0.1:${port}`,
    port,
    directory,
    connect,
    async start() {
      const all = {
        port: String(port),
        dir: directory,
        appendonly: "yes",
        appendfsync: "always",
        save: "",
        ...settings,
      };
      const args = Object.entries(all).flatMap(([name, value]) => [`--${name}`, value]);
      server = spawn(redisServer ?? "redis-server", args, { stdio: ["ignore", "pipe", "inherit"] });
      for await (const line of server.stdout ?? []) if (String(line).includes("Ready to accept connections")) break;
      server.stdout?.resume();
    },
    async kill() {
      await end(server, "SIGKILL");
    },
    freeze: () => server?.kill("SIGSTOP"),
    thaw: () => server?.kill("SIGCONT"),
    async remove() {
      for (const client of clients) client.disconnect();
      server?.kill("SIGCONT");
      await end(server, "SIGKILL");
      rmSync(directory, { recursive: true, force: true });
    },
  };
  await self.start();
  return self;
}

async function end(server: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> {
  if (!server || server.exitCode !== null || server.signalCode !== null) return;
  const ended = once(server, "exit");
  server.kill(signal);
  await ended;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
