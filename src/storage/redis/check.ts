import type { Finding } from "../ports.ts";
import type { Sender } from "./client.ts";
import type { Engine } from "./engine.ts";
import type { RedisOptions } from "./index.ts";

type Durability = NonNullable<RedisOptions["durability"]>;

const OLDEST = [6, 2] as const;
/** Clocks further apart than this deserve a word. */
const SKEW_MS = 1_000;
const NEARLY_FULL = 0.9;

export async function findings(engine: Engine, durability: Durability): Promise<Finding[]> {
  const found = await rights(engine);
  for (const node of await engine.sender.nodes()) {
    const info = await read(node, ["INFO"], infoOf);
    if (!info) {
      found.push(unreadable("INFO"));
      continue;
    }
    found.push(...serverFindings(info), ...memoryFindings(info));
    if (durability !== "none") found.push(...(await fileFindings(node, info, durability)));
  }
  if (durability === "process") {
    found.push({
      code: "durability_process",
      severity: "warning",
      message:
        "The storage was said to be synced to the disk later: a power loss takes the last second of what was acknowledged.",
      fix: 'Set appendfsync to always and give redis() `durability: "power-loss"`, unless losing it is fine.',
    });
  }
  if (durability === "none") {
    found.push({
      code: "durability_none",
      severity: "problem",
      message: "The storage was said to lose acknowledged work when the server stops.",
      fix: "Switch the append-only file on and give redis() `durability`.",
    });
  }
  return [...new Map(found.map((finding) => [finding.code + finding.message, finding])).values()];
}

/** Commands that are refused, and clocks that are apart: the process's from the server's, and the servers' from each other. */
async function rights(engine: Engine): Promise<Finding[]> {
  const found: Finding[] = [];
  const times: number[] = [];
  for (const number of engine.numbers) {
    const { now, missing } = await engine.probe(engine.partition("outbox", number));
    times.push(now - (engine.options.clock ?? Date).now());
    if (missing.length === 0) continue;
    found.push({
      code: "missing_rights",
      severity: "problem",
      message: `The Redis user may not run: ${missing.join(", ")}.`,
      fix: `ACL SETUSER <user> ${missing.map((command) => `+${command.toLowerCase()}`).join(" ")} ~{${engine.options.prefix}:*`,
    });
  }
  const apart = Math.max(...times) - Math.min(...times);
  if (apart > SKEW_MS) found.push(skew(`Nodes' clocks are ${apart} ms apart.`));
  const off = Math.max(...times.map(Math.abs));
  if (off > SKEW_MS)
    found.push(skew(`The server's clock and this process's are ${off} ms apart; the server's decides.`));
  return found;
}

function serverFindings(info: Map<string, string>): Finding[] {
  const found: Finding[] = [];
  const version = (info.get("redis_version") ?? "0").split(".").map(Number);
  if ((version[0] ?? 0) - OLDEST[0] < 0 || (version[0] === OLDEST[0] && (version[1] ?? 0) < OLDEST[1])) {
    found.push({
      code: "server_too_old",
      severity: "problem",
      message: `The server is version ${info.get("redis_version")}; the scripts need ${OLDEST.join(".")}.`,
      fix: "Update Redis, or use Valkey.",
    });
  }
  if (info.get("role") === "slave") {
    found.push({
      code: "read_only_replica",
      severity: "problem",
      message: "The client is connected to a replica, which takes no writes.",
      fix: "Connect to the master, or let the client ask the sentinels for it.",
    });
  }
  if (Number(info.get("connected_slaves") ?? 0) > 0) {
    found.push({
      code: "failover_loses",
      severity: "warning",
      message: "Replication is asynchronous: a failover loses what the replica had not received yet.",
      fix: "Set min-replicas-to-write and min-replicas-max-lag to bound it, or keep the outbox in Postgres.",
    });
  }
  return found;
}

function memoryFindings(info: Map<string, string>): Finding[] {
  const found: Finding[] = [];
  const policy = info.get("maxmemory_policy") ?? "noeviction";
  // Policies that evict keys with an expiry only find none here: the storage sets none.
  if (policy.startsWith("allkeys")) {
    found.push({
      code: "evicts",
      severity: "problem",
      message: `maxmemory-policy is ${policy}: Redis would throw queued events away without a word.`,
      fix: "Set maxmemory-policy to noeviction, or keep the storage apart from the cache.",
    });
  }
  const most = Number(info.get("maxmemory") ?? 0);
  if (most > 0 && Number(info.get("used_memory") ?? 0) > NEARLY_FULL * most) {
    found.push({
      code: "memory_nearly_full",
      severity: "warning",
      message: `More than ${NEARLY_FULL * 100} % of maxmemory is used; when it is full, track() is refused.`,
      fix: "Raise maxmemory, or find out why the queue does not drain.",
    });
  }
  return found;
}

async function fileFindings(
  node: Pick<Sender, "send">,
  info: Map<string, string>,
  durability: Exclude<Durability, "none">,
): Promise<Finding[]> {
  if (info.get("aof_enabled") !== "1") {
    return [
      {
        code: "aof_off",
        severity: "problem",
        message:
          "There is no append-only file: what was acknowledged since the last snapshot is lost when Redis stops.",
        fix: "CONFIG SET appendonly yes, and the same in redis.conf.",
      },
    ];
  }
  const found: Finding[] = [];
  if (info.get("aof_last_write_status") === "err") {
    found.push({
      code: "aof_fails",
      severity: "problem",
      message: "The last write to the append-only file failed.",
      fix: "Look at the server's log and free disk space.",
    });
  }
  const config = await read(node, ["CONFIG", "GET", "*append*"], pairsOf);
  if (!config) return [...found, unreadable("CONFIG GET")];
  const sync = config.get("appendfsync") ?? "everysec";
  const wanted = durability === "power-loss" ? ["always"] : ["always", "everysec"];
  if (!wanted.includes(sync)) {
    found.push({
      code: "lazy_fsync",
      severity: "problem",
      message: `appendfsync is ${sync}: the storage was said to survive ${durability === "power-loss" ? "a power loss" : "more than that"}.`,
      fix: `CONFIG SET appendfsync ${wanted.at(-1) === "always" ? "always" : "everysec"}, or give redis() a lower \`durability\`.`,
    });
  }
  if (sync !== "no" && config.get("no-appendfsync-on-rewrite") === "yes") {
    found.push({
      code: "no_fsync_on_rewrite",
      severity: durability === "power-loss" ? "problem" : "warning",
      message: "no-appendfsync-on-rewrite is yes: while the file is rewritten nothing is synced.",
      fix: "CONFIG SET no-appendfsync-on-rewrite no.",
    });
  }
  return found;
}

/** What a node answers, or nothing where it refuses: hosted Redis keeps some commands to itself. */
async function read<T>(
  node: Pick<Sender, "send">,
  command: readonly string[],
  parse: (answer: unknown) => T,
): Promise<T | undefined> {
  try {
    return parse(await node.send(undefined, command));
  } catch {
    return undefined;
  }
}

function infoOf(answer: unknown): Map<string, string> {
  const pairs = String(answer).split("\r\n");
  return new Map(pairs.flatMap((line) => (line.includes(":") ? [line.split(":", 2) as [string, string]] : [])));
}

/** A list of names and values, or what RESP3 makes of it. */
function pairsOf(answer: unknown): Map<string, string> {
  if (!Array.isArray(answer))
    return new Map(Object.entries(answer as object).map(([name, value]) => [name, String(value)]));
  const pairs = new Map<string, string>();
  for (let at = 0; at < answer.length; at += 2) pairs.set(String(answer[at]), String(answer[at + 1]));
  return pairs;
}

function unreadable(command: string): Finding {
  return {
    code: "settings_unreadable",
    severity: "warning",
    message: `${command} is refused: whether the server's settings keep the promises could not be seen.`,
    fix: "Compare them with docs/redis.md: appendonly, appendfsync, maxmemory-policy.",
  };
}

function skew(message: string): Finding {
  return { code: "clock_skew", severity: "warning", message, fix: "Keep the machines' clocks synchronised." };
}
