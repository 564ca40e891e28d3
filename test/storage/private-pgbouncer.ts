import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installed } from "../services.ts";
import { freePort, takesConnections } from "./private-postgres.ts";

/** A pooler in transaction mode in front of a server: two statements of one client may reach two sessions. */
export async function startPgbouncer(
  server: string,
  o: { connections: number },
): Promise<{ url: string; end(): Promise<void> } | undefined> {
  const binary = installed("pgbouncer");
  if (binary === undefined) return undefined;
  const { hostname, port: serverPort, username, pathname } = new URL(server);
  const directory = mkdtempSync(join(tmpdir(), "snapchat-pgbouncer-"));
  chmodSync(directory, 0o755);
  const port = await freePort();
  const user = username || "postgres";
  const settings = join(directory, "pgbouncer.ini");
  writeFileSync(
    settings,
    `[databases]
* = host=${hostname} port=${serverPort || 5432} user=${user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = ${o.connections}
max_client_conn = 200
server_reset_query =
`,
  );
  // It refuses to run as root.
  const args = process.getuid?.() === 0 ? ["-u", "postgres", settings] : [settings];
  const child = spawn(binary, args, { stdio: "ignore", cwd: directory });
  const url = `postgres://${user}@127.0.0.1:${port}${pathname}`;
  await takesConnections(url);
  return {
    url,
    async end() {
      const exit = once(child, "exit");
      child.kill("SIGINT");
      await exit;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
