import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { SyncProgress } from "../../../src/audiences/index.ts";
import { sha256Hex } from "../../../src/identity/index.ts";
import { openShop, type Shop } from "../../snapchat/shop.ts";
import { openDatabase } from "./mirror-database.ts";
import { addressOf, type MemoryHeld, type MirrorOrder } from "./mirror-order.ts";

/**
 * A bound as a small container sets it: what a list needs, not what V8 takes for garbage that it has not looked at yet,
 * which without a bound is some 200 MB whatever the list.
 */
const V8 = ["--expose-gc", "--max-semi-space-size=4", "--max-old-space-size=160"];
const child = fileURLToPath(new URL("./mirror-process.ts", import.meta.url));

export interface MirrorReport {
  done: SyncProgress;
  idleMb: number;
  /** Of the last life, when it held most. */
  peak: MemoryHeld;
  ms: number;
  kills: number;
  /** The most that any life held above what it held at rest, those that were killed too. */
  aboveIdleMb: number;
}

/** How far a run is, and what its process holds there. */
export interface MirrorProgress {
  read: number;
  rssMb: number;
  idleMb: number;
}

type Life = Omit<MirrorReport, "kills" | "aboveIdleMb">;

/**
 * A connected shop and processes that mirror lists into its segments.
 *
 * @param place a Postgres and a schema of one's own in it; absent: a file of SQLite
 */
export async function openMirrors(
  delivery: MirrorOrder["delivery"] = {},
  place?: Required<Pick<MirrorOrder, "database" | "schema">>,
) {
  const directory = mkdtempSync(join(tmpdir(), "mirror-"));
  const where = place ?? { database: join(directory, "snapchat.db") };
  const key = randomBytes(32).toString("base64");
  const opened = await openDatabase(where);
  const shop: Shop = await openShop({ storage: opened.storage, encryptionKeys: [key] });
  const { simulator, id } = shop;
  await shop.snapchat.close();
  await opened.close();

  /** Runs to the end, killed each time the run has got as far as `killAt` says: lines read. */
  async function mirror(
    order: Pick<MirrorOrder, "segment" | "runId" | "count" | "changeEvery">,
    killAt: readonly number[] = [],
    onProgress: (progress: MirrorProgress) => void = () => {},
  ): Promise<MirrorReport> {
    const { clientId, clientSecret } = simulator.world;
    const whole: MirrorOrder = {
      ...order,
      delivery,
      app: { clientId, clientSecret, redirectUri: "http://127.0.0.1:8080/snapchat/callback" },
      ...where,
      key,
      endpoints: simulator.endpoints,
      url: simulator.url,
      destinationId: id,
    };
    let aboveIdleMb = 0;
    const seen = (line: Pick<MirrorReport, "peak" | "idleMb"> & Partial<MirrorProgress>) => {
      aboveIdleMb = Math.max(aboveIdleMb, line.peak.rssMb - line.idleMb);
      const { read, rssMb, idleMb } = line;
      if (read !== undefined && rssMb !== undefined) onProgress({ read, rssMb, idleMb });
    };
    for (let kills = 0; ; kills++) {
      const report = await once(whole, killAt[kills], seen);
      if (report) return { ...report, kills, aboveIdleMb };
    }
  }

  return {
    simulator,
    mirror,
    /** The e-mail digests that the segment of that name holds. */
    held(name: string): Set<string> {
      const segment = simulator.inspect.segments().find((one) => one.name === name);
      return segment ? simulator.inspect.members(segment.id).EMAIL_SHA256 : new Set();
    },
    requests: (name: string) => {
      const segment = simulator.inspect.segments().find((one) => one.name === name);
      return simulator.inspect.requests.filter(({ path }) => path.includes(`/${segment?.id}/users`));
    },
    async close() {
      await simulator.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** How many of the list's digests are missing, and how many are there that should not be. */
export function difference(held: ReadonlySet<string>, order: Pick<MirrorOrder, "count" | "changeEvery">) {
  let missing = 0;
  for (let n = 0; n < order.count; n++) if (!held.has(sha256Hex(addressOf(n, order)))) missing++;
  return { missing, surplus: held.size - (order.count - missing) };
}

/** One life of the process; `undefined`: it was killed. */
function once(
  order: MirrorOrder,
  killAtRead: number | undefined,
  seen: (life: Pick<MirrorReport, "peak" | "idleMb">) => void,
): Promise<Life | undefined> {
  return new Promise((resolve, reject) => {
    const running = spawn(process.execPath, [...V8, child, JSON.stringify(order)], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let report: Life | undefined;
    let killed = false;
    let errors = "";
    running.stderr.on("data", (text: Buffer) => {
      errors += text.toString();
    });
    createInterface({ input: running.stdout }).on("line", (text) => {
      const line = JSON.parse(text) as Partial<Life> & { read?: number };
      if (line.peak) seen(line as Life);
      if (line.done) report = line as Life;
      if (killAtRead === undefined || killed || (line.read ?? 0) < killAtRead) return;
      killed = true;
      running.kill("SIGKILL");
    });
    running.on("exit", (code) => {
      if (killed) resolve(undefined);
      else if (report) resolve(report);
      else reject(new Error(`The process ended with ${code}: ${errors}`));
    });
  });
}
