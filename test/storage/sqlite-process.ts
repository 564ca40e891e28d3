/** A process that works on one SQLite file: `node sqlite-process.ts '{"module":…,"path":…,"task":…}'` prints a line of JSON for each step. */
import type { Storage } from "../../src/storage/ports.ts";

export interface SqliteJob {
  /** Address of the adapter: another build of it, for work beside another version. */
  module: string;
  path: string;
  /** `append`: until it is ended, one entry a call; `consume`: until nothing came for a while; `open`: migrate and put once. */
  task: "append" | "consume" | "open";
  prefix?: string;
  count?: number;
  /** Without the rights of root. */
  asNobody?: boolean;
}

const job = JSON.parse(process.argv[2] ?? "") as SqliteJob;
const { sqlite } = (await import(job.module)) as { sqlite: (path: string) => Storage };
if (job.asNobody && process.getuid?.() === 0) {
  process.setgid?.(65_534);
  process.setuid?.(65_534);
}
const say = (line: unknown) => process.stdout.write(`${JSON.stringify(line)}\n`);
const group = { tenantId: "t", destinationId: "d", name: "events/p", exclusive: false, credentialId: "c" };
const storage = sqlite(job.path);

try {
  await storage.migrate();
  await storage.outbox.open([group]);
  if (job.task === "append") await append();
  if (job.task === "consume") await consume();
  await storage.close();
  say({ end: true });
} catch (error) {
  const { code, kind, retryable, message, fix } = error as Record<string, unknown>;
  say({ error: { code, kind, retryable, message, fix } });
}

async function append(): Promise<void> {
  for (let n = 0; n < (job.count ?? Infinity); n++) {
    const id = `${job.prefix ?? ""}${n}`;
    const payload = new Uint8Array(2_000).fill(n);
    await storage.outbox.append([{ id, group, priority: 0, items: 1, payload }]);
    say({ stored: id });
  }
}

async function consume(): Promise<void> {
  for (let quiet = 0; quiet < 20; ) {
    const claim = await storage.outbox.claim({ owner: "test", leaseMs: 20_000, maxItems: 20, maxBytes: 1_000_000 });
    if (!claim) {
      quiet++;
      await storage.outbox.wait({ maxMs: 50, signal: new AbortController().signal });
      continue;
    }
    quiet = 0;
    const ids = claim.entries.map(({ id }) => id);
    say({ claimed: ids });
    const answer = await storage.outbox.settle(
      claim,
      ids.map((id) => ({ id })),
    );
    if (answer === "settled") say({ consumed: ids });
  }
}
