import { SnapchatError } from "../../errors.ts";
import { closedError } from "../errors.ts";
import type { Storage } from "../ports.ts";
import { refuseAfterClose } from "../refuse-after-close.ts";
import { findings } from "./check.ts";
import type { RedisClient } from "./client.ts";
import { Engine } from "./engine.ts";
import { redisJournal } from "./journal.ts";
import { redisMembers } from "./members.ts";
import { redisOutbox } from "./outbox.ts";
import { redisRecords } from "./records.ts";
import { redisSlots } from "./slots.ts";

/** Options of {@link redis}. */
export interface RedisOptions {
  /**
   * What the server's settings promise for an acknowledged call. `"power-loss"`: an append-only file with
   * `appendfsync always`; `"process"`: an append-only file synced every second, of which the last one or two seconds are
   * lost with the machine; `"none"`: no append-only file. `check()` says when the server is set otherwise.
   *
   * @default "process"
   */
  durability?: "power-loss" | "process" | "none";
  /**
   * Beginning of every key, in the hash tag: `{prefix:…}`. One storage per prefix.
   *
   * @default "snapchat"
   */
  prefix?: string;
  /**
   * Into how many hash tags the data is cut, so that a cluster can spread it; each tenant stays in one. About four times
   * the cluster's masters; 1 without a cluster. Fixed once the storage is made.
   *
   * @default 1
   */
  partitions?: number;
  /**
   * How long a call waits for Redis before it fails as `unavailable`, milliseconds. Clients keep commands for as long as
   * they have no connection.
   *
   * @default 10_000
   */
  timeoutMs?: number;
  /** Time for tests; without it the server's own. */
  clock?: {
    /** Milliseconds since 1970. */
    now(): number;
  };
}

const MAX_ENTRY_BYTES = 8 * 1024 * 1024;
const MAX_VALUE_BYTES = 4 * 1024 * 1024;

/**
 * Storage in Redis 6.2 or later, Valkey included, through the host's own client: ioredis (`Redis` or `Cluster`) or
 * node-redis (`createClient` or `createCluster`), connected and closed by the host. Every call is one Lua script on keys
 * of one hash tag.
 *
 * Calls reject with `schema_too_new` for data a newer major version of the package has written, `partitions_differ` for
 * another number of partitions than the data was made with, `throttled` where `maxmemory` is reached, and `closed` where
 * the client is.
 *
 * @example
 * ```ts
 * import { Redis } from "ioredis";
 * import { redis } from "snapchat-destination/redis";
 *
 * const client = new Redis("redis://localhost:6379", { lazyConnect: true });
 * const storage = redis(client, { durability: "power-loss" });
 * for (const { severity, message, fix } of await storage.check()) console.warn(severity, message, fix);
 * ```
 */
export function redis(client: RedisClient, options: RedisOptions = {}): Storage {
  const { durability = "process", prefix = "snapchat", partitions = 1, timeoutMs = 10_000, clock } = options;
  checkOptions(prefix, partitions);
  const engine = new Engine(client, { prefix, partitions, timeoutMs, ...(clock ? { clock } : {}) });
  const guard = <T extends object>(port: T): T =>
    refuseAfterClose(port, () => (engine.closed ? closedError("redis") : undefined));
  return {
    portVersion: 1,
    name: "redis",
    capabilities: {
      durability,
      shared: "network",
      transactions: false,
      wakes: true,
      maxEntryBytes: MAX_ENTRY_BYTES,
      maxValueBytes: MAX_VALUE_BYTES,
    },
    records: guard(redisRecords(engine, MAX_VALUE_BYTES)),
    outbox: guard(redisOutbox(engine, MAX_ENTRY_BYTES)),
    members: guard(redisMembers(engine)),
    journal: guard(redisJournal(engine)),
    slots: guard(redisSlots(engine)),
    migrate: () => engine.migrate(),
    async check() {
      if (engine.closed) throw closedError("redis");
      return findings(engine, durability);
    },
    async close() {
      engine.close();
    },
  };
}

function checkOptions(prefix: string, partitions: number): void {
  if (/^[^{}\s]{1,100}$/u.test(prefix) && Number.isInteger(partitions) && partitions >= 1 && partitions <= 1_024)
    return;
  throw new SnapchatError({
    code: "invalid_options",
    kind: "fix_configuration",
    message: "redis() got a prefix or a number of partitions that cannot be.",
    fix: "A prefix is 1 to 100 characters without braces and white space; partitions are 1 to 1,024.",
  });
}
